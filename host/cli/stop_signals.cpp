// SIGINT and SIGTERM as a request to stop.
#include "host/cli/stop_signals.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

#include "host/cli/invocation.hpp"
#include "host/plan/duration.hpp"

namespace windrow::cli {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals(std::optional<Duration> limit) : limit_(limit) {
  sigset_t const set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this](std::stop_token const& ended) { wait(ended); });
}

void StopSignals::wait(std::stop_token const& ended) {
  using std::chrono::steady_clock;
  sigset_t const waited = stop_signals();
  timespec const patience{0, 50'000'000};
  steady_clock::time_point asked;
  while (!ended.stop_requested()) {
    int const signal = sigtimedwait(&waited, nullptr, &patience);
    if (stop_.stop_requested()) {
      if (signal > 0) {
        _exit(128 + signal);
      }
      if (limit_ && steady_clock::now() - asked >= std::chrono::microseconds(limit_->us)) {
        spdlog::error("stopping took longer than --shutdown-limit: limit={}", to_string(*limit_));
        _exit(exit_try_again);
      }
    } else if (signal > 0) {
      spdlog::info("stopping: a second signal ends at once");
      asked = steady_clock::now();
      stop_.request_stop();
    }
  }
}

StopSignals::~StopSignals() = default;

void unblock_stop_signals() {
  sigset_t const set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace windrow::cli
