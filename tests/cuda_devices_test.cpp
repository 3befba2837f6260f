// The list of GPUs is right about this machine, whichever it is.
#include <gtest/gtest.h>

#include <regex>

#include "kernels/cuda_devices.hpp"

namespace windrow {
namespace {

TEST(CudaDevicesTest, ThereIsAReasonWhereThereIsNoDevice) {
  CudaInventory const found = cuda_devices();
  EXPECT_EQ(found.reason.empty(), !found.devices.empty()) << found.reason;
  EXPECT_EQ(found.runtime.empty(), found.reason == "built without CUDA");
  EXPECT_EQ(WINDROW_WITH_CUDA, !found.runtime.empty());
  if (WINDROW_WITH_CUDA && found.devices.empty() && found.driver.empty()) {
    EXPECT_EQ(found.reason, "no NVIDIA driver");
  }
}

TEST(CudaDevicesTest, EveryDeviceIsNamedAndMeasured) {
  CudaInventory const found = cuda_devices();
  if (found.devices.empty()) {
    GTEST_SKIP() << found.reason;
  }
  for (CudaDeviceFacts const& device : found.devices) {
    EXPECT_FALSE(device.name.empty());
    EXPECT_TRUE(std::regex_match(device.uuid, std::regex("GPU(-[0-9a-f]+){5}"))) << device.uuid;
    EXPECT_GE(device.capability, 10);
    EXPECT_GT(device.memory_total, 0U);
    EXPECT_LE(device.memory_free, device.memory_total);
  }
}

}  // namespace
}  // namespace windrow
