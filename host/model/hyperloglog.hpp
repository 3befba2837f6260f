// approx_distinct as HyperLogLog: what one value does to which register, and the estimate.
//
// Of a value of 64 bits (`distinct_bits`; of a text its XXH3-64, seed 0), mixed to h, register
// h >> (64 - precision) keeps the largest rank: 1 + the zeros that lead the other bits of h.  No
// register depends on the order or the split of the values; to merge takes the larger rank.
// Flajolet, Fusy, Gandouet, Meunier, HyperLogLog, AofA 2007.
#pragma once
#include <bit>
#include <cstdint>

#include "host/model/portable.hpp"

namespace windrow {

// There are 2^precision registers.
inline constexpr std::uint32_t distinct_precision_min = 4, distinct_precision_max = 18;
// Ranks of any precision are below this.
inline constexpr std::uint32_t distinct_ranks = 64 - distinct_precision_min + 2;

// What of a value is hashed; booleans are 0 and 1.  As of keys, every NaN is one value and -0.0 is
// 0.0.
WINDROW_HOST_DEVICE constexpr std::uint64_t distinct_bits(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(value);
}
WINDROW_HOST_DEVICE constexpr std::uint64_t distinct_bits(std::uint8_t value) noexcept {
  return value == 0 ? 0 : 1;
}
WINDROW_HOST_DEVICE constexpr std::uint64_t distinct_bits(double value) noexcept {
  if (value != value) {
    return 0x7ff8000000000000;
  }
  return value == 0 ? 0 : std::bit_cast<std::uint64_t>(value);
}

// One step of SplitMix64 from the state `bits`: a bijection, so that different values of 64 bits
// never collide.  Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
WINDROW_HOST_DEVICE constexpr std::uint64_t distinct_hash(std::uint64_t bits) noexcept {
  std::uint64_t h = bits + 0x9e3779b97f4a7c15;
  h = (h ^ (h >> 30U)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27U)) * 0x94d049bb133111eb;
  return h ^ (h >> 31U);
}

//   index  of the register, below 2^precision
//   rank   1 to 65 - precision; an empty register has 0
struct DistinctRank {
  std::uint32_t index = 0, rank = 0;
};
WINDROW_HOST_DEVICE constexpr DistinctRank distinct_rank(std::uint64_t bits,
                                                         std::uint32_t precision) noexcept {
  std::uint64_t const h = distinct_hash(bits);
  std::uint64_t const end = std::uint64_t{1} << (precision - 1U);  // ends the zeros
  auto const zeros = static_cast<std::uint32_t>(std::countl_zero((h << precision) | end));
  return {static_cast<std::uint32_t>(h >> (64U - precision)), zeros + 1};
}

// Registers as a list of those that are not empty, as long as it takes at most half the bytes of
// all; so is the form in a snapshot a function of the registers.
//   entry  index << 6 | rank
WINDROW_HOST_DEVICE constexpr std::uint32_t distinct_entry(DistinctRank const& at) noexcept {
  return (at.index << 6U) | at.rank;
}
WINDROW_HOST_DEVICE constexpr DistinctRank distinct_rank_of(std::uint32_t entry) noexcept {
  return {entry >> 6U, entry & 63U};
}
WINDROW_HOST_DEVICE constexpr std::uint32_t distinct_entries_max(std::uint32_t precision) noexcept {
  return (1U << precision) / 8;
}

// The estimate from how many registers have each rank; 0 of empty ones.  Its standard error is
// 1.04 / sqrt(2^precision) of it, less of few values: 26 % at 4, 1.6 % at 12, 0.2 % at 18.
//
// Ertl, New cardinality estimation algorithms for HyperLogLog sketches, arXiv:1702.01284, the
// improved raw estimator without its correction for full registers, which 2^60 values would take.
// It holds for few values as for many; the one of 2007, with linear counting below 2.5 values a
// register, is off by several percent where the two meet.
//   registers_of  [distinct_ranks]
// The same on every machine: products with a power of two are exact, so that no order and no fused
// multiply-add changes the result.
WINDROW_HOST_DEVICE constexpr std::int64_t distinct_estimate(std::uint32_t const* registers_of,
                                                             std::uint32_t precision) noexcept {
  auto const registers = static_cast<double>(1U << precision);
  if (registers_of[0] == 1U << precision) {
    return 0;
  }
  double sum = 0;  // of 2^-rank
  for (std::uint32_t rank = distinct_ranks - 1; rank > 0; --rank) {
    sum = (sum + static_cast<double>(registers_of[rank])) * 0.5;
  }
  // x + the sum of x^(2^k) 2^(k-1) over k > 0, of the share x of empty registers.
  double x = static_cast<double>(registers_of[0]) / registers;
  double empty = x, before = -1;
  for (double weight = 1; empty != before; weight += weight) {
    x *= x;
    before = empty;
    empty += x * weight;
  }
  constexpr double bias = 0.72134752044448170368;  // 1 / (2 ln 2)
  return static_cast<std::int64_t>(bias * registers * registers / (registers * empty + sum) + 0.5);
}

}  // namespace windrow
