// Windows and slices: which windows hold a time, and the intervals between neighbouring window
// edges. Rules: semantics.md 1 (slices) and R5-R10.
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

// Closed interval of indexes; empty iff first > last.
struct IndexRange {
  std::int64_t first = 0, last = -1;
  [[nodiscard]] WINDROW_HOST_DEVICE constexpr std::int64_t count() const noexcept {
    return first > last ? 0 : last - first + 1;
  }
  bool operator==(IndexRange const&) const = default;
};

// Index of the slice that holds `t`, of global (always 0), fixed and sliding windows.  A period has
// two window edges, at offset and offset + size, or one where they coincide.
WINDROW_HOST_DEVICE constexpr std::int64_t slice_of(WindowFn const& fn, EventTime t) noexcept {
  if (fn.kind == WindowKind::global) {
    return 0;
  }
  std::int64_t const from_edge = floor_mod(t.us, fn.period_us) - fn.offset_us;  // t - offset
  std::int64_t const back = from_edge < 0 ? 1 : 0;                              // may wrap (R6)
  std::int64_t const period = floor_div(t.us, fn.period_us) - back;
  std::int64_t const rest = floor_mod(fn.size_us, fn.period_us);
  if (rest == 0) {
    return period;
  }
  return 2 * period + (from_edge + back * fn.period_us >= rest ? 1 : 0);
}

// Windows that contain a slice; empty between windows (period > size).
WINDROW_HOST_DEVICE constexpr IndexRange windows_of_slice(WindowFn const& fn,
                                                          std::int64_t slice) noexcept {
  if (fn.kind == WindowKind::global) {
    return {0, 0};
  }
  std::int64_t const whole = floor_div(fn.size_us, fn.period_us);
  if (floor_mod(fn.size_us, fn.period_us) == 0) {
    return {slice - whole + 1, slice};
  }
  std::int64_t const last = floor_div(slice, 2);
  return {last - whole + floor_mod(slice, 2), last};
}

// Slices that make up a window.
WINDROW_HOST_DEVICE constexpr IndexRange slices_of_window(WindowFn const& fn,
                                                          std::int64_t window) noexcept {
  if (fn.kind == WindowKind::global) {
    return {0, 0};
  }
  std::int64_t const whole = floor_div(fn.size_us, fn.period_us);
  if (floor_mod(fn.size_us, fn.period_us) == 0) {
    return {window, window + whole - 1};
  }
  return {2 * window, 2 * (window + whole)};
}

// Windows of R5, R8 and R10 that hold `t`; with period > size maybe none.
WINDROW_HOST_DEVICE constexpr IndexRange windows_of(WindowFn const& fn, EventTime t) noexcept {
  return windows_of_slice(fn, slice_of(fn, t));
}

// Window number `index` of global, fixed and sliding windows, clipped to [T_MIN, T_END] (R6).
WINDROW_HOST_DEVICE constexpr Window window_at(WindowFn const& fn, std::int64_t index) noexcept {
  if (fn.kind == WindowKind::global) {
    return {T_MIN, T_END};
  }
  __extension__ using Wide = __int128;  // index * period leaves int64 by up to one period (R6)
  Wide const start = static_cast<Wide>(index) * fn.period_us + fn.offset_us;
  Wide const end = start + fn.size_us;
  Window window{T_MIN, T_END};
  if (start > T_MIN.us) {
    window.start.us = static_cast<std::int64_t>(start);
  }
  if (end < T_END.us) {
    window.end.us = static_cast<std::int64_t>(end);
  }
  return window;
}

// The window with which a row of a sessions step starts (R9).
WINDROW_HOST_DEVICE constexpr Window proto_window(WindowFn const& fn, EventTime t) noexcept {
  return {t, clip(saturating_add(t.us, fn.gap_us))};
}

}  // namespace windrow
