// One pipeline from its graph to its end.
#include "host/cli/pipeline_run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "host/cli/invocation.hpp"
#include "host/cli/parts.hpp"
#include "host/engine/graph_hash.hpp"

namespace windrow::cli {
namespace {

constexpr auto report_period = std::chrono::milliseconds(200);
constexpr auto pause_log_period = std::chrono::seconds(10);

unsigned threads_of(EngineSettings const& settings) {
  return settings.threads > 0 ? settings.threads
                              : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

class PipelineRun::LogObserver final : public Observer {
 public:
  LogObserver(Graph const& graph, RunOptions const& options)
      : graph_(graph), file_name_(options.file_name), log_pauses_(options.log_pauses) {}
  void on_log(LogForTesting::Level level, std::string_view text) override {
    spdlog::log(level == LogForTesting::Level::debug   ? spdlog::level::debug
                : level == LogForTesting::Level::error ? spdlog::level::err
                                                       : spdlog::level::info,
                "{}", text);
  }
  void on_warning(std::size_t transform, std::string_view code, std::string_view text) override {
    Transform const& at = graph_.transforms[transform];
    spdlog::warn("{}:{}:{}: warning[{}] '{}': {}", file_name_, at.at.line, at.at.column, code,
                 at.name, text);
  }
  // A busy sink makes the loop wait often and briefly: one line per pause_log_period says it.
  void on_pause(std::string_view reason) override {
    auto const now = std::chrono::steady_clock::now();
    if (reason.empty()) {
      if (told_) {
        spdlog::info("goes on");
      }
      told_ = false;
      return;
    }
    ++pauses_;
    if (!log_pauses_ || now - told_at_ < pause_log_period) {
      return;
    }
    spdlog::info("waits: {} (pauses so far: {})", reason, pauses_);
    told_ = true;
    told_at_ = now;
  }

 private:
  Graph const& graph_;
  std::string file_name_;
  bool log_pauses_, told_ = false;
  std::uint64_t pauses_ = 0;
  std::chrono::steady_clock::time_point told_at_;
};

PipelineRun::PipelineRun(Graph graph, RunOptions options)
    : graph_(std::move(graph)),
      options_(std::move(options)),
      moving_clock_(graph_.settings.clock_rate, false),
      clock_(graph_.settings.clock_rate, all_bounded(graph_) && !graph_.settings.batch_clock_wall),
      workers_(threads_of(graph_.settings)),
      backends_(graph_),
      observer_(std::make_unique<LogObserver>(graph_, options_)) {
  for (std::string const& line : backends_.lines()) {
    spdlog::info("{}", line);
  }
  PipelineParts parts{.graph = graph_,
                      .sources = make_sources(graph_, moving_clock_),
                      .sinks = make_sinks(graph_),
                      .make_aggregation =
                          [this](AggregationSpec const& spec, std::size_t transform) {
                            return backends_.make(spec, transform, workers_);
                          },
                      .clock = clock_,
                      .workers = workers_,
                      .observer = *observer_};
  pipeline_ = std::make_unique<Pipeline>(std::move(parts));
}

PipelineRun::~PipelineRun() = default;

void PipelineRun::report() {
  auto const now = std::chrono::steady_clock::now();
  if (options_.on_progress && now - reported_ >= report_period) {
    reported_ = now;
    options_.on_progress(pipeline_->progress());
  }
}

bool PipelineRun::restore_state() {
  EngineSettings const& settings = graph_.settings;
  if (settings.state.empty()) {
    return false;
  }
  state_.emplace(settings.state, settings.application_id, graph_hash(graph_));
  auto const snapshot = state_->open_snapshot();
  if (snapshot == nullptr) {
    return false;
  }
  pipeline_->restore(*snapshot);
  ProcessingTime const restored = pipeline_->progress().processing_time;
  clock_.start_at_least(restored);
  moving_clock_.start_at_least(restored);
  return true;
}

RunEnd PipelineRun::loop(std::stop_token const& stop, bool drain_now) {
  while (!stop.stop_requested() && !drain_now) {
    if (!pipeline_->step()) {
      return RunEnd::ended;
    }
    report();
  }
  if (!options_.drain_on_stop) {
    return RunEnd::stopped;
  }
  pipeline_->drain();
  return RunEnd::drained;
}

RunEnd PipelineRun::run(std::stop_token const& stop) {
  bool const restored = restore_state();
  if (state_) {
    state_->begin();
  }
  RunEnd end{};
  try {
    pipeline_->open();
    end = loop(stop, restored && options_.drain_on_stop);
    pipeline_->settle();
  } catch (EnvironmentError const&) {
    if (state_ && !pipeline_->has_run()) {
      state_->abandon();
    }
    throw;
  }
  if (state_) {
    Progress const progress = pipeline_->progress();
    state_->end(progress.batch_no, progress.pane_version, end == RunEnd::drained,
                [&](StateWriter& out) { pipeline_->snapshot(out); });
    pipeline_->committed();
  }
  return end;
}

Summary PipelineRun::summary() const { return pipeline_->summary(); }

}  // namespace windrow::cli
