// `windrow schema`: what a pipeline file may hold, for people and for editors.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "host/cli/verbs.hpp"
#include "host/plan/json_schema.hpp"
#include "host/plan/reference.hpp"

namespace windrow::cli {
namespace {

class SchemaVerb final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    return app.add_subcommand("schema",
                              "the keys of pipeline files; with --json a JSON Schema for editors");
  }
  int run(Invocation const& invocation) override {
    fmt::print("{}{}", invocation.json ? json_schema() : reference(), invocation.json ? "\n" : "");
    return exit_ok;
  }
};

}  // namespace

std::unique_ptr<Verb> schema_verb() { return std::make_unique<SchemaVerb>(); }

}  // namespace windrow::cli
