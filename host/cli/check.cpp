// `windrow check`: everything that is wrong with pipeline files, before anything runs.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <variant>

#include "host/cli/first_result.hpp"
#include "host/cli/log.hpp"
#include "host/cli/pipeline_file.hpp"
#include "host/cli/verbs.hpp"
#include "host/engine/snapshot.hpp"

namespace windrow::cli {
namespace {

constexpr char const* two_variants =
    R"(Beam refuses what is called refused while it builds the pipeline and has read nothing (a key
of WriteToJson when it writes the first row, and leaves no file): the file never runs there with
another meaning.  One file can have two variants: put what differs into a variable, a flow map on
one line.  With `windowing: {{{{ win }}}}`, for example, it would run here with
    windrow run {0} \
      --var win='{{type: fixed, size: 5m, allowed_lateness: 10m, accumulation_mode: accumulating}}'
and on Beam with
    python -m apache_beam.yaml.main --yaml_pipeline_file={0} \
      --jinja_variables='{{"win": "{{type: fixed, size: 5m}}"}}'
)";

class Check final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("check", "say all that is wrong with pipeline files");
    verb->add_option("files", files_, "pipeline files, or - for stdin")->required();
    verb->add_flag("--deny-warnings", deny_warnings_, "exit with 1 if there are warnings");
    verb->add_flag("--explain-beam", explain_beam_,
                   "say what Apache Beam refuses or takes otherwise of the same file");
    return verb;
  }
  int run(Invocation const& invocation) override {
    std::vector<Finding> all;
    int exit = exit_ok;
    for (std::string const& file : files_) {
      LoadResult loaded;
      try {
        loaded = load_file(file, invocation, LoadOptions::Purpose::check);
      } catch (EnvironmentError const& error) {
        if (error.exit_code() != exit_invalid) {
          throw;
        }
        say(fmt::format("windrow: {}", error.what()), spdlog::level::err);
        Finding& unread = all.emplace_back();  // the others are looked at all the same
        unread.code = "unreadable";
        unread.file = file;
        unread.text = error.what();
        exit = exit_invalid;
        continue;
      }
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
      if (explain_beam_ && loaded.ok()) {
        all.insert(all.end(), loaded.on_beam.begin(), loaded.on_beam.end());
      }
      if (invocation.json) {
        continue;
      }
      print_findings(loaded.findings, invocation);
      if (loaded.ok()) {
        fmt::print("{}: valid; {}\n{}", file, own_keys(loaded.graph), first_results(loaded.graph));
        if (explain_beam_) {
          fmt::print("{}", on_beam_text(file, loaded.on_beam));
        }
      }
    }
    if (invocation.json) {
      fmt::print("{}\n", to_json(all));
    }
    return exit;
  }
  [[nodiscard]] bool reads_pipelines() const override { return true; }

 private:
  static std::string own_keys(Graph const& graph) {
    if (graph.windrow_keys.empty()) {
      return "runs on Beam too";
    }
    return fmt::format("keys of Windrow's own: {}", fmt::join(graph.windrow_keys, ", "));
  }
  static std::string first_results(Graph const& graph) {
    std::string out;
    for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
      if (std::holds_alternative<Combine>(graph.transforms[at].config)) {
        out += fmt::format("    {}: first result no earlier than {}\n", graph.transforms[at].name,
                           first_result(graph, at));
      }
    }
    return out;
  }
  static std::string on_beam_text(std::string const& file, std::vector<Finding> const& points) {
    bool const refused = std::any_of(points.begin(), points.end(),
                                     [](Finding const& f) { return f.code == "refused"; });
    std::string out;
    for (Finding const& point : points) {
      out += to_text(point);
    }
    if (!refused) {
      return out + (points.empty() ? "On Beam it means the same.\n"
                                   : "Beam runs this file, with these differences.\n");
    }
    return out + fmt::format(two_variants, file);
  }
  std::vector<std::string> files_;
  bool deny_warnings_ = false, explain_beam_ = false;
};

}  // namespace

std::unique_ptr<Verb> check_verb() { return std::make_unique<Check>(); }

}  // namespace windrow::cli
