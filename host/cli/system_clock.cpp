// The machine's clock.
#include "host/cli/system_clock.hpp"

#include <algorithm>

namespace windrow::cli {

SystemClock::SystemClock(double rate, bool frozen)
    : rate_(rate), frozen_(frozen), start_us_(0), started_(std::chrono::steady_clock::now()) {
  start_us_ = real_time_us();
}

void SystemClock::start_at_least(ProcessingTime restored) {
  start_us_ = std::max(start_us_, restored.us);
}

ProcessingTime SystemClock::processing_time() {
  if (frozen_) {
    return {start_us_};
  }
  auto const passed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - started_);
  return {start_us_ + static_cast<std::int64_t>(static_cast<double>(passed.count()) * rate_)};
}

std::int64_t SystemClock::real_time_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace windrow::cli
