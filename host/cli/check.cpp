// `windrow check`: everything that is wrong with pipeline files, before anything runs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "host/cli/pipeline_file.hpp"
#include "host/cli/verbs.hpp"

namespace windrow::cli {
namespace {

class Check final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("check", "say all that is wrong with pipeline files");
    verb->add_option("files", files_, "pipeline files, or - for stdin")->required();
    verb->add_flag("--deny-warnings", deny_warnings_, "exit with 1 if there are warnings");
    return verb;
  }
  int run(Invocation const& invocation) override {
    std::vector<Finding> all;
    int exit = exit_ok;
    for (std::string const& file : files_) {
      LoadResult const loaded = load_file(file, invocation, LoadOptions::Purpose::check);
      bool const warned =
          std::any_of(loaded.findings.begin(), loaded.findings.end(),
                      [](Finding const& f) { return f.severity == Severity::warning; });
      if (!loaded.ok()) {
        exit = exit_invalid;
      }
      if (exit == exit_ok && warned && deny_warnings_) {
        exit = exit_differs;
      }
      all.insert(all.end(), loaded.findings.begin(), loaded.findings.end());
      if (invocation.json) {
        continue;
      }
      print_findings(loaded.findings, invocation);
      if (loaded.ok()) {
        fmt::print("{}: valid; {}\n", file, own_keys(loaded.graph));
      }
    }
    if (invocation.json) {
      fmt::print("{}\n", to_json(all));
    }
    return exit;
  }

 private:
  static std::string own_keys(Graph const& graph) {
    if (graph.windrow_keys.empty()) {
      return "runs on Beam too";
    }
    return fmt::format("keys of Windrow's own: {}", fmt::join(graph.windrow_keys, ", "));
  }
  std::vector<std::string> files_;
  bool deny_warnings_ = false;
};

}  // namespace

std::unique_ptr<Verb> check_verb() { return std::make_unique<Check>(); }

}  // namespace windrow::cli
