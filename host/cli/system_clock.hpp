// The machine's clock, with the rate of processing time (semantics.md R90).
#pragma once
#include <chrono>

#include "host/engine/clock.hpp"

namespace windrow::cli {

//   frozen  P stays where it started: bounded input gives the same bytes in every run
class SystemClock final : public Clock {
 public:
  SystemClock(double rate, bool frozen);
  // P continues from `restored` if that is later than now.
  void start_at_least(ProcessingTime restored);
  [[nodiscard]] ProcessingTime processing_time() override;
  [[nodiscard]] std::int64_t real_time_us() override;

 private:
  double rate_;
  bool frozen_;
  std::int64_t start_us_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace windrow::cli
