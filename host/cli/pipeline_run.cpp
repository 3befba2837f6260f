// One pipeline file: its parts, its clocks, its log.
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
  EngineSettings const& settings = graph_.settings;
  RunHooks hooks;
  hooks.make_pipeline = [this](PlanLog* log) { return make_pipeline(log); };
  hooks.on_restored = [this](ProcessingTime restored) {
    clock_.start_at_least(restored);
    moving_clock_.start_at_least(restored);
  };
  hooks.on_step = [this] { report(); };
  hooks.tell = [](std::string const& line, bool warning) {
    spdlog::log(warning ? spdlog::level::warn : spdlog::level::info, "{}", line);
  };
  run_.emplace(RunSettings{.state = settings.state,
                           .application_id = settings.application_id,
                           .graph = graph_parts(graph_),
                           .snapshot_bytes = settings.snapshot_bytes,
                           .snapshot_interval = settings.snapshot_interval,
                           .drain_on_stop = options_.drain_on_stop,
                           .take_over = options_.take_over,
                           .force = options_.force},
               std::move(hooks), clock_);
}

std::unique_ptr<Pipeline> PipelineRun::make_pipeline(PlanLog* log) {
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
                      .plan_log = log};
  return std::make_unique<Pipeline>(std::move(parts));
}

void PipelineRun::report() {
  auto const now = std::chrono::steady_clock::now();
  if (options_.on_progress && now - reported_ >= report_period) {
    reported_ = now;
    options_.on_progress(run_->pipeline().progress());
  }
}

PipelineRun::~PipelineRun() = default;
RunEnd PipelineRun::run(std::stop_token const& stop) { return run_->run(stop); }
Summary PipelineRun::summary() const { return run_->pipeline().summary(); }
bool PipelineRun::is_between_batches() const { return run_->pipeline().is_between_batches(); }

}  // namespace windrow::cli
