// What is in a state directory, for those who start from it and those who only look (connectors.md
// 1.1, 1.6).  All but `write_owner` change nothing and need no lock.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/engine/plan_file.hpp"
#include "host/engine/snapshot_file.hpp"

namespace windrow {

// LOCK: whose state it is, and which process start has it.
struct StateOwner {
  std::string application_id, writer;
  std::uint64_t epoch = 0;
};

// What a start goes on from: the newest snapshot that verifies, none at the very beginning, and the
// plans above it, dense.
//   damaged  a text for each newer snapshot that does not verify
struct Recovery {
  std::unique_ptr<SnapshotFileReader> snapshot;
  std::vector<RecordedPlan> plans;
  std::vector<std::string> damaged;
};

// DamageError for a LOCK that does not verify; nothing where there is none.
[[nodiscard]] std::optional<StateOwner> read_owner(std::filesystem::path const& directory);
void write_owner(std::filesystem::path const& directory, StateOwner const& owner);

// `kind`: "snapshot" or "plan".
[[nodiscard]] std::filesystem::path state_file(std::filesystem::path const& directory,
                                               char const* kind, std::int64_t batch_no);
// Throw DamageError also where the number inside differs from the name.
[[nodiscard]] std::unique_ptr<SnapshotFileReader> open_snapshot(
    std::filesystem::path const& directory, std::int64_t batch_no);
[[nodiscard]] RecordedPlan open_plan(std::filesystem::path const& directory, std::int64_t batch_no);

// The newest that verifies, drained or not; DamageError where none does, EnvironmentError 74 where
// there is none.
[[nodiscard]] std::unique_ptr<SnapshotFileReader> newest_snapshot(
    std::filesystem::path const& directory);
// EnvironmentError: 78 it was drained (R71); 74 a plan is missing or damaged, or no snapshot
// verifies.
[[nodiscard]] Recovery find_recovery(std::filesystem::path const& directory);

}  // namespace windrow
