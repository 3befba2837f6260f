// How large the large tests are: WINDROW_TEST_SCALE times their usual size, which it is if not set.
// The presets asan and tsan set it, where every row costs ten times as much.
#pragma once
#include <cstdint>
#include <cstdlib>

namespace windrow::testing {

inline std::uint64_t scaled(std::uint64_t usual) {
  char const* const scale = std::getenv("WINDROW_TEST_SCALE");
  return scale == nullptr
             ? usual
             : static_cast<std::uint64_t>(static_cast<double>(usual) * std::strtod(scale, nullptr));
}

}  // namespace windrow::testing
