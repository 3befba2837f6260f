// Accumulators: merge laws, exact sums, the order of numbers, and variance far from zero.
#include "host/model/accumulate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <vector>

namespace windrow {
namespace {

__extension__ using Wide = __int128;

constexpr double infinity = std::numeric_limits<double>::infinity();
double const nan_value = std::nan("");

// Integers of all sizes, the ends of int64 among them.
rc::Gen<std::int64_t> integers() {
  return rc::gen::oneOf(
      rc::gen::arbitrary<std::int64_t>(),
      rc::gen::element<std::int64_t>(INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX));
}
// Numbers, the odd ones among them.
rc::Gen<double> numbers() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::inRange(-1000000, 1000000), [](int i) { return i / 64.0; }),
      rc::gen::element(-0.0, 0.0, infinity, -infinity, nan_value, 5e-324, 1.7e308));
}
Extreme extreme_of(std::vector<double> const& values, bool smallest) {
  Extreme extreme;
  for (double const value : values) {
    lift(extreme, poisoning_rank(value, smallest), smallest);
  }
  return extreme;
}
bool same(double a, double b) {
  return std::bit_cast<std::int64_t>(a) == std::bit_cast<std::int64_t>(b) || (a != a && b != b);
}

}  // namespace

TEST(AccumulatorTest, IntegerSumsAreExactAndKnowWhenTheyLeaveInt64) {
  EXPECT_TRUE(rc::check([] {
    auto const values = *rc::gen::container<std::vector<std::int64_t>>(integers());
    auto const cut = *rc::gen::inRange<std::size_t>(0, values.size() + 1);
    WideSum left, right;
    Wide exact = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      lift(i < cut ? left : right, values[i]);
      exact += values[i];
    }
    merge(left, right);
    std::int64_t sum = 0;
    bool const fits = exact >= INT64_MIN && exact <= INT64_MAX;
    RC_ASSERT(extract(left, sum) == fits);
    if (fits) {
      RC_ASSERT(sum == static_cast<std::int64_t>(exact));
    }
    for (std::int64_t const value : values) {
      withdraw(left, value);
    }
    RC_ASSERT(left.low == 0U);
    RC_ASSERT(left.high == 0);
  }));
}

TEST(AccumulatorTest, MinAndMaxDoNotDependOnOrderOrGrouping) {
  EXPECT_TRUE(rc::check([] {
    auto const values = *rc::gen::container<std::vector<double>>(numbers());
    auto const cut = *rc::gen::inRange<std::size_t>(0, values.size() + 1);
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(cut);
    for (bool const smallest : {false, true}) {
      Extreme const whole = extreme_of(values, smallest);
      Extreme merged = extreme_of({middle, values.end()}, smallest);
      merge(merged, extreme_of({values.begin(), middle}, smallest));
      RC_ASSERT(rank_of(merged, smallest) == rank_of(whole, smallest));
      RC_ASSERT(merged.count == whole.count);
      Extreme identity;
      merge(identity, whole);
      RC_ASSERT(identity.order == whole.order);
    }
  }));
}

TEST(AccumulatorTest, RanksOrderNumbersTotally) {
  std::vector<double> const ascending{-infinity, -1.5, -5e-324,  -0.0,     0.0,
                                      5e-324,    1.5,  infinity, nan_value};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    EXPECT_TRUE(same(number_of_rank(rank_of(ascending[i])), ascending[i]));
    if (i > 0) {
      EXPECT_LT(rank_of(ascending[i - 1]), rank_of(ascending[i]));
    }
  }
  for (bool const smallest : {false, true}) {
    Extreme const poisoned = extreme_of({1.0, nan_value, -infinity, infinity}, smallest);
    EXPECT_TRUE(std::isnan(number_of_rank(rank_of(poisoned, smallest))));
  }
  EXPECT_TRUE(same(number_of_rank(rank_of(extreme_of({0.0, -0.0}, true), true)), -0.0));
  EXPECT_TRUE(same(number_of_rank(rank_of(extreme_of({-0.0, 0.0}, false), false)), 0.0));
}

TEST(AccumulatorTest, VarianceFarFromZeroKeepsItsDigits) {
  for (double const base : {1e4, 1e6, 1e8, 1e9}) {
    Moments one_by_one, left, right;
    for (int i = 0; i < 1000; ++i) {
      double const value = base + i % 3;
      lift(one_by_one, value);
      lift(i < 313 ? left : right, value);
    }
    merge(left, right);
    double const m2 = 666.999;  // 334 x B, 333 x (B + 1), 333 x (B + 2): exact
    double const bound = 4 * 1000 * 0x1p-53 * std::sqrt(1 + 1000 * base * base / m2);  // 16.4
    EXPECT_NEAR(one_by_one.m2 / m2, 1, bound);
    EXPECT_NEAR(left.m2 / m2, 1, bound);
  }
}

TEST(AccumulatorTest, VarianceOfASampleNeedsTwoValues) {
  Moments moments;
  double out = 0;
  EXPECT_FALSE(variance(moments, true, out));
  lift(moments, 3.0);
  EXPECT_FALSE(variance(moments, false, out));
  ASSERT_TRUE(variance(moments, true, out));
  EXPECT_EQ(out, 0.0);
  lift(moments, 5.0);
  ASSERT_TRUE(variance(moments, false, out));
  EXPECT_EQ(out, 2.0);
  ASSERT_TRUE(variance(moments, true, out));
  EXPECT_EQ(out, 1.0);
  lift(moments, infinity);
  ASSERT_TRUE(variance(moments, false, out));
  EXPECT_TRUE(std::isnan(out));
}

TEST(AccumulatorTest, FirstAndLastBreakTiesByValueInAnyOrder) {
  Pick const null_at_one{1, 0, Picked::null};
  Pick const two_at_one{1, 2, Picked::value};
  Pick const nine_at_one{1, 9, Picked::value};
  Pick const five_at_zero{0, 5, Picked::value};
  auto const fold = [](std::vector<Pick> const& picks, bool first) {
    Pick to;
    for (Pick const& pick : picks) {
      merge(to, pick, first);
    }
    return to;
  };
  EXPECT_EQ(fold({two_at_one, nine_at_one, five_at_zero}, true).rank, 5);
  EXPECT_EQ(fold({nine_at_one, two_at_one}, true).rank, 2);
  EXPECT_EQ(fold({two_at_one, nine_at_one, five_at_zero}, false).rank, 9);
  EXPECT_EQ(fold({nine_at_one, two_at_one, Pick{}}, false).rank, 9);
  EXPECT_EQ(fold({nine_at_one, null_at_one}, true).state, Picked::null);
  EXPECT_EQ(fold({null_at_one, nine_at_one}, false).state, Picked::value);
}

}  // namespace windrow
