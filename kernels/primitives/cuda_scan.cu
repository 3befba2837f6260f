// Sums of all before, on the device, by CUB's scan.
#include <cub/device/device_scan.cuh>

#include <iterator>

#include "host/model/portable.hpp"
#include "kernels/primitives/cuda_device.cuh"

namespace windrow {
namespace {

// in[i], and 0 at n, so that a scan of n + 1 values ends with the sum of all.
struct ThenZero {
  using value_type = std::uint32_t;
  using reference = std::uint32_t;
  using pointer = void;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::random_access_iterator_tag;

  std::uint32_t const* in;
  std::ptrdiff_t n;

  WINDROW_HOST_DEVICE reference operator[](difference_type i) const { return i < n ? in[i] : 0; }
  WINDROW_HOST_DEVICE reference operator*() const { return (*this)[0]; }
  WINDROW_HOST_DEVICE ThenZero operator+(difference_type by) const { return {in + by, n - by}; }
};

}  // namespace

std::size_t CudaDevice::scan_scratch(std::size_t n) {
  std::size_t bytes = 0;
  check(cub::DeviceScan::ExclusiveSum(nullptr, bytes, ThenZero{},
                                      static_cast<std::uint32_t*>(nullptr),
                                      static_cast<std::uint32_t>(n + 1), stream_),
        "cub::DeviceScan, asking for its scratch");
  return bytes;
}

void CudaDevice::exclusive_scan(std::uint32_t const* in, std::uint32_t* out, std::size_t n) {
  WINDROW_ASSERT(n < UINT32_MAX, "what a scan can do");
  begin_call();
  std::size_t bytes = scan_scratch(n);
  void* const temporaries = scratch(bytes);
  check(cub::DeviceScan::ExclusiveSum(temporaries, bytes,
                                      ThenZero{in, static_cast<std::ptrdiff_t>(n)}, out,
                                      static_cast<std::uint32_t>(n + 1), stream_),
        "cub::DeviceScan");
}

}  // namespace windrow
