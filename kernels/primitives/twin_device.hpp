// The host twin of the device primitives: plain loops over plain memory, so that the algorithms of
// kernels/ run, and are sanitised, where there is no GPU.  cuda_device.cuh has the same interface.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/primitives/block.hpp"
#include "kernels/primitives/device_error.hpp"

namespace windrow {

// All work is queued and runs in the order in which it was asked for; here it runs at once.  A
// *kernel* is a copyable struct with `operator()(std::size_t i) const`; it runs for every i below
// n, in any order and at once.
class TwinDevice {
 public:
  //   budget  bytes that may be allocated; beyond them DeviceOutOfMemory
  explicit TwinDevice(std::size_t budget = SIZE_MAX) : budget_(budget) {}
  TwinDevice(TwinDevice const&) = delete;
  TwinDevice& operator=(TwinDevice const&) = delete;

  // Memory of the device, not initialised.  Only between batches and before a row is folded.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    if (bytes > budget_ - bytes_) {
      throw DeviceOutOfMemory();
    }
    void* const memory = allocate_host(bytes);
    bytes_ += bytes;
    return memory;
  }
  void release(void* memory, std::size_t bytes) noexcept {
    std::free(memory);
    bytes_ -= bytes;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::string name() const { return "twin"; }
  // Tests: the n-th allocation from now fails, here or of the host (0: none).
  void fail_allocation(std::uint64_t n) { allocations_left_ = n; }

  // Memory of the host that the copy engine reads and writes at full speed.
  [[nodiscard]] void* allocate_host(std::size_t bytes) {
    void* const memory =
        --allocations_left_ == 0 ? nullptr : std::malloc(std::max<std::size_t>(bytes, 1));
    if (memory == nullptr) {
      throw DeviceOutOfMemory();
    }
    return memory;
  }
  void release_host(void* memory) noexcept { std::free(memory); }

  // The host's side must stand still until `synchronise`.
  void copy_in(void* device, void const* host, std::size_t bytes) {
    copied_in_ += bytes;
    copy(device, host, bytes);
  }
  void copy_out(void* host, void const* device, std::size_t bytes) {
    copied_out_ += bytes;
    copy(host, device, bytes);
  }
  // Bytes of all such copies so far.
  [[nodiscard]] std::uint64_t copied_in() const { return copied_in_; }
  [[nodiscard]] std::uint64_t copied_out() const { return copied_out_; }
  void copy_within(void* to, void const* from, std::size_t bytes) { copy(to, from, bytes); }
  void fill(void* device, int byte, std::size_t bytes) {
    if (bytes > 0) {
      std::memset(device, byte, bytes);
    }
  }
  // All that was asked for is done.
  void synchronise() {}
  // A mark behind all that was asked for so far; `wait` returns when the work before it is done.
  using Mark = std::uint64_t;
  [[nodiscard]] Mark mark() { return 0; }
  void wait(Mark) {}

  template <class Kernel>
  void for_each(std::size_t n, Kernel const& kernel) {
    for (std::size_t i = 0; i < n; ++i) {
      kernel(i);
    }
  }
  // The same for a number that only the device knows, at most `n_max`.
  template <class Kernel>
  void for_each(std::uint32_t const* n, std::size_t n_max, Kernel const& kernel) {
    for_each(std::min<std::size_t>(*n, n_max), kernel);
  }

  // Runs a kernel over blocks (block.hpp).
  //   shared  bytes of each, at most shared_bytes()
  template <class Kernel>
  void for_each_block(unsigned blocks, std::size_t shared, Kernel const& kernel) {
    std::vector<std::max_align_t> memory(shared / sizeof(std::max_align_t) + 1);
    for (unsigned b = 0; b < blocks; ++b) {
      for (unsigned phase = 0; phase < Kernel::phases; ++phase) {
        for (unsigned thread = 0; thread < block_threads; ++thread) {
          kernel(Block{reinterpret_cast<std::byte*>(memory.data()), b, thread, block_threads},
                 phase);
        }
      }
    }
  }
  [[nodiscard]] std::size_t shared_bytes() const { return 48 * 1024; }

  // Sorts (key, value) pairs by the bits [0, end_bit) of their keys; equal keys keep their order.
  // Keys are unsigned.  In and out do not overlap.
  template <class Key>
  void sort_pairs(Key const* keys_in, Key* keys_out, std::uint32_t const* values_in,
                  std::uint32_t* values_out, std::size_t n, unsigned end_bit) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    Key const mask = end_bit >= 8 * sizeof(Key) ? static_cast<Key>(~Key{0})
                                                : static_cast<Key>((Key{1} << end_bit) - 1);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return (keys_in[a] & mask) < (keys_in[b] & mask);
    });
    for (std::size_t i = 0; i < n; ++i) {
      keys_out[i] = keys_in[order[i]];
      values_out[i] = values_in[order[i]];
    }
  }

  // out[i] = sum of in[0, i), for i <= n: n + 1 values.  May be in place.
  void exclusive_scan(std::uint32_t const* in, std::uint32_t* out, std::size_t n) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      std::uint32_t const v = in[i];
      out[i] = sum;
      sum += v;
    }
    out[n] = sum;
  }

 private:
  static void copy(void* to, void const* from, std::size_t bytes) {
    if (bytes > 0) {
      std::memcpy(to, from, bytes);
    }
  }
  static constexpr unsigned block_threads = 32;
  std::size_t const budget_;
  std::size_t bytes_ = 0;
  std::uint64_t allocations_left_ = 0, copied_in_ = 0, copied_out_ = 0;
};

}  // namespace windrow
