// What this machine can move at most.
#include "host/cli/bench/ceilings.hpp"

#include <cstring>
#include <vector>

#include "host/cli/bench/stopwatch.hpp"
#include "kernels/cuda_ceilings.hpp"

namespace windrow::cli::bench {
namespace {

constexpr std::size_t piece_bytes = std::size_t{32} << 20U;  // more than a share of the caches
constexpr int rounds = 5;

double copy_rate(Workers& workers) {
  std::size_t const threads = workers.threads();
  std::vector<std::vector<char>> from(threads, std::vector<char>(piece_bytes, 1)), to = from;
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    Stopwatch watch;
    watch.start();
    workers.for_each(
        threads, [&](std::size_t i) { std::memcpy(to[i].data(), from[i].data(), piece_bytes); });
    watch.stop();
    best = std::max(best, static_cast<double>(threads * piece_bytes) / watch.wall_s());
  }
  return best;
}

}  // namespace

Ceilings measure_ceilings(Workers& workers, int cuda) {
  Ceilings out;
  out.copy = copy_rate(workers);
  if (cuda >= 0) {
    CudaCeilings const device = measure_cuda_ceilings(cuda);
    out.pcie_in = device.to_device;
    out.pcie_out = device.from_device;
    out.hbm = device.within;
  }
  return out;
}

}  // namespace windrow::cli::bench
