#include "host/plan/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace windrow {
namespace {

__extension__ using Wide = __int128;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> units{{{"us", 1},
                                                                          {"ms", 1'000},
                                                                          {"s", 1'000'000},
                                                                          {"m", 60'000'000},
                                                                          {"h", 3'600'000'000},
                                                                          {"d", 86'400'000'000}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

ReadDuration read_duration(std::string_view text) {
  ReadDuration out;
  std::string_view rest = text;
  bool const negative = !rest.empty() && rest[0] == '-';
  if (negative || (!rest.empty() && rest[0] == '+')) {
    rest.remove_prefix(1);
  }
  Wide constexpr limit = Wide{INT64_MAX};
  Wide whole = 0, fraction = 0, scale = 1;
  bool digits = false;
  for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1), digits = true) {
    whole = std::min(limit, whole * 10 + (rest[0] - '0'));
  }
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1), digits = true) {
      if (scale > 1'000'000'000'000'000) {
        continue;
      }  // far below a microsecond of a day
      fraction = fraction * 10 + (rest[0] - '0');
      scale *= 10;
    }
  }
  if (!digits) {
    out.fault = fmt::format("'{}' is not a duration: a number with us, ms, s, m, h or d", text);
    return out;
  }
  std::int64_t unit = 1'000'000;
  if (!rest.empty()) {
    auto const* const found =
        std::find_if(units.begin(), units.end(), [&](auto const& u) { return u.first == rest; });
    if (found == units.end()) {
      out.fault = fmt::format("'{}': unit must be us, ms, s, m, h or d", text);
      return out;
    }
    unit = found->second;
    out.days = rest == "d";
  }
  // Toward -inf, as times are (R4).
  Wide const cut = fraction * unit / scale;
  Wide const us = whole * unit + cut + ((negative && cut * scale != fraction * unit) ? 1 : 0);
  out.value = Duration{static_cast<std::int64_t>(std::min(limit, us)) * (negative ? -1 : 1)};
  return out;
}

std::string to_string(Duration duration) {
  std::string const sign = duration.us < 0 ? "-" : "";
  std::uint64_t const us = duration.us < 0 ? 0 - static_cast<std::uint64_t>(duration.us)
                                           : static_cast<std::uint64_t>(duration.us);
  if (us == 0) {
    return "0s";
  }
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    auto const size = static_cast<std::uint64_t>(unit->second);
    if (us % size == 0) {
      return fmt::format("{}{}{}", sign, us / size, unit->first);
    }
  }
  return fmt::format("{}{}us", sign, us);
}

}  // namespace windrow
