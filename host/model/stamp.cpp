// Exact conversions of integers, doubles and text to microseconds (semantics.md R1, R4).
#include "host/model/stamp.hpp"

#include <chrono>
#include <cmath>

namespace windrow {
namespace {

__extension__ using Wide = __int128;

// A unit is mul / div microseconds; one of the two is 1.
struct Scale {
  std::int64_t mul = 1, div = 1;
};
constexpr Scale scale_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::s:
      return {1'000'000, 1};
    case TimeUnit::ms:
      return {1'000, 1};
    case TimeUnit::ns:
      return {1, 1'000};
    case TimeUnit::us:
    case TimeUnit::rfc3339:
      break;
  }
  return {};
}

constexpr Wide floor_wide(Wide value, Wide width) {
  return value / width - static_cast<Wide>(value % width < 0);
}

constexpr std::optional<EventTime> checked(Wide us) {
  if (us < T_MIN.us || us >= T_END.us) {
    return std::nullopt;
  }
  return EventTime{static_cast<std::int64_t>(us)};
}

// Reads exactly `n` digits at the start of `text` and drops them.
bool take_digits(std::string_view& text, std::size_t n, int& value) {
  if (text.size() < n) {
    return false;
  }
  value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return false;
    }
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(n);
  return true;
}
bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// Digits after a point as microseconds, cut below one; at least one digit.
bool take_fraction(std::string_view& text, int& us) {
  std::size_t n = 0;
  us = 0;
  for (int unit = 100'000; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n, unit /= 10) {
    us += (text[n] - '0') * unit;
  }
  text.remove_prefix(n);
  return n > 0;
}

std::optional<EventTime> rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, us = 0;
  bool const fields = take_digits(text, 4, year) && take(text, "-") &&
                      take_digits(text, 2, month) && take(text, "-") && take_digits(text, 2, day) &&
                      take(text, "Tt ") && take_digits(text, 2, hour) && take(text, ":") &&
                      take_digits(text, 2, minute) && take(text, ":") &&
                      take_digits(text, 2, second);
  if (!fields || (take(text, ".") && !take_fraction(text, us))) {
    return std::nullopt;
  }
  int offset = 0;  // minutes east of UTC
  if (!take(text, "Zz")) {
    bool const west = !text.empty() && text[0] == '-';
    int hours = 0, minutes = 0;
    bool const zone = take(text, "+-") && take_digits(text, 2, hours) && take(text, ":") &&
                      take_digits(text, 2, minutes);
    if (!zone || hours > 23 || minutes > 59) {
      return std::nullopt;
    }
    offset = (hours * 60 + minutes) * (west ? -1 : 1);
  }
  std::chrono::year_month_day const date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  std::int64_t const days = std::chrono::sys_days{date}.time_since_epoch().count();
  std::int64_t const minutes_utc = days * 1440 + hour * 60 + minute - offset;
  if (second == 60 && floor_mod(minutes_utc, 1440) != 1439) {
    return std::nullopt;
  }
  return EventTime{(minutes_utc * 60 + second) * 1'000'000 + us};
}

}  // namespace

std::optional<EventTime> stamp_of(double value, TimeUnit unit) {
  if (unit == TimeUnit::rfc3339 || !std::isfinite(value)) {
    return std::nullopt;
  }
  Scale const scale = scale_of(unit);
  if (std::fabs(value) >= 0x1p73) {
    return std::nullopt;
  }  // above 2^63 us in every unit
  int exponent = 0;
  auto const mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent -= 53;  // value == mantissa * 2^exponent, |mantissa| < 2^53, exponent <= 20
  Wide const product = static_cast<Wide>(mantissa) * scale.mul;  // below 2^73
  if (exponent >= 0) {
    // An integer of the unit; at most 2^93.  ns keep a rest, rounded like the others.
    Wide const whole = product * (static_cast<Wide>(1) << exponent);
    return checked(floor_wide(2 * whole + scale.div, static_cast<Wide>(2) * scale.div));
  }
  // The product is below 2^73, so that this is far from half a microsecond.
  if (exponent < -100) {
    return EventTime{0};
  }
  // The power of two is taken off the product as quotient and rest, so that nothing is rounded
  // twice and nothing leaves 128 bits.
  Wide const power = static_cast<Wide>(1) << -exponent;
  Wide const quotient = floor_wide(product, power);
  Wide const rest = product - quotient * power;  // in [0, 2^-exponent)
  // With x = quotient + rest / power the result is floor((2 x + div) / (2 div)); floor(2 x) will
  // do.
  Wide const doubled = 2 * quotient + (2 * rest >= power ? 1 : 0);
  return checked(floor_wide(doubled + scale.div, static_cast<Wide>(2) * scale.div));
}

std::optional<EventTime> stamp_of(std::string_view text, TimeUnit unit) {
  if (unit == TimeUnit::rfc3339) {
    return rfc3339(text);
  }
  bool const negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  Scale const scale = scale_of(unit);
  // us = (whole + 0.fraction) * mul / div.  Digits that do not reach a microsecond only say whether
  // something is left, which floors a negative time one further down.
  Wide const limit = static_cast<Wide>(1) << 80;
  Wide value = 0;
  std::size_t whole_digits = 0, fraction_digits = 0;
  std::int64_t mul = scale.mul;
  bool point = false, rest = false;
  for (char const c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    (point ? fraction_digits : whole_digits) += 1;
    if (!point) {
      value = value * 10 + (c - '0');
      if (value > limit) {
        return std::nullopt;
      }
    } else if (mul > 1) {  // mul is a power of ten: one digit of the fraction each
      value = value * 10 + (c - '0');
      mul /= 10;
    } else {
      rest = rest || c != '0';
    }
  }
  if (whole_digits == 0 || (point && fraction_digits == 0)) {
    return std::nullopt;
  }
  value *= mul;
  rest = rest || value % scale.div != 0;
  value /= scale.div;
  return checked(negative ? -value - (rest ? 1 : 0) : value);
}

}  // namespace windrow
