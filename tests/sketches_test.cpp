// approx_distinct and approx_quantile: the same bytes whatever the order and the split of the
// values, and no result further off than they say.
#include "host/cpu/sketches.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "host/engine/value.hpp"
#include "host/model/hyperloglog.hpp"
#include "tests/scale.hpp"

namespace windrow {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double least_normal = std::numeric_limits<double>::min();
double const nan_value = std::nan("");

CombineFn distinct_fn(std::uint32_t precision) {
  CombineFn fn;
  fn.kind = CombineKind::approx_distinct;
  fn.n = precision;
  return fn;
}
CombineFn quantile_fn(double accuracy, double q) {
  CombineFn fn;
  fn.kind = CombineKind::approx_quantile;
  fn.in = ValueType::number;
  fn.n = quantile_buckets(accuracy);
  fn.q[0] = q;
  return fn;
}

std::string sketch_of(CombineFn const& fn, std::vector<std::uint64_t> const& bits) {
  std::string sketch;
  for (std::uint64_t const value : bits) {
    cpu::lift_sketch(fn, sketch, value);
  }
  return sketch;
}
Scalar result_of(CombineFn const& fn, std::string const& sketch, Column& out) {
  out.reset(result_type(fn));
  cpu::extract_sketch(fn, sketch, out);
  return out.view().at(0);
}
std::int64_t distinct_of(std::uint32_t precision, std::string const& sketch) {
  Column out;
  return result_of(distinct_fn(precision), sketch, out).integer;
}
double quantile_of(std::vector<double> const& values, double accuracy, double q) {
  CombineFn const fn = quantile_fn(accuracy, q);
  std::string sketch;
  for (double const value : values) {
    cpu::lift_sketch(fn, sketch, std::bit_cast<std::uint64_t>(value));
  }
  Column out;
  return result_of(fn, sketch, out).number;
}
bool same(double a, double b) {
  return std::bit_cast<std::int64_t>(a) == std::bit_cast<std::int64_t>(b) || (a != a && b != b);
}

// Numbers of all sizes, the odd ones among them.
rc::Gen<double> numbers() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                   [](std::uint64_t bits) { return std::bit_cast<double>(bits); }),
      rc::gen::map(rc::gen::inRange(-2000, 2000), [](int i) { return i / 64.0; }),
      rc::gen::element(-0.0, 0.0, infinity, -infinity, nan_value, 5e-324, least_normal, 1.7e308));
}

}  // namespace

TEST(SketchesTest, MergingAnySplitInAnyOrderIsTheSketchOfAllValues) {
  EXPECT_TRUE(rc::check([] {
    auto const fn = *rc::gen::element(distinct_fn(4), distinct_fn(7), distinct_fn(12),
                                      quantile_fn(0.5, 0.5), quantile_fn(0.01, 0.5));
    std::vector<std::uint64_t> bits;
    for (double const value : *rc::gen::container<std::vector<double>>(numbers())) {
      bits.push_back(std::bit_cast<std::uint64_t>(value));
    }
    std::string const whole = sketch_of(fn, bits);
    std::vector<std::vector<std::uint64_t>> parts(*rc::gen::inRange<std::size_t>(1, 6));
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    std::shuffle(bits.begin(), bits.end(), random);
    for (std::uint64_t const value : bits) {
      parts[random() % parts.size()].push_back(value);
    }
    std::string merged;
    for (std::vector<std::uint64_t> const& part : parts) {
      if (!part.empty()) {
        cpu::merge_sketch(fn, merged, sketch_of(fn, part));
      }
    }
    RC_ASSERT(merged == whole);
  }));
}

TEST(SketchesTest, TheListOfRegistersGivesWayToAllOfThemAtOneNumberOfRegisters) {
  for (std::uint32_t const precision : {4U, 5U, 12U}) {
    std::string sketch;
    std::size_t const registers = std::size_t{1} << precision;
    std::size_t most = 0;
    for (std::uint64_t value = 0; sketch.size() < registers; ++value) {
      most = std::max(most, sketch.size() / 4);
      cpu::lift_sketch(distinct_fn(precision), sketch, value);
      ASSERT_LT(value, 100 * registers);
    }
    EXPECT_EQ(most, distinct_entries_max(precision));
    EXPECT_EQ(registers - static_cast<std::size_t>(std::count(sketch.begin(), sketch.end(), '\0')),
              most + 1);
  }
}

TEST(SketchesTest, HashesAreThoseOfTheirDefinition) {
  EXPECT_EQ(distinct_hash(0), 0xe220a8397b1dcdafU);  // SplitMix64's first output from state 0
  EXPECT_EQ(distinct_hash(0x9e3779b97f4a7c15U), 0x6e789e6aa1b965f4U);  // .. and its second
  EXPECT_EQ(distinct_bits_of_text(""), 0x2d06800538d394c2U);           // XXH3's own test vector
  EXPECT_EQ(distinct_bits(-0.0), distinct_bits(0.0));
  EXPECT_EQ(distinct_bits(nan_value), distinct_bits(-nan_value));
  EXPECT_NE(distinct_bits(infinity), distinct_bits(-infinity));
  // Of 0: e22 is the first 12 bits, 0a8.. = 0000 1010 1000 follows.
  EXPECT_EQ(distinct_rank(0, 12).index, 0xe22U);
  EXPECT_EQ(distinct_rank(0, 12).rank, 5U);
}

