// Random numbers of the page views.
#include "ingest/pageviews/random.hpp"

#include <cmath>

namespace windrow::pageviews {
namespace {

constexpr double ln_2 = 0.693147180559945309417;

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t finish(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  return finish(finish(a + 0x9E3779B97F4A7C15U) ^ (b * 0xD6E8FEB86659FD93U));
}

std::uint64_t Random::next() noexcept {
  state_ += 0x9E3779B97F4A7C15U;
  return finish(state_);
}

// The high word of a 96-bit product; its bias, n / 2^32 of a step of 1, is the same everywhere.
std::uint64_t Random::below(std::uint64_t n) noexcept {
  std::uint64_t const word = next();
  std::uint64_t const high = (word >> 32U) * n, low = (word & 0xFFFFFFFFU) * n;
  return (high + (low >> 32U)) >> 32U;
}

std::int64_t Random::between(std::int64_t low, std::int64_t high) noexcept {
  return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
}

double Random::unit() noexcept { return (static_cast<double>(next() >> 12U) + 0.5) * 0x1p-52; }

double Random::normal() noexcept {
  double sum = -6;
  for (int i = 0; i < 12; ++i) {
    sum += unit();
  }
  return sum;
}

double Random::exponential() noexcept { return -natural_log(unit()); }

bool Random::chance(std::uint64_t parts_of_100000) noexcept {
  return below(100'000) < parts_of_100000;
}

// ln(m 2^k) = k ln 2 + 2 artanh((m - 1) / (m + 1)), m in [0.5, 1).
double natural_log(double x) noexcept {
  int k = 0;
  double const m = std::frexp(x, &k);
  double const s = (m - 1) / (m + 1), s2 = s * s;
  double sum = 0, power = s;
  for (int i = 1; i < 40; i += 2) {
    sum += power / i;
    power *= s2;
  }
  return k * ln_2 + 2 * sum;
}

// exp(k ln 2 + r) = 2^k exp(r), |r| <= ln 2 / 2.
double exponential_of(double x) noexcept {
  double const k = std::floor(x / ln_2 + 0.5);
  double const r = x - k * ln_2;
  double sum = 1, term = 1;
  for (int i = 1; i < 20; ++i) {
    term *= r / i;
    sum += term;
  }
  return std::ldexp(sum, static_cast<int>(k));
}

}  // namespace windrow::pageviews
