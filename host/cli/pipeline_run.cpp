// One pipeline from its graph to its end.
#include "host/cli/pipeline_run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "host/cli/invocation.hpp"
#include "host/cli/parts.hpp"
#include "host/engine/crash_point.hpp"
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
  build();
}

void PipelineRun::build() {
  pipeline_.reset();
  state_.reset();
  EngineSettings const& settings = graph_.settings;
  if (!settings.state.empty()) {
    state_.emplace(settings.state, settings.application_id, graph_hash(graph_), options_.take_over);
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
                      .observer = *observer_,
                      .plan_log = state_ ? &*state_ : nullptr};
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

// connectors.md 1.6.  Sources and sinks are open behind it.
bool PipelineRun::recover() {
  if (!state_) {
    pipeline_->open();
    check_clock(0);
    return false;
  }
  auto const begin = std::chrono::steady_clock::now();
  Recovery recovery = state_->recover();
  for (std::string const& fault : recovery.damaged) {
    spdlog::warn("{}; an older snapshot serves in its place", fault);
  }
  std::int64_t last = 0;
  if (recovery.snapshot) {
    pipeline_->restore(*recovery.snapshot);
    last = recovery.snapshot->head().pane_version;
    snapshot_batch_ = recovery.snapshot->head().batch_no;
  }
  std::vector<BatchPlan> plans;
  for (RecordedPlan& recorded : recovery.plans) {
    last = recorded.plan.pane_version;
    plans.push_back(std::move(recorded.plan));
  }
  pipeline_->open();
  check_clock(last);
  bool const found = recovery.snapshot != nullptr || !plans.empty();
  if (!found) {  // what the sources found at the very start is what plans refer to
    snapshot();
    return false;
  }
  warn_of_lost_input(plans);
  std::uint64_t const before = bytes_read();

  pipeline_->replay(plans, [this] { report(); });
  snapshot_bytes_ = before;
  snapshot_at_ = begin;
  ProcessingTime const restored = pipeline_->progress().processing_time;
  if (pipeline_->progress().batch_no > 0) {
    clock_.start_at_least(restored);
    moving_clock_.start_at_least(restored);
  }
  auto const took = std::chrono::steady_clock::now() - begin;
  spdlog::info(
      "state: goes on: snapshot={} bytes={} plans={} read_again={} seconds={:.3f} directory={}",
      snapshot_batch_, recovery.snapshot ? recovery.snapshot->bytes() : 0, plans.size(),
      bytes_read() - before, std::chrono::duration<double>(took).count(), graph_.settings.state);
  return true;
}

// connectors.md 1.7: with an earlier clock every row would be superseded, silently.
void PipelineRun::check_clock(std::int64_t last) const {
  if (options_.force) {
    return;
  }
  std::int64_t const now = machine_hands().wall_us();
  auto const refuse = [now](std::string const& where, std::int64_t version) {
    throw EnvironmentError(
        fmt::format("run: the clock is behind what has been written; set it, or go on with "
                    "--force, and what is written then loses to what is there: {} has "
                    "pane_version={} now={}",
                    where, version, now),
        exit_invalid);
  };
  if (last > now) {
    refuse("the state", last);
  }
  for (SinkProgress const& sink : pipeline_->progress().sinks) {
    if (sink.last_version > std::max(now, last)) {
      refuse("sink '" + sink.name + "'", sink.last_version);
    }
  }
}

void PipelineRun::warn_of_lost_input(std::span<BatchPlan const> plans) const {
  std::vector<SourceProgress> const sources = pipeline_->progress().sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto const brings = [i](BatchPlan const& plan) {
      return std::any_of(plan.ranges.at(i).begin(), plan.ranges.at(i).end(),
                         [](Range const& range) { return range.from < range.to; });
    };
    if (!sources[i].replayable && std::any_of(plans.begin(), plans.end(), brings)) {
      spdlog::warn(
          "state: input that cannot be read again is lost, all that came since the last "
          "snapshot: source={}",
          sources[i].name);
    }
  }
}

std::uint64_t PipelineRun::bytes_read() const {
  std::uint64_t bytes = 0;
  for (SourceProgress const& source : pipeline_->progress().sources) {
    bytes += source.bytes;
  }
  return bytes;
}

// All that earlier batches gave is acknowledged before their plans may go (1.5).
void PipelineRun::snapshot() {
  pipeline_->settle();
  Progress const progress = pipeline_->progress();
  state_->publish(progress.batch_no, progress.pane_version, pipeline_->is_drained(),
                  [&](StateWriter& out) { pipeline_->snapshot(out); });
  pipeline_->committed();
  WINDROW_CRASH_POINT("offsets.committed");
  snapshot_at_ = std::chrono::steady_clock::now();
  snapshot_bytes_ = bytes_read();
  snapshot_batch_ = progress.batch_no;
}

void PipelineRun::snapshot_if_due() {
  if (!state_ || pipeline_->batch_no() == snapshot_batch_) {
    return;
  }
  EngineSettings const& settings = graph_.settings;
  auto const since = std::chrono::steady_clock::now() - snapshot_at_;
  if (since < std::chrono::microseconds(settings.snapshot_interval.us) &&
      bytes_read() - snapshot_bytes_ < settings.snapshot_bytes) {
    return;
  }
  try {
    snapshot();
  } catch (DiskFullError const& error) {  // plans go on to keep what is newer
    spdlog::warn("no snapshot this time: {}", error.what());
    snapshot_at_ = std::chrono::steady_clock::now();
    snapshot_bytes_ = bytes_read();
  }
}

RunEnd PipelineRun::loop(std::stop_token const& stop, bool drain_now) {
  if (pipeline_->is_drained()) {  // a crash came between a drain and its snapshot
    return RunEnd::drained;
  }
  while (!stop.stop_requested() && !drain_now) {
    if (!pipeline_->step()) {
      return RunEnd::ended;
    }
    snapshot_if_due();
    report();
  }
  if (!options_.drain_on_stop) {
    return RunEnd::stopped;
  }
  pipeline_->drain();
  return RunEnd::drained;
}

RunEnd PipelineRun::run_once(std::stop_token const& stop) {
  bool const restored = recover();
  RunEnd const end = loop(stop, restored && options_.drain_on_stop);
  pipeline_->settle();
  if (state_) {
    snapshot();
  }
  return end;
}

RunEnd PipelineRun::run(std::stop_token const& stop) {
  while (true) {
    try {
      return run_once(stop);
    } catch (PlanTakenError const& error) {  // nothing of the batch in hand has left
      spdlog::warn("{}", error.what());
      build();
    }
  }
}

Summary PipelineRun::summary() const { return pipeline_->summary(); }

}  // namespace windrow::cli
