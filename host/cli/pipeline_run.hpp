// One pipeline from its graph to its end: builds the parts, drives the loop, keeps the state.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "host/cli/system_clock.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/workers.hpp"

namespace windrow::cli {

//   drain_on_stop  R71 instead of R70
//   on_progress    called about five times a second, on the loop's thread
struct RunOptions {
  bool drain_on_stop = false;
  std::function<void(Progress const&)> on_progress;
};

class PipelineRun {
 public:
  PipelineRun(Graph graph, RunOptions options);
  ~PipelineRun();
  PipelineRun(PipelineRun const&) = delete;  // owns a pipeline
  PipelineRun& operator=(PipelineRun const&) = delete;
  // Until the input ends or `stop` is asked; EnvironmentError as operations.md 1 says.
  RunEnd run(std::stop_token const& stop);
  [[nodiscard]] Summary summary() const;
  [[nodiscard]] Graph const& graph() const { return graph_; }

 private:
  class LogObserver;
  void report();
  Graph graph_;
  RunOptions options_;
  SystemClock moving_clock_, clock_;
  Workers workers_;
  std::unique_ptr<LogObserver> observer_;
  std::unique_ptr<Pipeline> pipeline_;
  std::chrono::steady_clock::time_point reported_;
};

}  // namespace windrow::cli
