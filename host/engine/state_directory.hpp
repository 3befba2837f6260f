// The directory that makes a crash invisible (connectors.md 1): plans before they have effects,
// snapshots, and who owns both.
#pragma once
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>

#include "host/engine/state_files.hpp"

namespace windrow {

// Another process made the plan that was to be made.  Nothing of the batch in hand has left this
// one: it recovers anew and runs that plan.
class PlanTakenError : public EnvironmentError {
 public:
  using EnvironmentError::EnvironmentError;
};

//   <dir>/LOCK                 StateOwner with a checksum
//   <dir>/plan/<batch_no>      a BatchPlan, created once, never rewritten
//   <dir>/snapshot/<batch_no>  the state after that batch; the newest two
//
// Order of use: the constructor, `recover`, then `record` before each batch and `publish` between
// two, once all that earlier batches gave is acknowledged.  A process that is stopped anywhere
// leaves a state that `recover` goes on from.
class StateDirectory final : public PlanLog {
 public:
  // Creates the directory if need be, holds it against other processes until destruction and
  // writes the next epoch into LOCK.  With `take_over` another process may hold it: it ends at its
  // next plan.  EnvironmentError: 75 another process holds it; 74 damage; 78 it belongs to another
  // application.
  StateDirectory(std::filesystem::path directory, std::string application_id, GraphParts graph,
                 bool take_over = false);
  ~StateDirectory() override;
  StateDirectory(StateDirectory const&) = delete;  // owns the lock
  StateDirectory& operator=(StateDirectory const&) = delete;

  // EnvironmentError: 78 it is of another graph, or was drained (R71); 74 a plan is missing or
  // damaged, or no snapshot verifies.
  [[nodiscard]] Recovery recover();
  void record(BatchPlan const& plan) override;
  // `write` fills the snapshot of the state after that batch.  Then older snapshots go, and the
  // plans that none of those kept needs.
  void publish(std::int64_t batch_no, std::int64_t pane_version, bool drained,
               std::function<void(StateWriter&)> const& write);

 private:
  bool hold();  // false: another process does
  void become_owner();
  void check_owner() const;
  void prune();

  std::filesystem::path directory_;
  GraphParts graph_;
  std::uint64_t graph_hash_;
  int descriptor_ = -1;
  bool held_ = false;
  StateOwner owner_;
  std::deque<std::int64_t> kept_;  // snapshots that verify, ascending
};

}  // namespace windrow
