// The example pipelines, as files of this build and as running things.
#include "host/cli/demo_pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "host/cli/examples.hpp"
#include "host/cli/invocation.hpp"
#include "host/cli/pipeline_file.hpp"

namespace windrow::cli {
namespace {

// Without this 60 s of the stream, 0.2 s for people, would make a partition idle at any hiccup of
// the machine.
void keep_awake(std::optional<WatermarkSettings>& watermark, double rate) {
  if (watermark) {
    watermark->idle_timeout = Duration{static_cast<std::int64_t>(2'000'000 * std::max(rate, 30.0))};
  }
}

Graph example_graph(std::string const& file, DemoPlace const& place) {
  std::map<std::string, std::string, std::less<>> const values = {
      {"BOOTSTRAP_SERVERS", place.bootstrap_servers},
      {"TOPIC", place.topic},
      {"WINDROW_DB", place.database},
      {"WINDROW_BAD", place.bad_views}};
  LoadOptions options;
  options.purpose = LoadOptions::Purpose::run;
  options.environment = [&](std::string_view name) -> std::optional<std::string> {
    auto const found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
  LoadResult loaded = load(file, std::string(example(file)), options);
  if (!loaded.ok()) {
    print_findings(loaded.findings, Invocation{});
    throw EnvironmentError(fmt::format("demo: examples/{} must be valid", file), exit_internal);
  }
  loaded.graph.settings.clock_rate = place.rate;
  for (Transform& transform : loaded.graph.transforms) {
    if (auto* kafka = std::get_if<ReadFromKafka>(&transform.config)) {
      if (place.embedded) {
        // The mock broker lets a fetch that finds nothing sleep so long, whatever arrives.
        kafka->consumer_config.insert_or_assign("fetch.wait.max.ms", std::string("2"));
      }
      keep_awake(kafka->watermark, place.rate);
    } else if (auto* assign = std::get_if<AssignTimestamps>(&transform.config)) {
      keep_awake(assign->watermark, place.rate);
    }
  }
  return std::move(loaded.graph);
}

}  // namespace

DemoPipeline::DemoPipeline(std::string file, DemoPlace const& place) : file_(std::move(file)) {
  RunOptions options;
  options.drain_on_stop = true;
  options.log_pauses = false;  // the live view is drawn where they would go
  options.on_progress = [this](Progress const& progress) {
    std::lock_guard const lock(mutex_);
    progress_ = progress;
  };
  run_ = std::make_unique<PipelineRun>(example_graph(file_, place), std::move(options));
  thread_ = std::jthread([this] {
    try {
      run_->run(stop_.get_token());
    } catch (...) {
      failure_ = std::current_exception();
    }
    ended_ = true;
  });
}

DemoPipeline::~DemoPipeline() { stop_.request_stop(); }

Progress DemoPipeline::progress() const {
  std::lock_guard const lock(mutex_);
  return progress_;
}

void DemoPipeline::check() const {
  if (!ended_) {
    return;
  }
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  throw EnvironmentError(fmt::format("demo: {} ended before its input", file_), exit_internal);
}

Summary DemoPipeline::drain() {
  stop_.request_stop();
  thread_.join();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return run_->summary();
}

}  // namespace windrow::cli
