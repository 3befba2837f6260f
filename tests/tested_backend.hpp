// The backend that a semantic test runs: the CPU's, or beside it the one that WINDROW_BACKEND
// names: `cuda`, or `twin`, the host twin of it.
#pragma once
#include <cstdlib>
#include <string_view>

#include "kernels/cuda_aggregation.hpp"
#include "tests/mirror_aggregation.hpp"

namespace windrow::testing {

inline std::unique_ptr<Aggregation> make_aggregation(AggregationSpec const& spec, Workers& workers,
                                                     std::size_t cells_per_part) {
  char const* const backend = std::getenv("WINDROW_BACKEND");
  // One half of the steps folds by atomics, the other sorts.
  std::int64_t const offset = spec.windows.offset_us;
  bool const rounded = (spec.trigger.nodes + spec.windows.size_us / 1'000'000 + offset % 1'000'000 +
                        offset / 1'000'000) %
                           2 ==
                       0;
  if (backend == nullptr || std::string_view(backend) == "cpu" ||
      !why_not_on_device(on_device(spec, rounded)).empty()) {
    return make_cpu_aggregation(spec, workers, cells_per_part);
  }
  bool const cuda = std::string_view(backend) == "cuda";  // without a GPU every test fails
  WINDROW_ASSERT(cuda || std::string_view(backend) == "twin",
                 "WINDROW_BACKEND is cpu, cuda or twin");
  // All at once where there is one thread, else as little at a time as there can be.
  DeviceOptions const options =
      workers.threads() == 1
          ? DeviceOptions{.panes = 256, .pairs = 1024}
          : DeviceOptions{.panes = 64, .pairs = 8, .cells_per_part = 1, .block_memory = 256};
  return std::make_unique<MirrorAggregation>(spec, rounded, workers, cells_per_part,
                                             [&](AggregationSpec const& step) {
                                               return cuda ? make_cuda_aggregation(step, 0, options)
                                                           : make_twin_aggregation(step, options);
                                             });
}

// With several threads every window is a part of its own, so that parts change nothing.
inline std::unique_ptr<Aggregation> make_scripted(AggregationSpec const& spec, std::size_t,
                                                  Workers& workers) {
  return make_aggregation(spec, workers, workers.threads() == 1 ? 65536 : 1);
}

}  // namespace windrow::testing
