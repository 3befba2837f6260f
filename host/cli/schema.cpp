// `windrow schema`: the keys of pipeline files, from the checker's own tables.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iterator>

#include "host/cli/verbs.hpp"
#include "host/plan/key_table.hpp"

namespace windrow::cli {
namespace {

void keys(std::string& out, std::span<KeySpec const> table, int indent) {
  for (KeySpec const& key : table) {
    if (!key.built) {
      continue;
    }
    std::string const type(key.choices.empty() ? name_of(key.type) : key.choices);
    fmt::format_to(std::back_inserter(out), "{:{}}- `{}`: {}{}{}{}\n", "", indent, key.name, type,
                   key.fallback.empty()           ? ""
                   : key.fallback == required_key ? ", required"
                                                  : fmt::format(" = {}", key.fallback),
                   key.windrow ? " (W)" : "",
                   key.meaning.empty() ? "" : fmt::format(": {}", key.meaning));
    keys(out, key.inner, indent + 2);
  }
}

class SchemaVerb final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    return app.add_subcommand("schema", "the keys of pipeline files; (W) marks Windrow's own");
  }
  int run(Invocation const&) override {
    std::string out;
    auto const section = [&](std::string_view title, std::span<KeySpec const> table) {
      fmt::format_to(std::back_inserter(out), "## {}\n\n", title);
      keys(out, table, 0);
      out += "\n";
    };
    section("file", file_keys());
    section("pipeline", pipeline_keys());
    section("every transform", transform_keys());
    section("windowing", windowing_keys());
    section("watermark", watermark_keys());
    section("event_time", event_time_keys());
    section("error_handling", error_handling_keys());
    section("options.windrow", settings_keys());
    section("tests", test_keys());
    for (TransformSpec const& transform : transform_table()) {
      if (!transform.built) {
        continue;
      }
      section(fmt::format("{}{}: {}", transform.type, transform.windrow ? " (W)" : "",
                          transform.meaning),
              transform.keys);
    }
    fmt::print("{}", out);
    return exit_ok;
  }
};

}  // namespace

std::unique_ptr<Verb> schema_verb() { return std::make_unique<SchemaVerb>(); }

}  // namespace windrow::cli