TEST(SketchesTest, ARankEndsWhereTheHashDoes) {
  EXPECT_TRUE(rc::check([] {
    auto const bits = *rc::gen::arbitrary<std::uint64_t>();
    auto const precision = *rc::gen::inRange(distinct_precision_min, distinct_precision_max + 1);
    DistinctRank const at = distinct_rank(bits, precision);
    std::uint64_t const h = distinct_hash(bits);
    std::uint32_t rank = 1;
    for (std::uint32_t bit = 64 - precision; bit-- > 0 && ((h >> bit) & 1U) == 0;) {
      ++rank;
    }
    RC_ASSERT(at.rank == rank);
    RC_ASSERT(at.index == h >> (64 - precision));
    RC_ASSERT(rank < distinct_ranks);
    DistinctRank const again = distinct_rank_of(distinct_entry(at));
    RC_ASSERT(again.index == at.index);
    RC_ASSERT(again.rank == at.rank);
  }));
}

// 1.04 / sqrt(2^precision) is the standard deviation of one estimate: that over many seeds lies
// within three standard deviations of its own, sigma / sqrt(2 seeds), and their mean within
// 3 sigma / sqrt(seeds) and the rounding.  Of few values less is allowed, so only the upper bound
// holds.
TEST(SketchesTest, DistinctErrsAsTheStandardErrorSays) {
  constexpr int seeds = 40;
  auto const most = static_cast<std::int64_t>(testing::scaled(1'000'000));
  for (std::uint32_t const precision : {6U, 9U, 12U, 16U}) {
    double const sigma = 1.04 / std::sqrt(std::pow(2.0, precision));
    constexpr std::array<std::int64_t, 8> counts{10,     100,    1'000,   3'000,
                                                 10'000, 30'000, 100'000, 1'000'000};
    std::array<double, counts.size()> sum{}, squares{};
    for (int seed = 0; seed < seeds; ++seed) {
      std::mt19937_64 random(static_cast<std::uint64_t>(seed) * 1000 + precision);
      std::string sketch;
      std::int64_t lifted = 0;
      for (std::size_t i = 0; i < counts.size() && counts[i] <= most; ++i) {
        for (; lifted < counts[i]; ++lifted) {
          cpu::lift_sketch(distinct_fn(precision), sketch, random());
        }
        auto const n = static_cast<double>(counts[i]);
        double const error = (static_cast<double>(distinct_of(precision, sketch)) - n) / n;
        sum[i] += error;
        squares[i] += error * error;
      }
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
      double const rounding = 0.5 / static_cast<double>(counts[i]);
      EXPECT_LE(std::sqrt(squares[i] / seeds), sigma * (1 + 3 / std::sqrt(2.0 * seeds)) + rounding)
          << precision << " of " << counts[i];
      EXPECT_LE(std::abs(sum[i] / seeds), 3 * sigma / std::sqrt(seeds) + rounding)
          << precision << " of " << counts[i];
    }
  }
}

// Consecutive integers and texts hash as well as random bits.
TEST(SketchesTest, DistinctCountsIntegersTextsAndRepeats) {
  std::string integers, texts;
  std::int64_t const n = 50'000;
  for (int again = 0; again < 2; ++again) {
    for (std::int64_t i = 0; i < n; ++i) {
      cpu::lift_sketch(distinct_fn(14), integers, distinct_bits(i));
      cpu::lift_sketch(distinct_fn(14), texts, distinct_bits_of_text("user" + std::to_string(i)));
    }
  }
  double const most = 3 * 1.04 / std::sqrt(16384.0) * static_cast<double>(n);
  EXPECT_NEAR(static_cast<double>(distinct_of(14, integers)), static_cast<double>(n), most);
  EXPECT_NEAR(static_cast<double>(distinct_of(14, texts)), static_cast<double>(n), most);
  EXPECT_EQ(distinct_of(14, ""), 0);
}

TEST(SketchesTest, ABucketAnswersWithinTheAccuracyAndStandsInTheOrderOfItsValues) {
  EXPECT_TRUE(rc::check([] {
    auto const accuracy = *rc::gen::element(0.0001, 0.001, 0.01, 0.05, 0.2, 1.0 / 3, 0.5);
    std::uint32_t const n = quantile_buckets(accuracy);
    auto const a = *numbers(), b = *numbers();
    std::int32_t const bucket = quantile_bucket(a, n);
    double const answer = quantile_value(bucket, n);
    if (std::isnan(a)) {
      RC_ASSERT(std::isnan(answer));
    } else if (std::isinf(a) || a == 0) {
      RC_ASSERT(answer == a);
    } else if (std::abs(a) < least_normal) {
      RC_ASSERT(answer == 0);
    } else {
      RC_ASSERT(std::abs(answer / a - 1) <= accuracy + 1e-12);
      RC_ASSERT(quantile_bucket(answer, n) == bucket);
      RC_ASSERT(quantile_bucket(-a, n) == -bucket);
    }
    if (a < b) {
      RC_ASSERT(bucket <= quantile_bucket(b, n));
    }
  }));
}

TEST(SketchesTest, BucketsMeetWithoutAGap) {
  for (double const accuracy : {0.0001, 0.01, 1.0 / 3}) {
    std::uint32_t const n = quantile_buckets(accuracy);
    for (double const power : {least_normal, 0.5, 1.0, 1024.0, 0x1p1023}) {
      std::int32_t const first = quantile_bucket(power, n);
      EXPECT_EQ(quantile_bucket(std::nextafter(power * 2, 0), n),
                first + static_cast<std::int32_t>(n) - 1);
      if (power > least_normal) {
        EXPECT_EQ(quantile_bucket(std::nextafter(power, 0), n), first - 1);
      }
    }
    EXPECT_EQ(quantile_bucket(least_normal, n), 1);
    EXPECT_EQ(quantile_bucket(infinity, n),
              quantile_bucket(std::numeric_limits<double>::max(), n) + 1);
  }
}

TEST(SketchesTest, QuantilesAreWithinTheAccuracyOfTheExactOnes) {
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> share, uniform(-5, 100);
  std::normal_distribution<double> normal(0, 1e-6);
  std::lognormal_distribution<double> lognormal(3, 2);
  std::exponential_distribution<double> exponential(1e9);
  std::cauchy_distribution<double> cauchy(0, 1);
  std::vector<std::function<double()>> const distributions{
      [&] { return uniform(random); },
      [&] { return normal(random); },
      [&] { return lognormal(random); },
      [&] { return exponential(random); },
      [&] { return cauchy(random); },
      [&] { return std::pow(1 - share(random), -2.0); },  // Pareto
      [&] { return static_cast<double>(random() % 7); },
  };
  auto const n = static_cast<std::size_t>(testing::scaled(20'000));
  for (std::size_t d = 0; d < distributions.size(); ++d) {
    std::vector<double> values(n);
    std::generate(values.begin(), values.end(), distributions[d]);
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    for (double const accuracy : {0.001, 0.01, 0.2}) {
      for (double const q : {0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
        double const exact = sorted[quantile_rank(q, n)];
        EXPECT_NEAR(quantile_of(values, accuracy, q), exact, (accuracy + 1e-12) * std::abs(exact))
            << "distribution " << d << " q " << q;
      }
    }
  }
}

TEST(SketchesTest, OddValuesHaveTheirPlaceInTheOrder) {
  std::vector<double> const values{nan_value, infinity, 1.0, 5e-324, -0.0, -1.0, -infinity};
  std::vector<double> const ascending{-infinity, -1.0, 0.0, 0.0, 1.0, infinity, nan_value};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    double const found = quantile_of(values, 0.01, static_cast<double>(i) / 6);
    if (std::abs(ascending[i]) == 1) {
      EXPECT_NEAR(found, ascending[i], 0.01);
    } else {
      EXPECT_TRUE(same(found, ascending[i])) << i << ": " << found;
    }
  }
  EXPECT_TRUE(std::isfinite(quantile_of({std::numeric_limits<double>::max()}, 0.5, 0)));
  EXPECT_EQ(quantile_rank(1, 1), 0U);
  EXPECT_EQ(quantile_rank(0.5, 4), 1U);
  EXPECT_EQ(quantile_rank(1, UINT64_MAX), UINT64_MAX - 1);  // binary64 rounds the count up
}

TEST(SketchesTest, AListGivesTheQuantilesInTheOrderAsked) {
  CombineFn fn = quantile_fn(0.01, 1);
  fn.q[1] = 0;
  fn.quantiles = 2;
  EXPECT_EQ(result_type(fn), ValueType::list);
  std::string sketch;
  for (double const value : {10.0, 20.0, 30.0}) {
    cpu::lift_sketch(fn, sketch, std::bit_cast<std::uint64_t>(value));
  }
  Column out;
  ContainerReader list(result_of(fn, sketch, out).text);
  std::string_view name;
  Scalar number;
  ASSERT_TRUE(list.next(name, number));
  EXPECT_NEAR(number.number, 30, 0.3);
  ASSERT_TRUE(list.next(name, number));
  EXPECT_NEAR(number.number, 10, 0.1);
  EXPECT_FALSE(list.next(name, number));
  EXPECT_TRUE(result_of(fn, "", out).is_null());
  EXPECT_TRUE(result_of(quantile_fn(0.01, 0.5), "", out).is_null());
}

}  // namespace windrow
