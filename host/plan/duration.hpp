// Durations of a pipeline file: number and unit, read exactly (semantics.md 16.1).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "host/model/time.hpp"

namespace windrow {

//   days  written in days (W201)
struct ReadDuration {
  std::optional<Duration> value;  // none: `fault` says why
  std::string fault;
  bool days = false;
};
// Decimals of a microsecond are cut; beyond int64 it is held at its end.
[[nodiscard]] ReadDuration read_duration(std::string_view text);
// The shortest exact spelling: 90s, 5m, 1.5s, 10ms.
[[nodiscard]] std::string to_string(Duration duration);

inline constexpr Duration duration_max{3'652'500LL * 86'400 * 1'000'000};  // E113

}  // namespace windrow
