// The device primitives over CUDA: memory, copies, marks and what an error means.
#include "kernels/primitives/cuda_device.cuh"

#include <algorithm>
#include <cstring>

#include "host/model/portable.hpp"

namespace windrow {

CudaDevice::CudaDevice(int ordinal, std::size_t budget, std::size_t items_max)
    : ordinal_(ordinal), budget_(budget) {
  try {
    begin_call();
    int processors = 0, threads = 0;
    check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, ordinal_),
          "cudaDeviceGetAttribute");
    check(cudaDeviceGetAttribute(&threads, cudaDevAttrMaxThreadsPerMultiProcessor, ordinal_),
          "cudaDeviceGetAttribute");
    int shared = 0;
    check(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal_),
          "cudaDeviceGetAttribute");
    shared_bytes_ = static_cast<std::size_t>(shared) / 2;
    blocks_max_ = static_cast<unsigned>(processors * threads) / cuda::block_threads;
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    for (cudaEvent_t& event : events_) {
      check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
    }
    staging_ = static_cast<std::byte*>(allocate_host(2 * half_bytes));
    static_cast<void>(
        scratch(std::max({sort_scratch<std::uint32_t>(items_max),
                          sort_scratch<std::uint64_t>(items_max), scan_scratch(items_max)})));
  } catch (...) {
    free_all();
    throw;
  }
}

CudaDevice::~CudaDevice() { free_all(); }

// Whatever has failed has been said, or the process ends.
void CudaDevice::free_all() noexcept {
  cudaSetDevice(ordinal_);
  if (stream_ != nullptr) {
    cudaStreamSynchronize(stream_);
  }
  release(scratch_, scratch_bytes_);
  release_host(staging_);
  for (cudaEvent_t const event : events_) {
    if (event != nullptr) {
      cudaEventDestroy(event);
    }
  }
  if (stream_ != nullptr) {
    cudaStreamDestroy(stream_);
  }
}

void CudaDevice::begin_call() {
  if (!lost_.empty()) {
    throw DeviceLost(lost_);
  }
  check(cudaSetDevice(ordinal_), "cudaSetDevice");
}

void CudaDevice::check(cudaError_t error, char const* call) {
  if (error == cudaSuccess) {
    return;
  }
  static_cast<void>(cudaGetLastError());
  lost_ = std::string("gpu: a call should succeed: device=cuda:") + std::to_string(ordinal_) +
          " call=" + call + " error=" + std::to_string(error) + " (" + cudaGetErrorString(error) +
          ")";
  throw DeviceLost(lost_);
}

// Only an allocation may be answered by asking for less: a launch for which there is no memory
// leaves a batch half done.
void* CudaDevice::allocated(cudaError_t error, void* memory, char const* call) {
  if (error == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw DeviceOutOfMemory();
  }
  check(error, call);
  return memory;
}

void* CudaDevice::allocate(std::size_t bytes) {
  begin_call();
  if (bytes > budget_ - bytes_) {
    throw DeviceOutOfMemory();
  }
  void* memory = nullptr;
  cudaError_t const error = cudaMalloc(&memory, std::max<std::size_t>(bytes, 1));
  memory = allocated(error, memory, "cudaMalloc");
  bytes_ += bytes;
  return memory;
}

void CudaDevice::release(void* memory, std::size_t bytes) noexcept {
  if (memory != nullptr) {
    cudaSetDevice(ordinal_);
    cudaFree(memory);
    bytes_ -= bytes;
  }
}

void* CudaDevice::allocate_host(std::size_t bytes) {
  begin_call();
  void* memory = nullptr;
  cudaError_t const error = cudaMallocHost(&memory, std::max<std::size_t>(bytes, 1));
  memory = allocated(error, memory, "cudaMallocHost");
  pinned_.emplace(static_cast<std::byte const*>(memory), bytes);
  return memory;
}

void CudaDevice::release_host(void* memory) noexcept {
  if (memory != nullptr) {
    pinned_.erase(static_cast<std::byte const*>(memory));
    cudaFreeHost(memory);
  }
}

void const* CudaDevice::staged(void const* host, std::size_t bytes) {
  auto const* const begin = static_cast<std::byte const*>(host);
  auto const after = pinned_.upper_bound(begin);
  if (after != pinned_.begin()) {
    auto const& [pinned, size] = *std::prev(after);
    if (begin + bytes <= pinned + size) {
      return host;
    }
  }
  if (bytes > half_bytes) {
    return host;
  }
  if (bytes > half_bytes - half_used_) {
    half_done_[half_] = mark();
    half_ = 1 - half_;
    half_used_ = 0;
    wait(half_done_[half_]);
  }
  std::byte* const copy = staging_ + half_ * half_bytes + half_used_;
  std::memcpy(copy, host, bytes);
  half_used_ += bytes;
  return copy;
}

void CudaDevice::copy_in(void* device, void const* host, std::size_t bytes) {
  if (bytes > 0) {
    begin_call();
    check(cudaMemcpyAsync(device, staged(host, bytes), bytes, cudaMemcpyHostToDevice, stream_),
          "cudaMemcpyAsync to the device");
    copied_in_ += bytes;
  }
}

void CudaDevice::copy_out(void* host, void const* device, std::size_t bytes) {
  if (bytes > 0) {
    begin_call();
    check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_),
          "cudaMemcpyAsync from the device");
    copied_out_ += bytes;
  }
}

void CudaDevice::copy_within(void* to, void const* from, std::size_t bytes) {
  if (bytes > 0) {
    begin_call();
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_),
          "cudaMemcpyAsync within the device");
  }
}

void CudaDevice::fill(void* device, int byte, std::size_t bytes) {
  if (bytes > 0) {
    begin_call();
    check(cudaMemsetAsync(device, byte, bytes, stream_), "cudaMemsetAsync");
  }
}

void CudaDevice::synchronise() {
  begin_call();
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

CudaDevice::Mark CudaDevice::mark() {
  begin_call();
  ++last_mark_;
  check(cudaEventRecord(events_[last_mark_ % marks], stream_), "cudaEventRecord");
  return last_mark_;
}

// An event that was recorded again since is a later mark, which is right as well.
void CudaDevice::wait(Mark mark) {
  if (mark > 0) {
    begin_call();
    check(cudaEventSynchronize(events_[mark % marks]), "cudaEventSynchronize");
  }
}

unsigned CudaDevice::blocks_for(std::size_t n) const noexcept {
  std::size_t const blocks = (n + cuda::block_threads - 1) / cuda::block_threads;
  return static_cast<unsigned>(std::min<std::size_t>(blocks, blocks_max_));
}

void* CudaDevice::scratch(std::size_t bytes) {
  if (bytes > scratch_bytes_) {
    void* const grown = allocate(bytes);
    synchronise();
    release(scratch_, scratch_bytes_);
    scratch_ = grown;
    scratch_bytes_ = bytes;
  }
  return scratch_;
}

}  // namespace windrow
