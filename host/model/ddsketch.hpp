// approx_quantile as a DDSketch: counts of buckets whose width is a share of their values.
//
// Every power of two is cut into `n` buckets of equal width; a bucket is answered by the value
// that is off by the same share at both its ends.  Its number is integer arithmetic on the bits of
// the value, the same on every machine, and grows with the value: 0 is zero, 1 the first bucket of
// the smallest normal number, negative values have the negative of their magnitude's.  To add a
// value is to add 1 to a count, to merge is to add counts.
// Masson, Rim, Lee, DDSketch, PVLDB 12(12), 2019.  Its logarithm, here interpolated between powers
// of two, would need 1 / 1.44 of the buckets and differ in the last bits from machine to machine.
#pragma once
#include <bit>
#include <cstdint>

#include "host/model/portable.hpp"

namespace windrow {

// How many quantiles one combine gives.
inline constexpr std::uint32_t quantiles_max = 16;

// Largest relative error of a quantile.  Below the smallest, buckets are as many as values.
inline constexpr double quantile_accuracy_min = 0.0001, quantile_accuracy_max = 0.5;

// Buckets between two powers of two, so that no value of a bucket is off by more than `accuracy`
// (and what binary64 rounds): the widest ends at 1 + 1/n times its begin.  50 for 0.01.
[[nodiscard]] constexpr std::uint32_t quantile_buckets(double accuracy) noexcept {
  double const n = (1 - accuracy) / (2 * accuracy);
  auto const whole = static_cast<std::uint32_t>(n);
  return whole < n ? whole + 1 : whole;
}

// Bits of the fraction that choose a bucket.
inline constexpr std::uint32_t quantile_fraction_bits = 48;
// After every other, infinity too.
inline constexpr std::int32_t quantile_bucket_of_nan = INT32_MAX;

// The bucket of a value.  What is smaller than the smallest normal number, 2.2e-308, counts as 0.
WINDROW_HOST_DEVICE constexpr std::int32_t quantile_bucket(double value, std::uint32_t n) noexcept {
  if (value != value) {
    return quantile_bucket_of_nan;
  }
  auto const bits = std::bit_cast<std::uint64_t>(value);
  auto const exponent = static_cast<std::uint32_t>(bits >> 52U) & 2047U;  // infinity: 2047
  if (exponent == 0) {
    return 0;
  }
  std::uint64_t const fraction =
      (bits & ((std::uint64_t{1} << 52U) - 1)) >> (52U - quantile_fraction_bits);
  auto const magnitude = static_cast<std::int32_t>(
      (exponent - 1) * n + static_cast<std::uint32_t>((fraction * n) >> quantile_fraction_bits) +
      1);
  return (bits >> 63U) != 0 ? -magnitude : magnitude;
}

// The value that answers for a bucket: 2ab / (a + b) of its begin a and end b.
WINDROW_HOST_DEVICE constexpr double quantile_value(std::int32_t bucket, std::uint32_t n) noexcept {
  if (bucket == quantile_bucket_of_nan) {
    return std::bit_cast<double>(std::uint64_t{0x7ff8000000000000});
  }
  if (bucket == 0) {
    return 0;
  }
  auto const at = static_cast<std::uint32_t>(bucket < 0 ? -bucket : bucket) - 1;
  std::uint64_t const exponent = at / n + 1;
  std::uint64_t bits = std::uint64_t{2047} << 52U;
  if (exponent < 2047) {
    // The smallest fractions of this and the next bucket, rounded up; as numbers from 1 to 2.
    constexpr std::uint64_t one = std::uint64_t{1} << quantile_fraction_bits;
    std::uint64_t const part = at % n;
    auto const begin = static_cast<double>(one + (part * one + n - 1) / n);
    auto const end = static_cast<double>(one + ((part + 1) * one + n - 1) / n);
    bits = std::bit_cast<std::uint64_t>(2 * begin * end / (begin + end));
    bits += (exponent - (1023 + quantile_fraction_bits)) << 52U;  // modulo 2^64: also downward
  }
  bits |= bucket < 0 ? std::uint64_t{1} << 63U : 0;
  return std::bit_cast<double>(bits);
}

// How many of `count` values stand before quantile `q`, 0 to 1, of them in order: 0 gives the
// smallest, 1 the largest, 0.5 of four the second.  The paper's definition; in binary64.
WINDROW_HOST_DEVICE constexpr std::uint64_t quantile_rank(double q, std::uint64_t count) noexcept {
  auto const rank = static_cast<std::uint64_t>(q * static_cast<double>(count - 1));
  return rank < count ? rank : count - 1;
}

}  // namespace windrow
