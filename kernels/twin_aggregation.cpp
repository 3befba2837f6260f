// The algorithms of this room on the host.
#include "kernels/backend.hpp"
#include "kernels/primitives/twin_device.hpp"
#include "kernels/session_aggregation.hpp"
#include "kernels/slab_aggregation.hpp"

namespace windrow {

std::unique_ptr<DeviceStep> make_twin_aggregation(AggregationSpec const& spec,
                                                  DeviceOptions const& options) {
  auto device = std::make_unique<TwinDevice>(options.memory);
  if (spec.windows.kind == WindowKind::sessions) {
    return std::make_unique<gpu::SessionAggregation<TwinDevice>>(spec, std::move(device), options);
  }
  return std::make_unique<gpu::SlabAggregation<TwinDevice>>(spec, std::move(device), options);
}

}  // namespace windrow
