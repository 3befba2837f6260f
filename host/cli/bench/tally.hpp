// What panes add up to, in any order and however rows were split over them.
#pragma once
#include <algorithm>
#include <cstdint>

#include "host/engine/aggregation.hpp"

namespace windrow::cli::bench {

// The last step of SplitMix64: every input bit reaches every output bit.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}
[[nodiscard]] constexpr std::uint64_t place_hash(std::uint64_t key,
                                                 std::int64_t window_start) noexcept {
  return mixed(mixed(key + 0x9e3779b97f4a7c15U) + static_cast<std::uint64_t>(window_start));
}

// Sums modulo 2^64.
//   rows, sum            counts and sums of all panes
//   placed_rows,         the same, each weighted by the hash of its key and window: equal only if
//   placed_sum           every cell has its rows
//   least, most          over all panes
//   panes, content       of the panes themselves: number, and hash of all their fields but the
//                        pane version
struct Tally {
  std::uint64_t rows = 0, sum = 0, placed_rows = 0, placed_sum = 0;
  std::int64_t least = INT64_MAX, most = INT64_MIN;
  std::uint64_t panes = 0, content = 0;

  void add(std::uint64_t place, std::int64_t n, std::int64_t total, std::int64_t min,
           std::int64_t max) {
    auto const count = static_cast<std::uint64_t>(n), value = static_cast<std::uint64_t>(total);
    rows += count;
    sum += value;
    placed_rows += place * count;
    placed_sum += place * value;
    least = std::min(least, min);
    most = std::max(most, max);
  }
  // Do these panes hold the rows of `other`?
  [[nodiscard]] bool has_rows_of(Tally const& other) const {
    return rows == other.rows && sum == other.sum && placed_rows == other.placed_rows &&
           placed_sum == other.placed_sum && least == other.least && most == other.most;
  }
  [[nodiscard]] bool same_panes(Tally const& other) const {
    return has_rows_of(other) && panes == other.panes && content == other.content;
  }
};

// Adds panes of the combines of spec_of (workload.hpp).  Of sessions the window is not known before
// they end: their rows are placed by key alone.
void add_panes(PaneBatch const& panes, bool sessions, Tally& tally);

}  // namespace windrow::cli::bench
