// Which GPUs there are, as `windrow doctor` shows them and `device: cuda` chooses among them.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace windrow {

//   ordinal       N of `cuda:N`, among those that CUDA_VISIBLE_DEVICES leaves
//   uuid          as nvidia-smi prints it, "GPU-" and 36 characters
//   capability    compute capability, 90 for 9.0
//   memory_free   bytes that were free when asked; asking opens the GPU and takes some itself
//   refusal       why Windrow cannot run on it; empty if it can
struct CudaDeviceFacts {
  int ordinal = 0;
  std::string name, uuid;
  int capability = 0;
  std::size_t memory_total = 0, memory_free = 0;
  std::string refusal;
};

//   driver   version of the kernel module and the newest CUDA it takes; "" if there is none
//   runtime  version of CUDA that this build has inside; "" if built without
//   reason   why there are no devices; empty iff there are some
struct CudaInventory {
  std::vector<CudaDeviceFacts> devices;
  std::string driver, runtime, reason;
};

// Asks the driver, which is looked for at the first call.  Never throws for want of a GPU.
[[nodiscard]] CudaInventory cuda_devices();

}  // namespace windrow
