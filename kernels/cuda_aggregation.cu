// The algorithms of this room as device code.
#include "kernels/cuda_aggregation.hpp"

#include <algorithm>

#include "kernels/device_aggregation.hpp"
#include "kernels/primitives/cuda_device.cuh"

namespace windrow {

std::unique_ptr<Aggregation> make_cuda_aggregation(AggregationSpec const& spec, int ordinal,
                                                   DeviceOptions const& options) {
  auto device =
      std::make_unique<CudaDevice>(ordinal, options.memory, std::max(options.pairs, options.panes));
  return std::make_unique<gpu::DeviceAggregation<CudaDevice>>(spec, std::move(device), options);
}

}  // namespace windrow
