// Random numbers and the few functions of analysis that the page views need, from exact arithmetic
// only, so that a seed gives the same bytes under every compiler and C library.
#pragma once
#include <cstdint>

namespace windrow::pageviews {

// Mixes two words into one; every bit of both counts.
[[nodiscard]] std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept;

// A stream of words that is named by its key: equal keys give equal streams, wherever they are
// read.
class Random {
 public:
  explicit Random(std::uint64_t key) noexcept : state_(key) {}
  std::uint64_t next() noexcept;
  std::uint64_t below(std::uint64_t n) noexcept;                       // uniform in [0, n), n > 0
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept;  // uniform in [low, high]
  double unit() noexcept;                                              // uniform in (0, 1)
  double normal() noexcept;  // mean 0, deviation 1: twelve uniform numbers less 6, so within +-6
  double exponential() noexcept;  // mean 1
  bool chance(std::uint64_t parts_of_100000) noexcept;

 private:
  std::uint64_t state_;
};

// Only + - * / of doubles, which IEEE 754 rounds in one way; errors below 1e-14 of the value.
[[nodiscard]] double natural_log(double x) noexcept;  // x > 0
[[nodiscard]] double exponential_of(double x) noexcept;

}  // namespace windrow::pageviews
