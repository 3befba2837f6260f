// The algorithms of this room as device code.
#include "kernels/cuda_aggregation.hpp"

#include <algorithm>

#include "kernels/primitives/cuda_device.cuh"
#include "kernels/session_aggregation.hpp"
#include "kernels/slab_aggregation.hpp"

namespace windrow {

std::unique_ptr<DeviceStep> make_cuda_aggregation(AggregationSpec const& spec, int ordinal,
                                                  DeviceOptions const& options) {
  auto device =
      std::make_unique<CudaDevice>(ordinal, options.memory, std::max(options.pairs, options.panes));
  if (spec.windows.kind == WindowKind::sessions) {
    return std::make_unique<gpu::SessionAggregation<CudaDevice>>(spec, std::move(device), options);
  }
  return std::make_unique<gpu::SlabAggregation<CudaDevice>>(spec, std::move(device), options);
}

}  // namespace windrow
