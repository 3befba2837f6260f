// Firing a sliding window of 60 slices over a million keys, each slice read anew.
#include "bench/gpu_first/gpu.cuh"

namespace windrow::gpu_first {
namespace {

// Columns of slices x keys, as dense slabs keep them.
struct Slabs {
  std::uint64_t* count;
  std::int64_t *sum, *least, *most;
};

__global__ void __launch_bounds__(threads)
    fire(Slabs const slabs, Slabs const panes, std::size_t keys, unsigned slices) {
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t key = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; key < keys;
       key += stride) {
    std::uint64_t count = 0;
    std::int64_t sum = 0, least = INT64_MAX, most = INT64_MIN;
    for (unsigned slice = 0; slice < slices; ++slice) {
      std::size_t const cell = slice * keys + key;
      count += slabs.count[cell];
      sum += slabs.sum[cell];
      least = slabs.least[cell] < least ? slabs.least[cell] : least;
      most = slabs.most[cell] > most ? slabs.most[cell] : most;
    }
    panes.count[key] = count;
    panes.sum[key] = sum;
    panes.least[key] = least;
    panes.most[key] = most;
  }
}

}  // namespace

void measure_firing(Gpu& gpu) {
  constexpr std::size_t keys = 1'000'000, word = 8;
  for (unsigned const slices : {1U, 60U}) {
    Memory const slabs(Place::device, slices * keys * 4 * word),
        panes(Place::device, keys * 4 * word);
    check(cudaMemsetAsync(slabs.as(), 1, slices * keys * 4 * word, gpu.stream), "cudaMemsetAsync");
    auto const columns = [](Memory const& memory, std::size_t cells) {
      auto* const at = memory.as<std::uint64_t>();
      auto* const signed_at = memory.as<std::int64_t>();
      return Slabs{at, signed_at + cells, signed_at + 2 * cells, signed_at + 3 * cells};
    };
    double const s = gpu.seconds([&] {
      fire<<<gpu.blocks(), threads, 0, gpu.stream>>>(columns(slabs, slices * keys),
                                                     columns(panes, keys), keys, slices);
      check(cudaGetLastError(), "fire");
    });
    auto const read = static_cast<double>(slices * keys * 4 * word);
    Line("fire_sliding")
        .count("keys", keys)
        .count("slices", slices)
        .number("ms", s * 1e3)
        .number("read_gb_s", read / s * 1e-9);
  }
}

}  // namespace windrow::gpu_first
