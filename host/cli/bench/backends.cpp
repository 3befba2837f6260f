// The backends that `windrow bench` can hold against each other on this machine.
#include "host/cli/bench/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "host/cli/invocation.hpp"
#include "host/cli/machine.hpp"
#include "host/cpu/cpu_aggregation.hpp"
#include "kernels/backend.hpp"
#include "kernels/cuda_aggregation.hpp"
#include "kernels/cuda_devices.hpp"

namespace windrow::cli::bench {
namespace {

Backend twin_backend() {
  return {"twin", "the algorithms of the GPU on one thread of the host", "",
          [](AggregationSpec const& spec) {
            return make_twin_aggregation(spec, {.memory = memory_free() / 2});
          }};
}

// The number that follows `name` in a file of /proc or of a control group, `otherwise` if none
// does.
std::uint64_t number_in(char const* path, std::string const& name, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::string word;
  while (!name.empty() && file >> word && word != name) {
  }
  std::uint64_t number = 0;
  return file >> number ? number : otherwise;
}

}  // namespace

Backend cpu_backend(Workers& workers) {
  std::string processor;
  for (auto const& [name, value] : machine_facts(CudaInventory{})) {
    processor = name == "processor" ? value : processor;
  }
  return {"cpu", fmt::format("{} threads of {}", workers.threads(), processor), "",
          [&workers](AggregationSpec const& spec) { return make_cpu_aggregation(spec, workers); }};
}

int add_device_backend(std::string const& said, std::vector<Backend>& backends) {
  if (said == "cpu" || said == "twin") {
    if (said == "twin") {
      backends.push_back(twin_backend());
    }
    return -1;
  }
  CudaInventory const found = cuda_devices();
  for (CudaDeviceFacts const& gpu : found.devices) {
    if (!gpu.refusal.empty()) {
      continue;
    }
    DeviceOptions const options{.memory = gpu.memory_free / 10 * 9};
    backends.push_back(
        {"cuda",
         fmt::format("{}, driver {}, one GPU and one thread of the host", gpu.name, found.driver),
         "", [ordinal = gpu.ordinal, options](AggregationSpec const& spec) {
           return make_cuda_aggregation(spec, ordinal, options);
         }});
    return gpu.ordinal;
  }
  std::string const why = found.devices.empty() ? found.reason : found.devices[0].refusal;
  if (said == "cuda") {
    throw EnvironmentError(fmt::format("bench: there should be a GPU: why={}", why),
                           exit_unreachable);
  }
  backends.push_back({"cuda", "", why, {}});
  return -1;
}

std::uint64_t memory_free() {
  std::uint64_t const machine = number_in("/proc/meminfo", "MemAvailable:", 0) * 1024;
  std::uint64_t const limit = number_in("/sys/fs/cgroup/memory.max", "", UINT64_MAX);
  std::uint64_t const used = number_in("/sys/fs/cgroup/memory.current", "", 0);
  return std::min(machine, limit - std::min(limit, used));
}

}  // namespace windrow::cli::bench
