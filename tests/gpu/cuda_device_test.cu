// The device primitives on a GPU do what plain loops do, for sizes around a warp and a block.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "host/model/portable.hpp"
#include "kernels/cuda_devices.hpp"
#include "kernels/primitives/cuda_device.cuh"

namespace windrow {
namespace {

constexpr std::size_t items_max = 1000;  // sorts of more make scratch grow
constexpr std::size_t sizes[] = {0, 1, 31, 32, 33, 255, 256, 257, 1000, 100'003};

struct Triple {
  std::uint32_t* out;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    out[i] = 3 * static_cast<std::uint32_t>(i) + 1;
  }
};

class CudaDeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    CudaInventory const found = cuda_devices();
    if (found.devices.empty()) {
      GTEST_SKIP() << found.reason;
    }
    device_ = std::make_unique<CudaDevice>(0, SIZE_MAX, items_max);
  }
  ~CudaDeviceTest() override {
    for (auto const& [memory, bytes] : owned_) {
      device_->release(memory, bytes);
    }
  }

  template <class T>
  T* room_for(std::size_t n) {
    owned_.emplace_back(device_->allocate(n * sizeof(T)), n * sizeof(T));
    return static_cast<T*>(owned_.back().first);
  }
  template <class T>
  T* on_device(std::vector<T> const& host) {
    T* const to = room_for<T>(host.size());
    device_->copy_in(to, host.data(), host.size() * sizeof(T));
    device_->synchronise();
    return to;
  }
  template <class T>
  std::vector<T> on_host(T const* device, std::size_t n) {
    std::vector<T> host(n);
    device_->copy_out(host.data(), device, n * sizeof(T));
    device_->synchronise();
    return host;
  }
  template <class Key>
  void expect_sorted(std::size_t n, unsigned end_bit) {
    std::mt19937_64 random(n * 100 + end_bit);
    std::vector<Key> keys(n);
    std::generate(keys.begin(), keys.end(), [&] { return static_cast<Key>(random()); });
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    Key* const keys_out = room_for<Key>(n);
    std::uint32_t* const order_out = room_for<std::uint32_t>(n);
    device_->sort_pairs<Key>(on_device(keys), keys_out, on_device(order), order_out, n, end_bit);

    Key const mask = end_bit == 8 * sizeof(Key) ? static_cast<Key>(~Key{0})
                                                : static_cast<Key>((Key{1} << end_bit) - 1);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return (keys[a] & mask) < (keys[b] & mask);
    });
    EXPECT_EQ(on_host(order_out, n), order) << n << " keys, " << end_bit << " bits";
    std::vector<Key> wanted;
    std::transform(order.begin(), order.end(), std::back_inserter(wanted),
                   [&](std::uint32_t i) { return keys[i]; });
    EXPECT_EQ(on_host(keys_out, n), wanted) << n << " keys, " << end_bit << " bits";
  }

  std::unique_ptr<CudaDevice> device_;
  std::vector<std::pair<void*, std::size_t>> owned_;
};

// This one needs a machine without a GPU.
TEST(CudaDeviceWithoutAGpuTest, IsLostAndNamesTheCall) {
  if (!cuda_devices().devices.empty()) {
    GTEST_SKIP() << "there is a GPU";
  }
  try {
    CudaDevice const device(0, SIZE_MAX, items_max);
    ADD_FAILURE() << "made without a GPU";
  } catch (DeviceLost const& lost) {
    EXPECT_NE(std::string(lost.what()).find("device=cuda:0 call=cudaSetDevice error="),
              std::string::npos)
        << lost.what();
  }
}

TEST_F(CudaDeviceTest, AKernelRunsOnceForEveryIndexBelowN) {
  for (std::size_t const n : sizes) {
    std::vector<std::uint32_t> wanted(n + 5, 7);
    std::uint32_t* const out = on_device(wanted);
    device_->for_each(n, Triple{out});
    for (std::size_t i = 0; i < n; ++i) {
      wanted[i] = 3 * static_cast<std::uint32_t>(i) + 1;
    }
    EXPECT_EQ(on_host(out, n + 5), wanted) << n;
  }
}

TEST_F(CudaDeviceTest, ACountOnTheDeviceBoundsAKernelAndTheHostBoundsTheCount) {
  for (std::size_t const n : sizes) {
    for (std::size_t const n_max : {n, n / 2}) {
      std::uint32_t* const out = on_device(std::vector<std::uint32_t>(n + 1, 7));
      std::uint32_t* const count = on_device(std::vector{static_cast<std::uint32_t>(n)});
      device_->for_each(count, n_max, Triple{out});
      std::vector<std::uint32_t> wanted(n + 1, 7);
      for (std::size_t i = 0; i < n_max; ++i) {
        wanted[i] = 3 * static_cast<std::uint32_t>(i) + 1;
      }
      EXPECT_EQ(on_host(out, n + 1), wanted) << n << " of at most " << n_max;
    }
  }
}

