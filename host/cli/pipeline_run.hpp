// One pipeline file run: its parts, clocks and log around engine/durable_run.hpp.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "host/cli/backends.hpp"
#include "host/cli/system_clock.hpp"
#include "host/engine/durable_run.hpp"
#include "host/engine/workers.hpp"

namespace windrow::cli {

//   file_name      of the pipeline file, for warnings
//   drain_on_stop  R71 instead of R70; a state that was saved before is restored and drained at
//   once on_progress    called about five times a second, on the loop's thread log_pauses     tell
//   the log when the loop waits for a sink or for memory take_over      of a state that another
//   process holds force          also where the clock is behind what has been written
struct RunOptions {
  std::string file_name{};
  bool drain_on_stop = false;
  std::function<void(Progress const&)> on_progress;
  bool log_pauses = true, take_over = false, force = false;
};

class PipelineRun {
 public:
  PipelineRun(Graph graph, RunOptions options);
  ~PipelineRun();
  PipelineRun(PipelineRun const&) = delete;  // owns a pipeline
  PipelineRun& operator=(PipelineRun const&) = delete;
  // Until the input ends or `stop` is asked.  Where the settings name a directory for the state, it
  // recovers first and leaves a snapshot at the end.  EnvironmentError as operations.md 1 says.
  RunEnd run(std::stop_token const& stop);
  [[nodiscard]] Summary summary() const;
  // False after a run that failed within a batch: then `summary` counts parts of it.
  [[nodiscard]] bool is_between_batches() const;
  [[nodiscard]] Graph const& graph() const { return graph_; }

 private:
  class LogObserver;
  [[nodiscard]] std::unique_ptr<Pipeline> make_pipeline(PlanLog* log);
  void report();
  Graph graph_;
  RunOptions options_;
  SystemClock moving_clock_, clock_;
  Workers workers_;
  Backends backends_;
  std::unique_ptr<LogObserver> observer_;
  std::optional<DurableRun> run_;
  std::chrono::steady_clock::time_point reported_;
};

}  // namespace windrow::cli
