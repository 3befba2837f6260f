// Which GPUs there are, asked of CUDA's runtime.
#include "kernels/cuda_devices.hpp"

#include <cuda_runtime_api.h>

#include <fstream>
#include <sstream>

namespace windrow {
namespace cuda {

// Is there code for this GPU in the program?  Never runs.
__global__ void any_kernel() {}

}  // namespace cuda
namespace {

// 13000 is 13.0.
std::string cuda_version(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Of a line like "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release ..".
std::string module_version() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  std::getline(file, line);
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.find('.') != std::string::npos &&
        word.find_first_not_of("0123456789.") == std::string::npos) {
      return word;
    }
  }
  return "";
}

std::string driver_version() {
  int version = 0;  // stays 0 without a driver
  if (cudaDriverGetVersion(&version) != cudaSuccess || version == 0) {
    return "";
  }
  std::string const module = module_version();
  return (module.empty() ? "" : module + ", ") + "CUDA " + cuda_version(version);
}

std::string uuid_text(cudaUUID_t const& uuid) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      text += '-';
    }
    auto const byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

CudaDeviceFacts facts_of(int ordinal) {
  CudaDeviceFacts facts;
  facts.ordinal = ordinal;
  cudaDeviceProp properties{};
  cudaError_t failed = cudaGetDeviceProperties(&properties, ordinal);
  if (failed == cudaSuccess) {
    facts.name = properties.name;
    facts.uuid = uuid_text(properties.uuid);
    facts.capability = 10 * properties.major + properties.minor;
    facts.memory_total = properties.totalGlobalMem;
    failed = cudaSetDevice(ordinal);
  }
  if (failed == cudaSuccess) {
    failed = cudaMemGetInfo(&facts.memory_free, &facts.memory_total);
  }
  cudaFuncAttributes attributes{};
  if (failed == cudaSuccess) {
    failed = cudaFuncGetAttributes(&attributes, cuda::any_kernel);
  }
  if (failed != cudaSuccess) {
    facts.refusal = cudaGetErrorString(failed);
    static_cast<void>(cudaGetLastError());  // asked and answered
  }
  return facts;
}

}  // namespace

CudaInventory cuda_devices() {
  CudaInventory inventory;
  inventory.runtime = cuda_version(CUDART_VERSION);
  inventory.driver = driver_version();
  int count = 0;  // an error leaves it as it is
  cudaError_t const failed = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  if (failed == cudaErrorInsufficientDriver) {
    inventory.reason = inventory.driver.empty() ? "no NVIDIA driver"
                                                : "the NVIDIA driver (" + inventory.driver +
                                                      ") is older than CUDA " + inventory.runtime;
  } else if (failed == cudaErrorNoDevice || (failed == cudaSuccess && count == 0)) {
    inventory.reason = "the NVIDIA driver (" + inventory.driver + ") sees no GPU";
  } else if (failed != cudaSuccess) {
    inventory.reason = cudaGetErrorString(failed);
  }
  for (int ordinal = 0; inventory.reason.empty() && ordinal < count; ++ordinal) {
    inventory.devices.push_back(facts_of(ordinal));
  }
  return inventory;
}

}  // namespace windrow
