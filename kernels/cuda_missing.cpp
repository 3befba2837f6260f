// What a build without nvcc has in place of the .cu files: it says so.
#include "kernels/cuda_devices.hpp"

namespace windrow {

CudaInventory cuda_devices() {
  CudaInventory none;
  none.reason = "built without CUDA";
  return none;
}

}  // namespace windrow
