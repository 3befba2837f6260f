// Ranks by Zipf's law: rejection-inversion, which needs no table of the n ranks.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

namespace windrow::cli::bench {

// P(rank k) is proportional to (k + 1)^-exponent for k in [0, n), n >= 1.  An integral of
// x^-exponent stands above the steps; a point under it is taken if it lies under its step (Hoermann
// and Derflinger, ACM TOMACS 6(3), 1996, pp. 169-184).  Exponent 0 is uniform.
class Zipf {
 public:
  Zipf(std::uint64_t n, double exponent)
      : n_(static_cast<double>(n)),
        exponent_(exponent),
        first_(integral(1.5) - 1),
        last_(integral(n_ + 0.5)),
        surely_(2 - inverse(integral(2.5) - step(2))) {}

  std::uint64_t operator()(std::mt19937_64& random) const {
    for (;;) {
      double const unit = static_cast<double>(random() >> 11U) * 0x1p-53;
      double const area = last_ + unit * (first_ - last_);
      double const x = inverse(area);
      double const rank = std::clamp(std::floor(x + 0.5), 1.0, n_);
      if (rank - x <= surely_ || area >= integral(rank + 0.5) - step(rank)) {
        return static_cast<std::uint64_t>(rank) - 1;
      }
    }
  }

 private:
  [[nodiscard]] double step(double x) const { return std::pow(x, -exponent_); }
  [[nodiscard]] double integral(double x) const {
    return exponent_ == 1 ? std::log(x) : std::pow(x, 1 - exponent_) / (1 - exponent_);
  }
  [[nodiscard]] double inverse(double area) const {
    return exponent_ == 1 ? std::exp(area) : std::pow(area * (1 - exponent_), 1 / (1 - exponent_));
  }
  double n_, exponent_, first_, last_, surely_;
};

}  // namespace windrow::cli::bench
