// One pipeline from its graph to its end: builds the parts, drives the loop, keeps the state.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "host/cli/backends.hpp"
#include "host/cli/system_clock.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/state_directory.hpp"
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
  [[nodiscard]] bool is_between_batches() const { return pipeline_->is_between_batches(); }
  [[nodiscard]] Graph const& graph() const { return graph_; }

 private:
  class LogObserver;
  void build();
  RunEnd run_once(std::stop_token const& stop);
  bool recover();  // true if something was there
  void check_clock(std::int64_t last) const;
  void warn_of_lost_input(std::span<BatchPlan const> plans) const;
  RunEnd loop(std::stop_token const& stop, bool drain_now);
  void snapshot();
  void snapshot_if_due();
  [[nodiscard]] std::uint64_t bytes_read() const;
  void report();
  Graph graph_;
  RunOptions options_;
  SystemClock moving_clock_, clock_;
  Workers workers_;
  Backends backends_;
  std::unique_ptr<LogObserver> observer_;
  std::optional<StateDirectory> state_;
  std::unique_ptr<Pipeline> pipeline_;
  std::chrono::steady_clock::time_point reported_, snapshot_at_;
  std::uint64_t snapshot_bytes_ = 0;  // read until the last snapshot
  std::int64_t snapshot_batch_ = 0;
};

}  // namespace windrow::cli
