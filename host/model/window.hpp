// Windows and slices: which windows hold a time, and the intervals between neighbouring window edges.
// Rules: semantics.md 1 (slices) and R5-R10.
#pragma once
#include <compare>
#include <cstdint>

#include "host/model/time.hpp"

namespace windrow {

// Half-open interval [start, end).
struct Window {
  EventTime start, end;
  auto operator<=>(Window const&) const = default;
};
// last(w) = e - 1 us: the latest stamp a row of the window can have.
WINDROW_HOST_DEVICE constexpr EventTime last_of(Window w) noexcept {
  return EventTime{w.end.us - 1};
}

enum class WindowKind : std::uint8_t { global, fixed, sliding, sessions, given };

// Says which windows hold a time.  fixed: period == size.  Unused fields are 0.
struct WindowFn {
  WindowKind kind = WindowKind::global;
  std::int64_t size_us = 0, period_us = 0, offset_us = 0, gap_us = 0;
  bool operator==(WindowFn const&) const = default;
};

}  // namespace windrow
