// The main of tests/gpu: without a GPU, 77 and why, which ctest shows as skipped.
#include <gtest/gtest.h>

#include <cstdio>

#include "kernels/cuda_devices.hpp"

int main(int count, char** words) {
  testing::InitGoogleTest(&count, words);
  int const failed = RUN_ALL_TESTS();
  windrow::CudaInventory const found = windrow::cuda_devices();
  if (failed != 0 || !found.devices.empty()) {
    return failed;
  }
  std::printf("skipped: needs a GPU: %s\n", found.reason.c_str());
  return 77;
}
