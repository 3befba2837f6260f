// `windrow run`: the engine on one pipeline file.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <variant>

#include "host/cli/live_view.hpp"
#include "host/cli/log.hpp"
#include "host/cli/parts.hpp"
#include "host/cli/pipeline_file.hpp"
#include "host/cli/pipeline_run.hpp"
#include "host/cli/stop_signals.hpp"
#include "host/cli/summary.hpp"
#include "host/cli/verbs.hpp"
#include "host/plan/duration.hpp"
#include "ingest/line_source.hpp"

namespace windrow::cli {
namespace {

// The source becomes a bounded read of a file; what the file says of its time stays.
void read_instead(Graph& graph, std::string const& path) {
  for (Transform& transform : graph.transforms) {
    ReadFromJson instead;
    instead.path = path;
    if (auto const* kafka = std::get_if<ReadFromKafka>(&transform.config)) {
      if (kafka->format != ReadFromKafka::Format::json &&
          kafka->format != ReadFromKafka::Format::ndjson) {
        throw EnvironmentError(
            fmt::format("--input replaces sources of JSON only: source={}", transform.name),
            exit_usage);
      }
      instead.validate_full = kafka->validate_full;
      instead.event_time = kafka->event_time;
      instead.watermark = kafka->watermark;
    } else if (auto const* json = std::get_if<ReadFromJson>(&transform.config)) {
      instead.validate_full = json->validate_full;
      instead.event_time = json->event_time;
      instead.watermark = json->watermark;
    } else if (auto const* made = std::get_if<Generate>(&transform.config)) {
      instead.event_time = EventTimeField{"ts", TimeUnit::ms};
      instead.watermark = made->watermark;
    } else {
      continue;
    }
    transform.config = std::move(instead);
  }
}

bool writes_to_stdout(Graph const& graph) {
  return std::any_of(graph.transforms.begin(), graph.transforms.end(), [](Transform const& t) {
    auto const* const json = std::get_if<WriteToJson>(&t.config);
    return json != nullptr && json->path == "-";
  });
}

CLI::Validator duration_check() {
  return {[](std::string const& text) {
            ReadDuration const read = read_duration(text);
            return read.value && read.value->us < 0 ? "must not be negative" : read.fault;
          },
          "DURATION"};
}

class Run final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb =
        app.add_subcommand("run", "run a pipeline until its input ends or it is stopped");
    verb->add_option("file", file_, "pipeline file, or - for stdin")->required();
    auto* const input =
        verb->add_option("--input", input_, "read this file (or glob, or -) instead");
    verb->add_flag("--until-eof", until_eof_,
                   "with --input: +inf is the watermark at its end, then exit")
        ->needs(input);
    verb->add_option("--state", state_,
                     "directory of the state: what is killed goes on from there, exactly");
    verb->add_flag("--take-over", take_over_,
                   "from a process that holds the state: it ends at its next batch");
    verb->add_flag("--force", force_, "also where the clock is behind what has been written");
    verb->add_option("--device", device_, device_option);
    verb->add_flag("--drain", drain_, "a stop fires all open windows, marked as drained");
    verb->add_option("--shutdown-limit", shutdown_limit_,
                     "longest time from SIGTERM or SIGINT to the end; then the process ends with "
                     "75, as after a crash")
        ->check(duration_check())
        ->capture_default_str();
    return verb;
  }

  int run(Invocation const& invocation) override {
    if (!input_.empty() && !until_eof_) {
      throw EnvironmentError("--input needs --until-eof: a file ends", exit_usage);
    }
    Invocation with = with_device(invocation, device_);
    if (!state_.empty()) {
      with.sets.push_back("state=" + state_);
    }
    LoadResult loaded = load_file(file_, with, LoadOptions::Purpose::run);
    print_findings(loaded.findings, invocation);
    if (!loaded.ok()) {
      return exit_invalid;
    }
    if (!input_.empty()) {
      check_input();
      read_instead(loaded.graph, input_);
    }
    if (take_over_ && loaded.graph.settings.state.empty()) {
      throw EnvironmentError("--take-over needs --state: it is the state that is taken over",
                             exit_usage);
    }
    StopSignals signals(read_duration(shutdown_limit_).value);
    LiveView view(invocation.quiet, writes_to_stdout(loaded.graph));
    ProgressText text;
    RunOptions options;
    options.file_name = file_;
    options.drain_on_stop = drain_;
    options.take_over = take_over_;
    options.force = force_;
    options.on_progress = [&](Progress const& progress) {
      if (view.due()) {
        view.show(text.lines(progress));
      }
    };
    if (loaded.graph.settings.state.empty() && !all_bounded(loaded.graph)) {
      spdlog::info(
          "no --state: after a crash nothing is known of this run; totals begin anew at "
          "start_from, and "
          "their newer versions outrank the rows that are out");
    }
    std::string const state = loaded.graph.settings.state;
    PipelineRun run(std::move(loaded.graph), std::move(options));
    auto const tell = [&](Summary const& summary, std::string const& how) {
      view.clear();
      if (invocation.json) {
        // stdout may hold results of the pipeline (path: "-"), of which this is the last line.
        fmt::print("{}", summary_json(summary));
      } else if (!invocation.quiet) {
        say(summary_text(summary) + how);
      }
    };
    RunEnd end{};
    try {
      end = run.run(signals.token());
    } catch (EnvironmentError const&) {
      if (run.is_between_batches()) {  // what was done until then is not lost
        tell(run.summary(), "ended by an error");
      }
      throw;
    }
    Summary const summary = run.summary();
    std::string const how = end == RunEnd::ended     ? "all input ended"
                            : end == RunEnd::drained ? "drained"
                                                     : "stopped";
    tell(summary, state.empty() ? how
                                : fmt::format("{}; the state is saved, and totals count from its "
                                              "first start: directory={}",
                                              how, state));
    if (!summary.broken_laws.empty()) {
      return exit_internal;
    }
    return summary.failures.empty() ? exit_ok : exit_differs;
  }
  [[nodiscard]] bool reads_pipelines() const override { return true; }

 private:
  // A word of the command line that names no file is found before anything starts.
  void check_input() const {
    if (input_ == "-") {
      return;
    }
    try {
      static_cast<void>(files_of(input_));
    } catch (EnvironmentError const& error) {
      throw EnvironmentError(fmt::format("--input: {}", error.what()), exit_usage);
    }
  }

  std::string file_, input_, state_, device_, shutdown_limit_ = "30s";
  bool until_eof_ = false, drain_ = false, take_over_ = false, force_ = false;
};

}  // namespace

std::unique_ptr<Verb> run_verb() { return std::make_unique<Run>(); }

}  // namespace windrow::cli
