// Sorting on the device, by CUB's radix sort.
#include <cub/device/device_radix_sort.cuh>

#include "host/model/portable.hpp"
#include "kernels/primitives/cuda_device.cuh"

namespace windrow {

template <class Key>
std::size_t CudaDevice::sort_scratch(std::size_t n) {
  std::size_t bytes = 0;
  check(cub::DeviceRadixSort::SortPairs(
            nullptr, bytes, static_cast<Key const*>(nullptr), static_cast<Key*>(nullptr),
            static_cast<std::uint32_t const*>(nullptr), static_cast<std::uint32_t*>(nullptr),
            static_cast<std::uint32_t>(n), 0, 8 * sizeof(Key), stream_),
        "cub::DeviceRadixSort, asking for its scratch");
  return bytes;
}

template <class Key>
void CudaDevice::sort_pairs(Key const* keys_in, Key* keys_out, std::uint32_t const* values_in,
                            std::uint32_t* values_out, std::size_t n, unsigned end_bit) {
  WINDROW_ASSERT(n < UINT32_MAX && end_bit <= 8 * sizeof(Key), "what a sort can do");
  if (n == 0) {
    return;
  }
  begin_call();
  std::size_t bytes = sort_scratch<Key>(n);
  void* const temporaries = scratch(bytes);
  check(cub::DeviceRadixSort::SortPairs(temporaries, bytes, keys_in, keys_out, values_in,
                                        values_out, static_cast<std::uint32_t>(n), 0,
                                        static_cast<int>(end_bit), stream_),
        "cub::DeviceRadixSort");
}

template std::size_t CudaDevice::sort_scratch<std::uint32_t>(std::size_t);
template std::size_t CudaDevice::sort_scratch<std::uint64_t>(std::size_t);
template void CudaDevice::sort_pairs(std::uint32_t const*, std::uint32_t*, std::uint32_t const*,
                                     std::uint32_t*, std::size_t, unsigned);
template void CudaDevice::sort_pairs(std::uint64_t const*, std::uint64_t*, std::uint32_t const*,
                                     std::uint32_t*, std::size_t, unsigned);

}  // namespace windrow
