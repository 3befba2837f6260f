// Accumulators of fixed size: lift one value, merge two disjoint sets, extract the result.  Zero
// bytes are the identity of each.  Rules: semantics.md 16.4, R78.
#pragma once
#include <bit>
#include <cstdint>

#include "host/model/accumulator.hpp"
#include "host/model/portable.hpp"

namespace windrow {

// count: the sum of the rows' weights.  Exact.
struct CountAccumulator {
  std::int64_t rows = 0;
};
WINDROW_HOST_DEVICE constexpr void lift(CountAccumulator& to, std::int64_t weight) noexcept {
  to.rows += weight;
}
WINDROW_HOST_DEVICE constexpr void merge(CountAccumulator& to,
                                         CountAccumulator const& from) noexcept {
  to.rows += from.rows;
}

// sum of integers: 128 bits, two's complement.  Exact for every number of rows.
struct WideSum {
  std::uint64_t low = 0;
  std::int64_t high = 0;
};
WINDROW_HOST_DEVICE constexpr void merge(WideSum& to, WideSum const& from) noexcept {
  to.low += from.low;
  to.high += from.high + (to.low < from.low ? 1 : 0);
}
WINDROW_HOST_DEVICE constexpr void lift(WideSum& to, std::int64_t value) noexcept {
  merge(to, WideSum{static_cast<std::uint64_t>(value), value < 0 ? -1 : 0});
}
// A row of weight -1: value is taken back.
WINDROW_HOST_DEVICE constexpr void withdraw(WideSum& to, std::int64_t value) noexcept {
  std::uint64_t const negated = 0U - static_cast<std::uint64_t>(value);
  merge(to, WideSum{negated, value > 0 ? -1 : 0});  // -INT64_MIN is 2^63, high 0
}
// False, and `out` unchanged, where the sum leaves int64.
WINDROW_HOST_DEVICE constexpr bool extract(WideSum const& from, std::int64_t& out) noexcept {
  auto const low = static_cast<std::int64_t>(from.low);
  if (from.high != (low < 0 ? -1 : 0)) {
    return false;
  }
  out = low;
  return true;
}

// sum and mean of numbers.
//   sum    rounded; within 2 n u sum|x| whatever the order
//   count  values seen, nulls not counted
struct NumberSum {
  double sum = 0;
  std::int64_t count = 0;
};
WINDROW_HOST_DEVICE constexpr void lift(NumberSum& to, double value) noexcept {
  to.sum += value;
  ++to.count;
}
WINDROW_HOST_DEVICE constexpr void merge(NumberSum& to, NumberSum const& from) noexcept {
  to.sum += from.sum;
  to.count += from.count;
}

// variance and stddev.
//   mean  running mean, rounded;  m2  sum of squared distances from it, rounded
// We keep (mean, m2) and not (sum, sum of squares): for values near 1e8 with spread 1 the latter
// returns 90112 where the true m2 is 667.  Chan, Golub, LeVeque, The American Statistician 37(3),
// 1983.
struct Moments {
  std::int64_t count = 0;
  double mean = 0, m2 = 0;
};
WINDROW_HOST_DEVICE constexpr void lift(Moments& to, double value) noexcept {
  ++to.count;
  double const distance = value - to.mean;
  to.mean += distance / static_cast<double>(to.count);
  to.m2 += distance * (value - to.mean);
}
WINDROW_HOST_DEVICE constexpr void merge(Moments& to, Moments const& from) noexcept {
  if (from.count == 0) {
    return;
  }
  if (to.count == 0) {
    to = from;
    return;
  }
  auto const a = static_cast<double>(to.count), b = static_cast<double>(from.count);
  double const distance = from.mean - to.mean;
  to.count += from.count;
  to.mean += distance * (b / (a + b));
  to.m2 += from.m2 + distance * distance * (a / (a + b)) * b;
}
// Variance of the values; false where it is null (of a sample below two values, of a population of
// none).
WINDROW_HOST_DEVICE constexpr bool variance(Moments const& from, bool population,
                                            double& out) noexcept {
  std::int64_t const degrees = from.count - (population ? 0 : 1);
  if (degrees < 1) {
    return false;
  }
  out = from.m2 / static_cast<double>(degrees);
  return true;
}

// Integers that order like the numbers they come from: -0.0 before 0.0, NaN after all else.
inline constexpr std::int64_t rank_of_nan = INT64_MAX;
WINDROW_HOST_DEVICE constexpr std::int64_t rank_of(double value) noexcept {
  if (value != value) {
    return rank_of_nan;
  }
  auto const bits = std::bit_cast<std::int64_t>(value);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}
WINDROW_HOST_DEVICE constexpr double number_of_rank(std::int64_t rank) noexcept {
  if (rank == rank_of_nan || rank == INT64_MIN) {
    return std::bit_cast<double>(0x7ff8000000000000);
  }
  return std::bit_cast<double>(rank < 0 ? rank ^ INT64_MAX : rank);
}

// min and max of integers, booleans and ranks of numbers.  Under min a NaN has rank INT64_MIN, so
// that it wins as it does under max.  Exact.
//   order  of the winning rank: the larger order wins, 0 is below all, so that one atomic maximum
//          lifts it
struct Extreme {
  std::uint64_t order = 0;
  std::int64_t count = 0;
};
WINDROW_HOST_DEVICE constexpr std::int64_t poisoning_rank(double value, bool smallest) noexcept {
  return value != value && smallest ? INT64_MIN : rank_of(value);
}
WINDROW_HOST_DEVICE constexpr std::uint64_t order_of(std::int64_t rank, bool smallest) noexcept {
  std::uint64_t const ascending = static_cast<std::uint64_t>(rank) ^ (std::uint64_t{1} << 63U);
  return smallest ? ~ascending : ascending;
}
WINDROW_HOST_DEVICE constexpr std::int64_t rank_of(Extreme const& extreme, bool smallest) noexcept {
  std::uint64_t const ascending = smallest ? ~extreme.order : extreme.order;
  return static_cast<std::int64_t>(ascending ^ (std::uint64_t{1} << 63U));
}
WINDROW_HOST_DEVICE constexpr void lift(Extreme& to, std::int64_t rank, bool smallest) noexcept {
  std::uint64_t const order = order_of(rank, smallest);
  to.order = order > to.order ? order : to.order;
  ++to.count;
}
WINDROW_HOST_DEVICE constexpr void merge(Extreme& to, Extreme const& from) noexcept {
  to.order = from.order > to.order ? from.order : to.order;
  to.count += from.count;
}

// any and all: which truths were seen.
struct Truths {
  std::uint8_t seen_true = 0, seen_false = 0;
};
WINDROW_HOST_DEVICE constexpr void lift(Truths& to, bool value) noexcept {
  (value ? to.seen_true : to.seen_false) = 1;
}
WINDROW_HOST_DEVICE constexpr void merge(Truths& to, Truths const& from) noexcept {
  to.seen_true |= from.seen_true;
  to.seen_false |= from.seen_false;
}

// first and last by event time; ties: first takes the smaller value, last the larger; null is the
// smallest value.
enum class Picked : std::uint8_t { nothing, null, value };
struct Pick {
  std::int64_t time_us = 0, rank = 0;
  Picked state = Picked::nothing;
};
// Does the row (time, state, rank) stand before what `to` holds?
WINDROW_HOST_DEVICE constexpr bool is_before(Pick const& a, Pick const& b) noexcept {
  if (a.time_us != b.time_us) {
    return a.time_us < b.time_us;
  }
  if (a.state != b.state) {
    return a.state < b.state;
  }
  return a.rank < b.rank;
}
WINDROW_HOST_DEVICE constexpr void merge(Pick& to, Pick const& from, bool first) noexcept {
  if (from.state == Picked::nothing) {
    return;
  }
  if (to.state == Picked::nothing || (first ? is_before(from, to) : is_before(to, from))) {
    to = from;
  }
}

// Where a combine keeps its accumulator: in the record, or in a box of the pool because it has no
// fixed size (group, concat, top, sketches, and texts).  `registers`: those of approx_distinct, all
// of them in the record, where there are no boxes.
enum class AccumulatorKind : std::uint8_t {
  count,
  wide_sum,
  number_sum,
  moments,
  extreme,
  truths,
  pick,
  registers,
  boxed
};
WINDROW_HOST_DEVICE constexpr AccumulatorKind accumulator_kind(CombineFn const& fn) noexcept {
  bool const fixed = fn.in <= ValueType::number;
  switch (fn.kind) {
    case CombineKind::count:
      return AccumulatorKind::count;
    case CombineKind::sum:
      return fn.in == ValueType::number ? AccumulatorKind::number_sum : AccumulatorKind::wide_sum;
    case CombineKind::mean:
      return AccumulatorKind::number_sum;
    case CombineKind::variance:
    case CombineKind::stddev:
      return AccumulatorKind::moments;
    case CombineKind::any:
    case CombineKind::all:
      return AccumulatorKind::truths;
    case CombineKind::min:
    case CombineKind::max:
      return fixed ? AccumulatorKind::extreme : AccumulatorKind::boxed;
    case CombineKind::first:
    case CombineKind::last:
      return fixed ? AccumulatorKind::pick : AccumulatorKind::boxed;
    case CombineKind::group:
    case CombineKind::concat:
    case CombineKind::top:
    case CombineKind::approx_distinct:
    case CombineKind::approx_quantile:
      return AccumulatorKind::boxed;
  }
  return AccumulatorKind::boxed;
}
// The same where there are no boxes.
[[nodiscard]] constexpr AccumulatorKind accumulator_kind_unboxed(CombineFn const& fn) noexcept {
  bool const registers = fn.kind == CombineKind::approx_distinct && fn.in <= ValueType::number;
  return registers ? AccumulatorKind::registers : accumulator_kind(fn);
}
// Of fixed size but for `registers`: 2^precision.
WINDROW_HOST_DEVICE constexpr std::uint32_t accumulator_bytes(AccumulatorKind kind) noexcept {
  switch (kind) {
    case AccumulatorKind::count:
      return sizeof(CountAccumulator);
    case AccumulatorKind::wide_sum:
      return sizeof(WideSum);
    case AccumulatorKind::number_sum:
      return sizeof(NumberSum);
    case AccumulatorKind::moments:
      return sizeof(Moments);
    case AccumulatorKind::extreme:
      return sizeof(Extreme);
    case AccumulatorKind::truths:
      return sizeof(Truths);
    case AccumulatorKind::pick:
      return sizeof(Pick);
    case AccumulatorKind::boxed:
      return sizeof(std::uint32_t);
    case AccumulatorKind::registers:
      break;
  }
  return 0;
}

}  // namespace windrow
