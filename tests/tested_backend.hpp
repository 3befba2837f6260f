// The backend that a semantic test runs: the CPU's, or with WINDROW_BACKEND=twin that with the host
// twin of the GPU's beside it.
#pragma once
#include <cstdlib>
#include <string_view>

#include "tests/mirror_aggregation.hpp"

namespace windrow::testing {

inline std::unique_ptr<Aggregation> make_aggregation(AggregationSpec const& spec, Workers& workers,
                                                     std::size_t cells_per_part) {
  char const* const backend = std::getenv("WINDROW_BACKEND");
  // One half of the steps folds by atomics, the other sorts.
  bool const rounded = (spec.trigger.nodes + spec.windows.size_us / 1'000'000) % 2 == 0;
  if (backend == nullptr || std::string_view(backend) != "twin" ||
      !why_not_on_device(on_device(spec, rounded)).empty()) {
    return make_cpu_aggregation(spec, workers, cells_per_part);
  }
  // All at once where there is one thread, else as little at a time as there can be.
  DeviceOptions const options =
      workers.threads() == 1
          ? DeviceOptions{.panes = 256, .pairs = 1024}
          : DeviceOptions{.panes = 64, .pairs = 8, .cells_per_part = 1, .block_memory = 256};
  return std::make_unique<MirrorAggregation>(
      spec, rounded, workers, cells_per_part,
      [&](AggregationSpec const& step) { return make_twin_aggregation(step, options); });
}

// With several threads every window is a part of its own, so that parts change nothing.
inline std::unique_ptr<Aggregation> make_scripted(AggregationSpec const& spec, Workers& workers) {
  return make_aggregation(spec, workers, workers.threads() == 1 ? 65536 : 1);
}

}  // namespace windrow::testing
