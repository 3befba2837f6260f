// The algorithms of this room on the host.
#include "kernels/backend.hpp"
#include "kernels/device_aggregation.hpp"
#include "kernels/primitives/twin_device.hpp"

namespace windrow {

std::unique_ptr<Aggregation> make_twin_aggregation(AggregationSpec const& spec,
                                                   DeviceOptions const& options) {
  return std::make_unique<gpu::DeviceAggregation<TwinDevice>>(
      spec, std::make_unique<TwinDevice>(options.memory), options);
}

}  // namespace windrow
