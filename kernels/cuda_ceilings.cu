// What a GPU can move at most, by its own events.
#include "kernels/cuda_ceilings.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "kernels/primitives/device_error.hpp"

namespace windrow {
namespace {

constexpr std::size_t bytes = std::size_t{256} << 20U;
constexpr int copies = 5;

void check(cudaError_t error, char const* call) {
  if (error == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw DeviceOutOfMemory();
  }
  if (error != cudaSuccess) {
    throw DeviceLost(std::string("gpu: a call should succeed: call=") + call +
                     " error=" + std::to_string(error) + " (" + cudaGetErrorString(error) + ")");
  }
}

class Copies {
 public:
  explicit Copies(int ordinal) {
    try {
      check(cudaSetDevice(ordinal), "cudaSetDevice");
      check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
      check(cudaEventCreate(&begin_), "cudaEventCreate");
      check(cudaEventCreate(&end_), "cudaEventCreate");
      check(cudaMallocHost(&host_, bytes), "cudaMallocHost");
      check(cudaMalloc(&device_, bytes), "cudaMalloc");
      check(cudaMalloc(&other_, bytes), "cudaMalloc");
      check(cudaMemsetAsync(device_, 1, bytes, stream_), "cudaMemsetAsync");
    } catch (...) {
      release();
      throw;
    }
  }
  Copies(Copies const&) = delete;  // owns memory
  Copies& operator=(Copies const&) = delete;
  ~Copies() { release(); }

  CudaCeilings measure() {
    return {rate(device_, host_, cudaMemcpyHostToDevice),
            rate(host_, device_, cudaMemcpyDeviceToHost),
            rate(other_, device_, cudaMemcpyDeviceToDevice)};
  }

 private:
  // The first copy is not counted: it meets cold pages.
  double rate(void* to, void const* from, cudaMemcpyKind kind) {
    double best = 0;
    for (int copy = 0; copy <= copies; ++copy) {
      check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
      check(cudaMemcpyAsync(to, from, bytes, kind, stream_), "cudaMemcpyAsync");
      check(cudaEventRecord(end_, stream_), "cudaEventRecord");
      check(cudaEventSynchronize(end_), "cudaEventSynchronize");
      float ms = 0;
      check(cudaEventElapsedTime(&ms, begin_, end_), "cudaEventElapsedTime");
      if (copy > 0) {
        best = std::max(best, static_cast<double>(bytes) / (static_cast<double>(ms) * 1e-3));
      }
    }
    return best;
  }
  void release() noexcept {
    cudaFree(other_);
    cudaFree(device_);
    cudaFreeHost(host_);
    if (end_ != nullptr) {
      cudaEventDestroy(end_);
    }
    if (begin_ != nullptr) {
      cudaEventDestroy(begin_);
    }
    if (stream_ != nullptr) {
      cudaStreamDestroy(stream_);
    }
  }
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  void *host_ = nullptr, *device_ = nullptr, *other_ = nullptr;
};

}  // namespace

CudaCeilings measure_cuda_ceilings(int ordinal) { return Copies(ordinal).measure(); }

}  // namespace windrow
