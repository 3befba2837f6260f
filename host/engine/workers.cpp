// The pool: work is claimed one index at a time from one atomic word.
#include "host/engine/workers.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr int spins_max = 1000;  // some ten microseconds, the distance between two forks of a batch

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `word` differs from `old`: spins first, then sleeps.
template <class T>
void wait_change(std::atomic<T> const& word, T old) {
  for (int i = 0; i < spins_max; ++i) {
    if (word.load(std::memory_order_acquire) != old) {
      return;
    }
    relax();
  }
  word.wait(old, std::memory_order_acquire);
}

}  // namespace

// A job is named by `ticket` = (epoch << 32) + next index.  The caller closes the old ticket,
// writes the fields below it, then publishes the next epoch.  A thread reads the fields and then
// claims its index with a compare-and-swap, which fails if the ticket was closed since; so no claim
// mixes two jobs.
struct Workers::Impl {
  static constexpr std::uint64_t closed = UINT32_MAX;  // an index that no job has
  std::atomic<std::uint64_t> ticket{0};
  std::atomic<std::uint32_t> n{0};
  std::atomic<void*> body{nullptr};
  std::atomic<void (*)(void*, std::size_t)> call{nullptr};
  std::atomic<std::uint32_t> done{0};
  std::atomic<bool> stop{false}, failed{false}, busy{false};
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::thread> threads;

  void invoke(void (*f)(void*, std::size_t), void* b, std::size_t i) {
    if (failed.load(std::memory_order_relaxed)) {
      return;
    }
    try {
      f(b, i);
    } catch (...) {
      std::lock_guard const lock(error_mutex);
      if (!error) {
        error = std::current_exception();
      }
      failed.store(true, std::memory_order_relaxed);
    }
  }

  // Claims and does indexes until none is left; returns the exhausted ticket.
  std::uint64_t work() {
    std::uint64_t now = ticket.load(std::memory_order_acquire);
    while (true) {
      std::uint32_t const size = n.load(std::memory_order_acquire);
      auto const index = static_cast<std::uint32_t>(now);
      if (index >= size) {
        return now;
      }
      void* const b = body.load(std::memory_order_acquire);
      auto const f = call.load(std::memory_order_acquire);
      if (!ticket.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
        continue;
      }
      ++now;
      invoke(f, b, index);
      if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
        done.notify_one();
      }
    }
  }

  void serve() {
    while (true) {
      std::uint64_t const exhausted = work();
      if (stop.load(std::memory_order_acquire)) {
        return;
      }
      wait_change(ticket, exhausted);
    }
  }

  void publish(std::uint32_t size, void* job_body, void (*job_call)(void*, std::size_t)) {
    std::uint64_t const epoch = ticket.load(std::memory_order_relaxed) >> 32U;
    ticket.store(epoch << 32U | closed, std::memory_order_release);
    done.store(0, std::memory_order_release);
    body.store(job_body, std::memory_order_release);
    call.store(job_call, std::memory_order_release);
    n.store(size, std::memory_order_release);
    ticket.store((epoch + 1) << 32U, std::memory_order_release);
    ticket.notify_all();
  }
};

Workers::Workers(unsigned threads) : impl_(std::make_unique<Impl>()) {
  WINDROW_ASSERT(threads >= 1, "the caller works too");
  impl_->threads.reserve(threads - 1);
  for (unsigned i = 1; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
  }
}

Workers::~Workers() {
  impl_->stop.store(true, std::memory_order_release);
  impl_->publish(0, nullptr, nullptr);
  for (std::thread& thread : impl_->threads) {
    thread.join();
  }
}

unsigned Workers::threads() const { return static_cast<unsigned>(impl_->threads.size()) + 1; }

void Workers::run(std::size_t n, void* body, void (*call)(void*, std::size_t)) {
  Impl& job = *impl_;
  WINDROW_ASSERT(n < UINT32_MAX, "indexes fit 32 bits");
  if (n == 0) {
    return;
  }
  WINDROW_ASSERT(!job.busy.exchange(true), "for_each is not nested");
  if (n == 1 || job.threads.empty()) {
    for (std::size_t i = 0; i < n; ++i) {
      job.invoke(call, body, i);
    }
  } else {
    auto const size = static_cast<std::uint32_t>(n);
    job.publish(size, body, call);
    job.work();
    while (true) {
      std::uint32_t const done = job.done.load(std::memory_order_acquire);
      if (done == size) {
        break;
      }
      wait_change(job.done, done);
    }
  }
  std::exception_ptr error;
  if (job.failed.load(std::memory_order_relaxed)) {
    error = std::exchange(job.error, nullptr);
    job.failed.store(false, std::memory_order_relaxed);
  }
  job.busy.store(false);
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace windrow
