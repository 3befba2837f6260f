// An illegal access loses the GPU for good; a process of its own, since nothing works after it.
#include <gtest/gtest.h>

#include <string>

#include "host/model/portable.hpp"
#include "kernels/cuda_devices.hpp"
#include "kernels/primitives/cuda_device.cuh"

namespace windrow {
namespace {

struct WriteTo {
  std::uint32_t* where;
  WINDROW_HOST_DEVICE void operator()(std::size_t) const { *where = 1; }
};

std::string loss(auto const& call) {
  try {
    call();
  } catch (DeviceLost const& lost) {
    return lost.what();
  }
  return "";
}

TEST(CudaLostTest, TheFirstErrorIsTheErrorOfEveryLaterCall) {
  CudaInventory const found = cuda_devices();
  if (found.devices.empty()) {
    GTEST_SKIP() << found.reason;
  }
  CudaDevice device(0, SIZE_MAX, 1000);
  device.for_each(1, WriteTo{reinterpret_cast<std::uint32_t*>(std::uintptr_t{4})});
  std::string const first = loss([&] { device.synchronise(); });
  EXPECT_NE(first.find("call=cudaStreamSynchronize error=700"), std::string::npos) << first;
  EXPECT_EQ(loss([&] { static_cast<void>(device.allocate(1)); }), first);
  EXPECT_EQ(loss([&] { device.for_each(1, WriteTo{nullptr}); }), first);
  EXPECT_EQ(loss([&] { device.synchronise(); }), first);
}

}  // namespace
}  // namespace windrow
