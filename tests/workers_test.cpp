// The pool: every index once, the join, exceptions.
#include "host/engine/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace windrow {

TEST(WorkersTest, EveryIndexIsDoneOnceBeforeTheJoin) {
  for (unsigned threads : {1U, 2U, 3U, 8U}) {
    Workers workers(threads);
    EXPECT_EQ(workers.threads(), threads);
    for (int round = 0; round < 300; ++round) {
      std::size_t const n = static_cast<std::size_t>(round) % 37;
      std::vector<int> seen(n, 0);  // no atomics: each index belongs to one call
      workers.for_each(n, [&](std::size_t i) { seen[i] += round + 1; });
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(seen[i], round + 1);
      }
    }
  }
}

TEST(WorkersTest, TheFirstExceptionIsThrownAfterTheJoinAndThePoolGoesOn) {
  for (unsigned threads : {1U, 4U}) {
    Workers workers(threads);
    std::atomic<int> running{0};
    for (int round = 0; round < 50; ++round) {
      EXPECT_THROW(workers.for_each(20,
                                    [&](std::size_t i) {
                                      ++running;
                                      if (i == 3) {
                                        --running;
                                        throw std::runtime_error("three");
                                      }
                                      --running;
                                    }),
                   std::runtime_error);
      EXPECT_EQ(running, 0);
      std::atomic<int> sum{0};
      workers.for_each(10, [&](std::size_t i) { sum += static_cast<int>(i); });
      EXPECT_EQ(sum, 45);
    }
  }
}

TEST(WorkersTest, ThreadsThatSleptWorkAgain) {
  Workers workers(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::mutex mutex;
    std::set<std::thread::id> ids;
    // Each call waits for the other, so two threads must take part.
    std::atomic<int> here{0};
    workers.for_each(2, [&](std::size_t) {
      ++here;
      while (here < 2) {
        std::this_thread::yield();
      }
      std::lock_guard const lock(mutex);
      ids.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(ids.size(), 2U);
  }
}

}  // namespace windrow
