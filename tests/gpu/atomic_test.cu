// Atomics of many threads at once end where one thread, after the other, would.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/cuda_devices.hpp"
#include "kernels/primitives/atomic.hpp"
#include "kernels/primitives/cuda_device.cuh"

namespace windrow {
namespace {

constexpr std::uint32_t n = 100'003, places = 7;

struct Cells {
  std::uint32_t added[places], ored[places], counted[places], swapped[places];
  std::int64_t signed_added[places], smallest[places], largest[places], wide_counted[places];
  std::uint64_t unsigned_largest[places];
};

// Neighbouring threads, those of one warp, come to different places.
struct DoAll {
  Cells* cells;
  std::uint32_t* ticket;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::size_t const at = i % places;
    auto const value = static_cast<std::int64_t>(i * 7919 % 50'000) - 25'000;
    atomic_add(cells->added[at], static_cast<std::uint32_t>(i));
    atomic_add(cells->signed_added[at], value);
    atomic_or(cells->ored[at], 1U << (i / places % 31));
    atomic_min(cells->smallest[at], value);
    atomic_max(cells->largest[at], value);
    atomic_max(cells->unsigned_largest[at], static_cast<std::uint64_t>(i));
    atomic_cas(cells->swapped[at], 0U, static_cast<std::uint32_t>(at) + 1U);
    ticket[i] = atomic_count(cells->counted[at]);
    if (value > 0) {
      atomic_count(cells->wide_counted[at]);
    }
  }
};

TEST(AtomicTest, ManyThreadsEndWhereOneThreadDoes) {
  CudaInventory const found = cuda_devices();
  if (found.devices.empty()) {
    GTEST_SKIP() << found.reason;
  }
  auto wanted = std::make_unique<Cells>();
  std::vector<std::uint32_t> tickets(n);
  for (std::size_t i = 0; i < n; ++i) {
    DoAll{wanted.get(), tickets.data()}(i);
  }
  CudaDevice device(0, SIZE_MAX, 1000);
  auto* const cells = static_cast<Cells*>(device.allocate(sizeof(Cells)));
  auto* const ticket = static_cast<std::uint32_t*>(device.allocate(n * sizeof(std::uint32_t)));
  device.fill(cells, 0, sizeof(Cells));
  device.for_each(n, DoAll{cells, ticket});
  Cells got;
  device.copy_out(&got, cells, sizeof got);
  device.copy_out(tickets.data(), ticket, n * sizeof(std::uint32_t));
  device.synchronise();
  for (std::size_t at = 0; at < places; ++at) {
    EXPECT_EQ(got.added[at], wanted->added[at]);
    EXPECT_EQ(got.signed_added[at], wanted->signed_added[at]);
    EXPECT_EQ(got.ored[at], wanted->ored[at]);
    EXPECT_EQ(got.smallest[at], wanted->smallest[at]);
    EXPECT_EQ(got.largest[at], wanted->largest[at]);
    EXPECT_EQ(got.unsigned_largest[at], wanted->unsigned_largest[at]);
    EXPECT_EQ(got.swapped[at], wanted->swapped[at]);
    EXPECT_EQ(got.counted[at], wanted->counted[at]);
    EXPECT_EQ(got.wide_counted[at], wanted->wide_counted[at]);
    // Everybody who counts gets a number of their own.
    std::vector<std::uint32_t> numbers;
    for (std::size_t i = at; i < n; i += places) {
      numbers.push_back(tickets[i]);
    }
    std::sort(numbers.begin(), numbers.end());
    for (std::uint32_t k = 0; k < numbers.size(); ++k) {
      ASSERT_EQ(numbers[k], k) << "place " << at;
    }
  }
  device.release(cells, sizeof(Cells));
  device.release(ticket, n * sizeof(std::uint32_t));
}

}  // namespace
}  // namespace windrow
