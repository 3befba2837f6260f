// The machine's clock, with the rate of processing time (semantics.md R90).
#pragma once
#include <cstdint>
#include <functional>

#include "host/engine/clock.hpp"

namespace windrow::cli {

// What a machine has to tell the time by, in microseconds.
//   wall_us       since 1970; somebody may set it forward and back
//   monotonic_us  since some moment; never back
struct Hands {
  std::function<std::int64_t()> wall_us, monotonic_us;
};
[[nodiscard]] Hands machine_hands();

// P is the wall's time of the start plus monotonic time: whoever sets the wall clock later moves
// only real_time_us().
//   frozen  P stays where it started: bounded input gives the same bytes in every run
class SystemClock final : public Clock {
 public:
  SystemClock(double rate, bool frozen, Hands hands = machine_hands());
  // P continues from `restored` if that is later than now.
  void start_at_least(ProcessingTime restored);
  [[nodiscard]] ProcessingTime processing_time() override;
  [[nodiscard]] std::int64_t real_time_us() override { return hands_.wall_us(); }

 private:
  double rate_;
  bool frozen_;
  Hands hands_;
  std::int64_t start_us_, started_us_;
};

}  // namespace windrow::cli
