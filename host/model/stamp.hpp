// From what people write as a time to an EventTime: rule R4, once for sources, row transforms and
// plans.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "host/model/time.hpp"

namespace windrow {

enum class TimeUnit : std::uint8_t { s, ms, us, ns, rfc3339 };

// Each gives nothing when the value is no time or not a valid event time (R1): `bad_timestamp`.

// Integers: floor toward -inf.  (-1, ns) is -1 us.  `rfc3339` takes text only.  Inline and in 64
// bits, since it is done per row of a source.
[[nodiscard]] constexpr std::optional<EventTime> stamp_of(std::int64_t value, TimeUnit unit) {
  EventTime at{value};
  bool beyond = unit == TimeUnit::rfc3339;
  if (unit == TimeUnit::ns) {
    at.us = floor_div(value, 1'000);
  } else if (unit == TimeUnit::ms || unit == TimeUnit::s) {
    beyond = __builtin_mul_overflow(value, unit == TimeUnit::ms ? 1'000 : 1'000'000, &at.us);
  }
  return !beyond && is_valid(at) ? std::optional(at) : std::nullopt;
}

// Binary numbers: the nearest us of the exact product, ties up (toward +inf).  (1763794800.123, s)
// is 1763794800123000 us, although the double lies a little beside it.  NaN and infinities are no
// times.
[[nodiscard]] std::optional<EventTime> stamp_of(double value, TimeUnit unit);

// Decimal text `[+-]digits[.digits]`, any number of digits: floor toward -inf.  ("1.9999999", s) is
// 1999999 us, ("-0.0000001", s) is -1 us.  With `rfc3339` the text is YYYY-MM-DDThh:mm:ss[.digits]
// and Z or +hh:mm; the letters may be small, T a space, digits below 1 us are cut; second 60 is
// taken at 23:59:60 UTC only and is the next day's first second.
[[nodiscard]] std::optional<EventTime> stamp_of(std::string_view text, TimeUnit unit);

}  // namespace windrow
