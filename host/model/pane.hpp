// What a pane says of itself: which firing of its (key, window) it is.  Rules: semantics.md
// R29-R39.
#pragma once
#include <cstdint>
#include <string_view>

#include "host/model/time.hpp"

namespace windrow {

enum class PaneTiming : std::uint8_t { early, on_time, late, unknown };
// As Beam names it, in rows and transcripts.
[[nodiscard]] constexpr std::string_view timing_name(PaneTiming timing) noexcept {
  constexpr std::string_view names[] = {"EARLY", "ON_TIME", "LATE", "UNKNOWN"};
  return names[static_cast<std::uint8_t>(timing)];
}

// `index` counts emitted panes of the window from 0, `nonspeculative_index` those that are not
// EARLY (-1 for EARLY).  A row that no step produced is {unknown, true, true, 0, 0} (R31).
struct PaneInfo {
  PaneTiming timing = PaneTiming::unknown;
  bool first = true, last = true;
  std::uint32_t index = 0;
  std::int32_t nonspeculative_index = 0;
  bool operator==(PaneInfo const&) const = default;
};

enum class OnTime : std::uint8_t { fire_always, fire_if_nonempty };
enum class Closing : std::uint8_t { emit_if_nonempty, emit_always };
enum class TimestampCombiner : std::uint8_t { end_of_window, earliest, latest };

}  // namespace windrow
