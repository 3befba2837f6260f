// Times and durations: signed microseconds since 1970-01-01 UTC, and the arithmetic that never
// wraps. Rules: semantics.md R1-R4, R6, R7.
#pragma once
#include <compare>
#include <cstdint>

#include "host/model/portable.hpp"

namespace windrow {

struct EventTime {
  std::int64_t us = 0;
  auto operator<=>(EventTime const&) const = default;
};
struct Duration {
  std::int64_t us = 0;
  auto operator<=>(Duration const&) const = default;
};
struct ProcessingTime {
  std::int64_t us = 0;
  auto operator<=>(ProcessingTime const&) const = default;
};
// A time that only grows: no row with an earlier stamp is expected any more.
using Watermark = EventTime;

// R1: Beam's limits x 1000.  T_MIN means -inf, T_MAX means +inf (R2); T_END is a day before T_MAX,
// so that everything ends before +inf.  An event time is valid iff T_MIN <= t < T_END.
inline constexpr EventTime T_MIN{-9223372036854775000};
inline constexpr EventTime T_MAX{9223372036854775000};
inline constexpr EventTime T_END{9223371950454775000};

WINDROW_HOST_DEVICE constexpr bool is_valid(EventTime t) noexcept {
  return T_MIN.us <= t.us && t.us < T_END.us;
}

// Quotient rounded toward negative infinity, so that slices tile time before 1970 as well.
// Requires width > 0.  floor_div(-25, 10) == -3, where C++ `/` gives -2.
WINDROW_HOST_DEVICE constexpr std::int64_t floor_div(std::int64_t value,
                                                     std::int64_t width) noexcept {
  return value / width - static_cast<std::int64_t>(value % width < 0);
}
// The rest of `floor_div`, in [0, width).  floor_mod(-25, 10) == 5.
WINDROW_HOST_DEVICE constexpr std::int64_t floor_mod(std::int64_t value,
                                                     std::int64_t width) noexcept {
  std::int64_t const rest = value % width;
  return rest < 0 ? rest + width : rest;
}

// a + b, held at the ends of int64 instead of wrapping.
WINDROW_HOST_DEVICE constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
  if (b > 0 && a > INT64_MAX - b) {
    return INT64_MAX;
  }
  if (b < 0 && a < INT64_MIN - b) {
    return INT64_MIN;
  }
  return a + b;
}
// Holds t inside [T_MIN, T_END], where every window edge lies (R6).
WINDROW_HOST_DEVICE constexpr EventTime clip(std::int64_t us) noexcept {
  return EventTime{us < T_MIN.us ? T_MIN.us : us > T_END.us ? T_END.us : us};
}

// X(w) = min(e + L, T_END), without overflow.  A (row, window) pair is droppable iff W >= X(w)
// (R19).
WINDROW_HOST_DEVICE constexpr EventTime expiry(EventTime end, Duration lateness) noexcept {
  return end.us > T_END.us - lateness.us ? T_END : EventTime{end.us + lateness.us};
}

}  // namespace windrow
