// A pipeline and its state: recovery, the loop, snapshots (connectors.md 1.4-1.7).
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "host/engine/pipeline.hpp"
#include "host/engine/state_directory.hpp"

namespace windrow {

//   state             directory; empty: none, and a crash loses all
//   snapshot_bytes, snapshot_interval  input and real time between two snapshots
//   drain_on_stop     R71 instead of R70; a state that was saved before is restored and drained
//                     at once
//   take_over         of a state that another process holds
//   force             also where the clock is behind what has been written
struct RunSettings {
  std::filesystem::path state;
  std::string application_id;
  GraphParts graph;
  std::uint64_t snapshot_bytes = 0;
  Duration snapshot_interval;
  bool drain_on_stop = false, take_over = false, force = false;
};

//   make_pipeline  builds one that has not been opened; called again where a recovery begins anew
//   on_restored    P of the restored state: clocks go on from there
//   on_step        after each batch, replayed ones too
//   tell           a line for people
struct RunHooks {
  std::function<std::unique_ptr<Pipeline>(PlanLog*)> make_pipeline;
  std::function<void(ProcessingTime)> on_restored;
  std::function<void()> on_step;
  std::function<void(std::string const& line, bool warning)> tell;
};

class DurableRun {
 public:
  // EnvironmentError as StateDirectory's constructor.  `clock` gives real time; it outlives this.
  DurableRun(RunSettings settings, RunHooks hooks, Clock& clock);
  // Recovers, then steps until the input ends or `stop` is asked, and leaves a snapshot.
  // EnvironmentError as operations.md 1 says; the state stays one that another run goes on from.
  RunEnd run(std::stop_token const& stop);
  [[nodiscard]] Pipeline& pipeline() { return *pipeline_; }
  [[nodiscard]] Pipeline const& pipeline() const { return *pipeline_; }

 private:
  void build();
  RunEnd run_once(std::stop_token const& stop);
  bool recover();  // true if something was there
  void check_clock(std::int64_t last) const;
  void warn_of_lost_input(std::span<BatchPlan const> plans) const;
  RunEnd loop(std::stop_token const& stop, bool drain_now);
  void snapshot();
  void snapshot_if_due();
  void note_snapshot();

  RunSettings settings_;
  RunHooks hooks_;
  Clock& clock_;
  std::optional<StateDirectory> state_;
  std::unique_ptr<Pipeline> pipeline_;
  // Of the last snapshot: real time, bytes read until then, its batch.
  std::int64_t snapshot_us_ = 0, snapshot_batch_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
};

}  // namespace windrow
