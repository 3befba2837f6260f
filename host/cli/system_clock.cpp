// The machine's clock.
#include "host/cli/system_clock.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace windrow::cli {
namespace {

template <class MachineClock>
std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             MachineClock::now().time_since_epoch())
      .count();
}

}  // namespace

Hands machine_hands() {
  return {now_us<std::chrono::system_clock>, now_us<std::chrono::steady_clock>};
}

SystemClock::SystemClock(double rate, bool frozen, Hands hands)
    : rate_(rate),
      frozen_(frozen),
      hands_(std::move(hands)),
      start_us_(hands_.wall_us()),
      started_us_(hands_.monotonic_us()) {}

void SystemClock::start_at_least(ProcessingTime restored) {
  start_us_ = std::max(start_us_, restored.us);
}

ProcessingTime SystemClock::processing_time() {
  if (frozen_) {
    return {start_us_};
  }
  auto const passed_us = static_cast<double>(hands_.monotonic_us() - started_us_);
  return {start_us_ + static_cast<std::int64_t>(passed_us * rate_)};
}

}  // namespace windrow::cli
