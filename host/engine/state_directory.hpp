// The directory that keeps a pipeline's state over a clean stop (connectors.md 1, first version).
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "host/engine/snapshot_file.hpp"

namespace windrow {

//   <dir>/LOCK                what the last process said: application id, epoch, writer, in use or
//   not,
//                             and the snapshot of its clean stop; a checksum
//   <dir>/snapshot/<batch_no> the state after that batch; one file, the latest
//
// A process that runs marks the directory in use; a clean stop publishes its snapshot, then clears
// the mark.  Without plans neither a crash nor a run that failed can be undone: rows after the
// snapshot may be out, so a start that finds the mark without its process refuses.  Order of use:
// constructor, `open_snapshot`, `begin` before the first batch, `end` after the last.
class StateDirectory {
 public:
  // Creates the directory if need be and holds it against other processes until destruction.
  // EnvironmentError: 75 another process holds it; 74 damage, a crash (the mark), a snapshot
  // missing; 78 it belongs to another application, to another graph, or was drained (R71).
  StateDirectory(std::filesystem::path directory, std::string application_id,
                 std::uint64_t graph_hash);
  ~StateDirectory();
  StateDirectory(StateDirectory const&) = delete;  // owns the lock
  StateDirectory& operator=(StateDirectory const&) = delete;
  // What the last clean stop left; none if nothing ran here.
  [[nodiscard]] std::unique_ptr<SnapshotFileReader> open_snapshot() const;
  // Marks the directory in use, durably.
  void begin();
  // Nothing left this run: the mark is cleared, and the last snapshot is as exact as before.
  void abandon();
  // A clean stop: `write` fills the snapshot, which is published, older ones go, the mark is
  // cleared.
  void end(std::int64_t batch_no, std::int64_t pane_version, bool drained,
           std::function<void(StateWriter&)> const& write);

 private:
  struct Lock {
    std::string application_id, writer;
    std::uint64_t epoch = 0;
    bool in_use = false;
    std::optional<std::int64_t> snapshot;
  };
  [[nodiscard]] std::optional<Lock> read_lock() const;
  void write_lock() const;
  [[nodiscard]] std::filesystem::path snapshot_path(std::int64_t batch_no) const;
  void remove_snapshots_but(std::optional<std::int64_t> kept) const;

  std::filesystem::path directory_;
  std::uint64_t graph_hash_;
  int held_ = -1;
  Lock lock_;
};

}  // namespace windrow
