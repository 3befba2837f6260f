// SIGINT and SIGTERM as a request to stop.
#include "host/cli/stop_signals.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <ctime>

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

StopSignals::StopSignals() {
  sigset_t const set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this](std::stop_token const& ended) {
    sigset_t const waited = stop_signals();
    timespec const patience{0, 50'000'000};
    while (!ended.stop_requested()) {
      int const signal = sigtimedwait(&waited, nullptr, &patience);
      if (signal < 0) {
        continue;
      }
      // What is durable is consistent at every instant; nothing is left to do here.
      if (stop_.stop_requested()) {
        _exit(128 + signal);
      }
      spdlog::info("stopping: a second signal ends at once");
      stop_.request_stop();
    }
  });
}

StopSignals::~StopSignals() = default;

void unblock_stop_signals() {
  sigset_t const set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace windrow::cli
