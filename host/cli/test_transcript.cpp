// From a block of `tests` to a play.
#include "host/cli/test_transcript.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "host/cli/backends.hpp"
#include "host/cli/graph_part.hpp"
#include "host/cli/invocation.hpp"
#include "host/cli/parts.hpp"
#include "host/cli/transcript/run.hpp"
#include "host/cli/transcript/scripted_source.hpp"

namespace windrow::cli {
namespace {

using transcript::Node;

// For the snapshots of `restart`; gone with the play.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "windrow-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw EnvironmentError("test: a temporary directory must be created", exit_state);
    }
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;  // what is left lies in a directory for what may be lost
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(Scratch const&) = delete;  // owns the directory
  Scratch& operator=(Scratch const&) = delete;
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  std::string path_;
};

bool states_watermark(Node const& actions) {
  return std::any_of(actions.items.begin(), actions.items.end(), [](Node const& action) {
    Node const* const batch = action.find("batch");
    return action.find("watermark") != nullptr ||
           (batch != nullptr && batch->find("watermark") != nullptr);
  });
}

// What the script states, no setting of the file may move.
void forget_settings(Graph& graph) {
  for (Transform& transform : graph.transforms) {
    std::visit(
        [](auto& config) {
          if constexpr (requires { config.watermark; }) {
            config.watermark.reset();
          }
          if constexpr (requires { config.tracks; }) {
            config.tracks = false;
          }
        },
        transform.config);
  }
}

// Empty, or why the part above the steps cannot be scripted.
std::string misfit(Graph const& part) {
  if (part.transforms.empty()) {
    return "a transcript expects panes, and the pipeline has no Combine";
  }
  std::vector<std::string> sources;
  for (Transform const& transform : part.transforms) {
    if (transform.inputs.empty()) {
      sources.push_back(transform.name);
    }
  }
  return sources.size() == 1 ? ""
                             : fmt::format("a transcript scripts one source, and the steps read {}",
                                           fmt::join(sources, " and "));
}

}  // namespace

std::vector<std::string> run_transcript(std::string const& file, Graph const& graph,
                                        PipelineTest const& test) {
  std::vector<std::size_t> steps;
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    if (std::holds_alternative<Combine>(graph.transforms[at].config)) {
      steps.push_back(at);
    }
  }
  Graph part = part_leading_to(graph, steps);
  if (std::string fault = misfit(part); !fault.empty()) {
    return {fmt::format("{}:{}: {}", file, test.at.line, fault)};
  }
  Node actions = Node::list();
  for (TestAction const& action : test.transcript) {
    actions.items.push_back(transcript::parse_json(action.json));
  }
  bool const stated = states_watermark(actions);
  if (stated) {
    forget_settings(part);
  }
  transcript::ScriptedClock clock;  // a source that is not opened does not ask it
  SourcePart source = std::move(make_sources(part, clock).front());
  Transform const& read = part.transforms[source.transform];
  transcript::ScriptedInput const input{.transform = source.transform,
                                        .partitioned = !stated,
                                        .bounded = read.bounded,
                                        .make_decoder = source.make_decoder};
  transcript::Script script;
  script.name = test.name;
  script.records = true;
  script.own_ts = std::any_of(read.output.fields.begin(), read.output.fields.end(),
                              [](Field const& field) { return field.name == "ts"; });
  script.observe = test.observe;
  script.actions = &actions;
  Backends const backends(part);
  for (std::string const& line : backends.lines()) {
    spdlog::info("{}", line);
  }
  Scratch const scratch;
  std::vector<std::string> const no_keys;  // records name their own
  std::size_t at = 0;
  try {
    transcript::play({script, part, input, no_keys, transcript::Split::as_written},
                     {.make_aggregation =
                          [&](AggregationSpec const& spec, std::size_t transform,
                              Workers& workers) { return backends.make(spec, transform, workers); },
                      .scratch = scratch.path()},
                     at);
  } catch (std::exception const& fault) {  // of the transcript, or a difference
    std::size_t const shown = std::min(at, test.transcript.size() - 1);
    return {fmt::format("{}:{}: {}", file, test.transcript[shown].at.line, fault.what())};
  }
  return {};
}

}  // namespace windrow::cli
