// SIGINT and SIGTERM as a request to stop; a second one, or a limit, ends the process at once.
#pragma once
#include <csignal>
#include <optional>
#include <stop_token>
#include <thread>

#include "host/model/time.hpp"

namespace windrow::cli {

// Construct before any other thread starts: threads inherit that the signals are blocked, so that
// only the waiting thread here takes them.  What is durable is consistent at every instant, so that
// the process may end at any: by a second signal with 128 + its number, by the limit with 75.
class StopSignals {
 public:
  // `limit`: of real time from the first signal to the end of the process; none: no limit.
  explicit StopSignals(std::optional<Duration> limit = std::nullopt);
  ~StopSignals();
  StopSignals(StopSignals const&) = delete;  // owns a thread
  StopSignals& operator=(StopSignals const&) = delete;
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  void wait(std::stop_token const& ended);
  std::optional<Duration> limit_;
  std::stop_source stop_;
  std::jthread waiter_;
};

// For a child before exec, which inherits the mask.
void unblock_stop_signals();

}  // namespace windrow::cli
