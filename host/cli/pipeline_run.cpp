// One pipeline from its graph to its end.
#include "host/cli/pipeline_run.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "host/cli/invocation.hpp"
#include "host/cli/parts.hpp"
#include "host/cpu/cpu_aggregation.hpp"

namespace windrow::cli {
namespace {

constexpr auto report_period = std::chrono::milliseconds(200);

unsigned threads_of(EngineSettings const& settings) {
  return settings.threads > 0 ? settings.threads
                              : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

class PipelineRun::LogObserver final : public Observer {
 public:
  void on_log(LogForTesting::Level level, std::string_view text) override {
    spdlog::log(level == LogForTesting::Level::debug   ? spdlog::level::debug
                : level == LogForTesting::Level::error ? spdlog::level::err
                                                       : spdlog::level::info,
                "{}", text);
  }
  void on_pause(std::string_view reason) override {
    if (reason.empty()) {
      spdlog::info("goes on");
    } else {
      spdlog::warn("waits: {}", reason);
    }
  }
};

PipelineRun::PipelineRun(Graph graph, RunOptions options)
    : graph_(std::move(graph)),
      options_(std::move(options)),
      moving_clock_(graph_.settings.clock_rate, false),
      clock_(graph_.settings.clock_rate, all_bounded(graph_) && !graph_.settings.batch_clock_wall),
      workers_(threads_of(graph_.settings)),
      observer_(std::make_unique<LogObserver>()) {
  PipelineParts parts{
      .graph = graph_,
      .sources = make_sources(graph_, moving_clock_),
      .sinks = make_sinks(graph_),
      .make_aggregation = [this](AggregationSpec const& spec) -> std::unique_ptr<Aggregation> {
        return make_cpu_aggregation(spec, workers_);
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

RunEnd PipelineRun::run(std::stop_token const& stop) {
  pipeline_->open();
  RunEnd end = RunEnd::ended;
  for (;;) {
    if (stop.stop_requested()) {
      end = options_.drain_on_stop ? RunEnd::drained : RunEnd::stopped;
      break;
    }
    if (!pipeline_->step()) {
      break;
    }
    report();
  }
  if (end == RunEnd::drained) {
    pipeline_->drain();
  }
  pipeline_->settle();
  return end;
}

Summary PipelineRun::summary() const { return pipeline_->summary(); }

}  // namespace windrow::cli
