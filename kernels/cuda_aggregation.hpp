// The backend that runs on a GPU: the algorithms of this room over CUDA.
#pragma once
#include <memory>

#include "kernels/backend.hpp"

namespace windrow {

// Requires that the step can (why_not_on_device) and that cuda_devices() lists GPU `ordinal`
// without a refusal.  DeviceOutOfMemory where what a step starts with does not fit; DeviceLost.
std::unique_ptr<DeviceStep> make_cuda_aggregation(AggregationSpec const& spec, int ordinal,
                                                  DeviceOptions const& options = {});

}  // namespace windrow
