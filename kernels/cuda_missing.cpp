// What a build without nvcc has in place of the .cu files: it says so.
#include "host/model/portable.hpp"
#include "kernels/cuda_aggregation.hpp"
#include "kernels/cuda_ceilings.hpp"
#include "kernels/cuda_devices.hpp"

namespace windrow {

CudaInventory cuda_devices() {
  CudaInventory none;
  none.reason = "built without CUDA";
  return none;
}

std::unique_ptr<DeviceStep> make_cuda_aggregation(AggregationSpec const&, int,
                                                  DeviceOptions const&) {
  WINDROW_ASSERT(false, "a GPU is taken from the list of cuda_devices");
}

CudaCeilings measure_cuda_ceilings(int) {
  WINDROW_ASSERT(false, "a GPU is taken from the list of cuda_devices");
}

}  // namespace windrow
