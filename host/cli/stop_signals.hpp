// SIGINT and SIGTERM as a request to stop; a second one ends the process at once.
#pragma once
#include <csignal>
#include <stop_token>
#include <thread>

namespace windrow::cli {

// Construct before any other thread starts: threads inherit that the signals are blocked, so that
// only the waiting thread here takes them.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(StopSignals const&) = delete;  // owns a thread
  StopSignals& operator=(StopSignals const&) = delete;
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  void request_stop() { stop_.request_stop(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

// For a child before exec, which inherits the mask.
void unblock_stop_signals();

}  // namespace windrow::cli
