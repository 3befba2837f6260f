// What a GPU can move at most: the rates that a benchmark's readings are held against.
#pragma once

namespace windrow {

// Bytes copied per second, best of a few copies of 256 MiB: from pinned memory of the host, to it,
// and within the device.
struct CudaCeilings {
  double to_device = 0, from_device = 0, within = 0;
};

// Requires that cuda_devices() lists GPU `ordinal` without a refusal.  DeviceOutOfMemory,
// DeviceLost.
[[nodiscard]] CudaCeilings measure_cuda_ceilings(int ordinal);

}  // namespace windrow
