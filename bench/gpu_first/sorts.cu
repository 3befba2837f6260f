// Sorting pairs, and reducing what is sorted: the floor of plan E.
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_reduce.cuh>
#include <cub/device/device_segmented_reduce.cuh>

#include "bench/gpu_first/gpu.cuh"

namespace windrow::gpu_first {
namespace {

template <class Key>
__global__ void __launch_bounds__(threads) fill_pairs(Key* keys, double* values, std::size_t n) {
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) {
    keys[i] = static_cast<Key>(scattered(i));
    values[i] = static_cast<double>(i % 1000);
  }
}

// Sorted: `length` equal keys after the other; offsets[r] is where run r begins.
__global__ void __launch_bounds__(threads)
    fill_runs(std::uint32_t* keys, double* values, std::uint32_t* offsets, std::uint32_t n,
              std::uint32_t length) {
  std::uint32_t const stride = gridDim.x * blockDim.x;
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
    keys[i] = i / length;
    values[i] = static_cast<double>(i % 1000);
    if (i % length == 0) {
      offsets[i / length] = i;
    }
    if (i == n - 1) {
      offsets[i / length + 1] = n;
    }
  }
}

template <class Key>
void measure_sort(Gpu& gpu, unsigned log_n, int end_bit) {
  std::uint32_t const n = 1U << log_n;  // of 32 bits, as the engine sorts
  Memory const keys(Place::device, n * sizeof(Key)), keys_out(Place::device, n * sizeof(Key));
  Memory const values(Place::device, n * sizeof(double));
  Memory const values_out(Place::device, n * sizeof(double));
  fill_pairs<<<gpu.blocks(), threads, 0, gpu.stream>>>(keys.as<Key>(), values.as<double>(), n);
  check(cudaGetLastError(), "fill_pairs");
  std::size_t scratch_bytes = 0;
  auto const sort = [&](void* scratch) {
    check(cub::DeviceRadixSort::SortPairs(scratch, scratch_bytes, keys.as<Key>(),
                                          keys_out.as<Key>(), values.as<double>(),
                                          values_out.as<double>(), n, 0, end_bit, gpu.stream),
          "cub::DeviceRadixSort");
  };
  sort(nullptr);
  Memory const scratch(Place::device, scratch_bytes);
  double const s = gpu.seconds([&] { sort(scratch.as()); });
  Line("sort_pairs_f64")
      .count("key_bits", 8 * sizeof(Key))
      .count("n", n)
      .count("end_bit", static_cast<std::uint64_t>(end_bit))
      .number("pairs_per_s", static_cast<double>(n) / s)
      .number("us", s * 1e6);
}

void measure_reduce_by_key(Gpu& gpu, std::uint32_t n, std::uint32_t length) {
  std::uint32_t const runs = (n + length - 1) / length;
  Memory const keys(Place::device, n * sizeof(std::uint32_t));
  Memory const keys_out(Place::device, n * sizeof(std::uint32_t));
  Memory const values(Place::device, n * sizeof(double));
  Memory const sums(Place::device, runs * sizeof(double));
  Memory const offsets(Place::device, (std::size_t{runs} + 1) * sizeof(std::uint32_t));
  Memory const count(Place::device, sizeof(std::uint32_t));
  fill_runs<<<gpu.blocks(), threads, 0, gpu.stream>>>(keys.as<std::uint32_t>(), values.as<double>(),
                                                      offsets.as<std::uint32_t>(), n, length);
  check(cudaGetLastError(), "fill_runs");
  std::size_t by_key_bytes = 0, segmented_bytes = 0;
  auto const by_key = [&](void* scratch) {
    check(cub::DeviceReduce::ReduceByKey(scratch, by_key_bytes, keys.as<std::uint32_t>(),
                                         keys_out.as<std::uint32_t>(), values.as<double>(),
                                         sums.as<double>(), count.as<std::uint32_t>(),
                                         cuda::std::plus<>{}, n, gpu.stream),
          "cub::DeviceReduce::ReduceByKey");
  };
  auto const segmented = [&](void* scratch) {
    check(cub::DeviceSegmentedReduce::Sum(scratch, segmented_bytes, values.as<double>(),
                                          sums.as<double>(), static_cast<int>(runs),
                                          offsets.as<std::uint32_t>(),
                                          offsets.as<std::uint32_t>() + 1, gpu.stream),
          "cub::DeviceSegmentedReduce");
  };
  by_key(nullptr);
  segmented(nullptr);
  Memory const scratch(Place::device, std::max<std::size_t>({by_key_bytes, segmented_bytes, 1}));
  double const a = gpu.seconds([&] { by_key(scratch.as()); });
  double const b = gpu.seconds([&] { segmented(scratch.as()); });
  Line("reduce_sorted_f64")
      .count("n", n)
      .count("run_length", length)
      .number("reduce_by_key_rows_per_s", static_cast<double>(n) / a)
      .number("segmented_reduce_rows_per_s", static_cast<double>(n) / b);
}

}  // namespace

void measure_sorts(Gpu& gpu) {
  unsigned const largest = gpu.quick ? 26 : 28;
  for (unsigned log_n = 16; log_n <= largest; log_n += 2) {
    measure_sort<std::uint32_t>(gpu, log_n, 32);
    measure_sort<std::uint64_t>(gpu, log_n, 64);
  }
  for (int end_bit = 8; end_bit <= 64; end_bit += gpu.quick ? 16 : 8) {
    if (end_bit <= 32) {
      measure_sort<std::uint32_t>(gpu, 24, end_bit);
    }
    measure_sort<std::uint64_t>(gpu, 24, end_bit);
  }
  for (std::uint32_t length = 1; length <= 1U << 20U; length *= gpu.quick ? 32 : 4) {
    measure_reduce_by_key(gpu, 1U << 26U, length);
  }
}

}  // namespace windrow::gpu_first
