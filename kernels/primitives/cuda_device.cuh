// The device primitives over CUDA and CUB: what TwinDevice is on the host, on one stream of one
// GPU.
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "kernels/primitives/block.hpp"
#include "kernels/primitives/device_error.hpp"

namespace windrow {
namespace cuda {

inline constexpr unsigned block_threads = 256;

// No __launch_bounds__ of 256: told that, ptxas 13.0 holds kernels to as few registers as 32 and
// spills up to 140 bytes where, bound by the 1024 of any block, it takes 46 to 56 and spills none.
template <class Kernel>
__global__ void for_each(std::size_t n, Kernel const __grid_constant__ kernel) {
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) {
    kernel(i);
  }
}

template <class Kernel>
__global__ void for_each_counted(std::uint32_t const* count, std::size_t n_max,
                                 Kernel const __grid_constant__ kernel) {
  std::size_t const n = *count < n_max ? *count : n_max;
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) {
    kernel(i);
  }
}

template <class Kernel>
__global__ void for_each_block(Kernel const __grid_constant__ kernel) {
  extern __shared__ __align__(16) std::byte shared[];
  for (unsigned phase = 0; phase < Kernel::phases; ++phase) {
    kernel(Block{shared, blockIdx.x, threadIdx.x, blockDim.x}, phase);
    __syncthreads();
  }
}

}  // namespace cuda

// Queues and returns, in the order in which it was asked; only `synchronise` and `wait` block, and
// copies out to memory that is not of `allocate_host`.  An allocation that finds no memory is
// DeviceOutOfMemory; any other error is DeviceLost, and so is every call after it.
class CudaDevice {
 public:
  //   ordinal    N of `cuda:N` (cuda_devices.hpp)
  //   budget     bytes of the device that may be allocated; beyond them DeviceOutOfMemory
  //   items_max  the most that is sorted or scanned at a time; scratch for it is taken here
  CudaDevice(int ordinal, std::size_t budget, std::size_t items_max);
  CudaDevice(CudaDevice const&) = delete;
  CudaDevice& operator=(CudaDevice const&) = delete;
  ~CudaDevice();

  // Memory of the device, not initialised.  Only between batches and before a row is folded.
  [[nodiscard]] void* allocate(std::size_t bytes);
  void release(void* memory, std::size_t bytes) noexcept;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::string name() const { return "cuda:" + std::to_string(ordinal_); }

  // Memory of the host that the copy engine reads and writes at full speed.
  [[nodiscard]] void* allocate_host(std::size_t bytes);
  void release_host(void* memory) noexcept;

  // The host's side must stand still until `synchronise`.
  void copy_in(void* device, void const* host, std::size_t bytes);
  void copy_out(void* host, void const* device, std::size_t bytes);
  void copy_within(void* to, void const* from, std::size_t bytes);
  // Bytes of all copies in and out so far.
  [[nodiscard]] std::uint64_t copied_in() const { return copied_in_; }
  [[nodiscard]] std::uint64_t copied_out() const { return copied_out_; }
  void fill(void* device, int byte, std::size_t bytes);
  // All that was asked for is done.
  void synchronise();
  // A mark behind all that was asked for so far; `wait` returns when the work before it is done.
  using Mark = std::uint64_t;
  [[nodiscard]] Mark mark();
  void wait(Mark mark);

  // The kernel is copied at the call.
  template <class Kernel>
  void for_each(std::size_t n, Kernel const& kernel) {
    if (n == 0) {
      return;
    }
    begin_call();
    cuda::for_each<<<blocks_for(n), cuda::block_threads, 0, stream_>>>(n, fitting(kernel));
    check(cudaGetLastError(), typeid(Kernel).name());
  }
  // The same for a number that only the device knows, at most `n_max`.
  template <class Kernel>
  void for_each(std::uint32_t const* n, std::size_t n_max, Kernel const& kernel) {
    if (n_max == 0) {
      return;
    }
    begin_call();
    cuda::for_each_counted<<<blocks_for(n_max), cuda::block_threads, 0, stream_>>>(n, n_max,
                                                                                   fitting(kernel));
    check(cudaGetLastError(), typeid(Kernel).name());
  }

  // Runs a kernel over blocks (block.hpp).
  //   shared  bytes of each, at most shared_bytes()
  template <class Kernel>
  void for_each_block(unsigned blocks, std::size_t shared, Kernel const& kernel) {
    if (blocks == 0) {
      return;
    }
    begin_call();
    check(
        cudaFuncSetAttribute(cuda::for_each_block<Kernel>,
                             cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)),
        "cudaFuncSetAttribute");
    cuda::for_each_block<<<blocks, cuda::block_threads, shared, stream_>>>(fitting(kernel));
    check(cudaGetLastError(), typeid(Kernel).name());
  }
  // Half of what a block can have, so that two share a multiprocessor.
  [[nodiscard]] std::size_t shared_bytes() const { return shared_bytes_; }

  // Sorts (key, value) pairs by the bits [0, end_bit) of their keys; equal keys keep their order.
  // Keys are std::uint32_t or std::uint64_t.  In and out do not overlap.
  template <class Key>
  void sort_pairs(Key const* keys_in, Key* keys_out, std::uint32_t const* values_in,
                  std::uint32_t* values_out, std::size_t n, unsigned end_bit);

  // out[i] = sum of in[0, i), for i <= n: n + 1 values.  May be in place.
  void exclusive_scan(std::uint32_t const* in, std::uint32_t* out, std::size_t n);

 private:
  template <class Kernel>
  static Kernel const& fitting(Kernel const& kernel) {
    static_assert(std::is_trivially_copyable_v<Kernel>, "a kernel is copied as bytes");
    static_assert(sizeof(Kernel) <= 4000, "what a kernel is given has to fit its 4 KB");
    return kernel;
  }
  [[nodiscard]] unsigned blocks_for(std::size_t n) const noexcept;
  // Every call begins so: the GPU is the one of this thread, and not lost.
  void begin_call();
  void check(cudaError_t error, char const* call);
  [[nodiscard]] void* allocated(cudaError_t error, void* memory, char const* call);
  // Room for `bytes` of CUB's temporaries; grows only beyond what the constructor was told.
  [[nodiscard]] void* scratch(std::size_t bytes);
  template <class Key>
  [[nodiscard]] std::size_t sort_scratch(std::size_t n);
  [[nodiscard]] std::size_t scan_scratch(std::size_t n);
  // `host`, or a pinned copy of it: copies out of other memory would wait for the stream.
  [[nodiscard]] void const* staged(void const* host, std::size_t bytes);
  void free_all() noexcept;

  static constexpr std::size_t marks = 16, half_bytes = std::size_t{1} << 20U;
  int const ordinal_;
  std::size_t const budget_;
  std::size_t bytes_ = 0;
  std::uint64_t copied_in_ = 0, copied_out_ = 0;
  std::string lost_;  // the first error; empty: none
  unsigned blocks_max_ = 1;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t events_[marks] = {};
  Mark last_mark_ = 0;
  void* scratch_ = nullptr;
  std::size_t scratch_bytes_ = 0, shared_bytes_ = 0;
  std::map<std::byte const*, std::size_t> pinned_;  // what allocate_host gave, by its begin
  // Two halves, used in turn; a half is used again when the copies out of it are done.
  std::byte* staging_ = nullptr;
  std::size_t half_ = 0, half_used_ = 0;
  Mark half_done_[2] = {0, 0};
};

}  // namespace windrow
