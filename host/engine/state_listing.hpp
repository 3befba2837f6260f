// A look at a state directory that a run may hold: it takes no lock and changes nothing.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/engine/state_files.hpp"

namespace windrow {

//   head   of a snapshot that verifies
//   fault  of one that does not
struct SnapshotFacts {
  std::int64_t batch_no = 0;
  std::uint64_t bytes = 0;
  SnapshotHead head;
  std::string fault;
};

//   held_by    the process that holds it, if one of this machine does
//   gaps       first and last plan of each
//   next_start what one would do; next_exit: 0, or with what it would refuse
struct StateListing {
  std::optional<StateOwner> owner;
  std::string owner_fault;
  std::optional<std::int64_t> held_by;
  std::vector<SnapshotFacts> snapshots;
  std::vector<std::int64_t> plans;
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps;
  std::string next_start;
  int next_exit = 0;
};

// EnvironmentError 74 where the directory is none, is no state or cannot be read.
void check_is_state(std::filesystem::path const& directory);
[[nodiscard]] StateListing list_state(std::filesystem::path const& directory);

// What does not verify: LOCK, snapshots, plans, and plans that are missing between the first and
// the last, or above the newest snapshot.
struct StateVerdict {
  std::size_t snapshots = 0, plans = 0;
  std::vector<std::string> faults;
};
[[nodiscard]] StateVerdict verify_state(std::filesystem::path const& directory);

// `look` reads files that a run which publishes may remove: it is asked again where that happened.
template <class Look>
[[nodiscard]] auto undisturbed(std::filesystem::path const& directory, Look const& look) {
  // Files go after others have come, and plans in order.
  auto const marks = [&directory] {
    std::vector<std::int64_t> const plans = numbers_in(directory / "plan");
    return std::pair(numbers_in(directory / "snapshot"), plans.empty() ? 0 : plans.front());
  };
  constexpr int looks_max = 10;
  for (int looks = 1;; ++looks) {
    auto const before = marks();
    try {
      auto out = look();
      if (looks == looks_max || marks() == before) {
        return out;
      }
    } catch (EnvironmentError const&) {
      if (looks == looks_max || marks() == before) {
        throw;
      }
    }
  }
}

}  // namespace windrow
