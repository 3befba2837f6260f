// A copy of a state that a start can go on from, taken while a run may hold the state.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace windrow {

//   snapshot  its batch; none where the state has none
//   damaged   a text for each newer snapshot that does not verify
struct StateCopy {
  std::optional<std::int64_t> snapshot;
  std::size_t plans = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> damaged;
};

// The newest snapshot that verifies, the plans above it, and LOCK, into `out`, which is made or is
// empty.  Durable when it returns; LOCK comes last, so that a copy without it is not whole.
// EnvironmentError: 64 `out` is not empty; 74 and 78 as `find_recovery`, or nothing is there yet.
[[nodiscard]] StateCopy copy_state(std::filesystem::path const& directory,
                                   std::filesystem::path const& out);

}  // namespace windrow