TEST_F(CudaDeviceTest, ASortIsStableAndLooksAtTheAskedBitsOnly) {
  for (std::size_t const n : sizes) {
    for (unsigned const end_bit : {0U, 1U, 8U, 17U, 32U}) {
      expect_sorted<std::uint32_t>(n, end_bit);
      expect_sorted<std::uint64_t>(n, 2 * end_bit);
    }
  }
}

TEST_F(CudaDeviceTest, AScanEndsWithTheSumOfAllAlsoInPlace) {
  for (std::size_t const n : sizes) {
    std::vector<std::uint32_t> in(n + 1, 999);  // the last one is not read
    for (std::size_t i = 0; i < n; ++i) {
      in[i] = static_cast<std::uint32_t>(i % 3);
    }
    std::vector<std::uint32_t> wanted(n + 1);
    std::exclusive_scan(in.begin(), in.end(), wanted.begin(), 0U);
    std::uint32_t* const from = on_device(in);
    std::uint32_t* const to = room_for<std::uint32_t>(n + 1);
    device_->exclusive_scan(from, to, n);
    EXPECT_EQ(on_host(to, n + 1), wanted) << n;
    device_->exclusive_scan(from, from, n);
    EXPECT_EQ(on_host(from, n + 1), wanted) << n << " in place";
  }
}

// 5 MB in small pieces go through both halves of the pinned staging memory several times.
TEST_F(CudaDeviceTest, CopiesComeInOrderAndWhole) {
  std::vector<std::vector<std::uint32_t>> pieces;
  for (std::uint32_t p = 0; p < 5'000; ++p) {
    pieces.emplace_back(200 + p % 100, p);
  }
  std::vector<std::uint32_t> wanted;
  for (auto const& piece : pieces) {
    wanted.insert(wanted.end(), piece.begin(), piece.end());
  }
  std::uint32_t* const to = room_for<std::uint32_t>(wanted.size());
  std::uint32_t* at = to;
  for (auto const& piece : pieces) {
    device_->copy_in(at, piece.data(), piece.size() * sizeof(std::uint32_t));
    at += piece.size();
  }
  EXPECT_EQ(on_host(to, wanted.size()), wanted);
  std::uint32_t* const copy = room_for<std::uint32_t>(wanted.size());
  device_->copy_within(copy, to, wanted.size() * sizeof(std::uint32_t));
  device_->fill(to, 0xff, wanted.size() * sizeof(std::uint32_t));
  EXPECT_EQ(on_host(copy, wanted.size()), wanted);
  EXPECT_EQ(on_host(to, wanted.size()), std::vector(wanted.size(), UINT32_MAX));
}

TEST_F(CudaDeviceTest, WhatCameBeforeAMarkIsThereAfterItsWait) {
  std::size_t const n = 100'003;
  auto* const host = static_cast<std::uint32_t*>(device_->allocate_host(n * sizeof(std::uint32_t)));
  std::fill_n(host, n, 0U);
  std::uint32_t* const out = room_for<std::uint32_t>(n);
  device_->for_each(n, Triple{out});
  device_->copy_out(host, out, n * sizeof(std::uint32_t));
  CudaDevice::Mark const mark = device_->mark();
  for (int later = 0; later < 40; ++later) {  // more marks than there are events
    static_cast<void>(device_->mark());
  }
  device_->wait(mark);
  EXPECT_EQ(host[n - 1], 3 * static_cast<std::uint32_t>(n - 1) + 1);
  device_->release_host(host);
}

TEST_F(CudaDeviceTest, MemoryBeyondTheBudgetOrTheGpuIsRefusedAndNothingElse) {
  std::size_t const gpu = cuda_devices().devices[0].memory_total;
  EXPECT_THROW(static_cast<void>(device_->allocate(2 * gpu)), DeviceOutOfMemory);
  CudaDevice small(0, std::size_t{64} << 20U, items_max);
  std::size_t const before = small.bytes();
  EXPECT_THROW(static_cast<void>(small.allocate(std::size_t{64} << 20U)), DeviceOutOfMemory);
  EXPECT_EQ(small.bytes(), before);
  small.release(small.allocate(1000), 1000);
  EXPECT_EQ(small.bytes(), before);
  small.synchronise();
}

}  // namespace
}  // namespace windrow
