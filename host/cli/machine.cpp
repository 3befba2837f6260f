// Facts about this build and this machine.
#include "host/cli/machine.hpp"

#include <dlfcn.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "host/cli/backends.hpp"

namespace windrow::cli {
namespace {

// The value of the first line `name <separator> value` of a file of /proc, "" if there is none.
std::string line_of(char const* path, std::string const& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, name.size(), name) != 0) {
      continue;
    }
    std::size_t const at = line.find_first_not_of(" \t:", name.size());
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

std::string first_line(char const* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Whichever library answers malloc; asked of the process, not of the build.
std::string allocator() {
  using Version = char const* (*)(int*, int*, char const**);
  if (auto const version = reinterpret_cast<Version>(dlsym(RTLD_DEFAULT, "tc_version"))) {
    int major = 0, minor = 0;
    char const* patch = "";
    version(&major, &minor, &patch);
    return fmt::format("tcmalloc {}.{}{}", major, minor, patch);
  }
  for (auto const& [symbol, name] : {std::pair{"mallctl", "jemalloc"},
                                     {"__asan_init", "address sanitizer"},
                                     {"__tsan_init", "thread sanitizer"}}) {
    if (dlsym(RTLD_DEFAULT, symbol) != nullptr) {
      return name;
    }
  }
  return fmt::format("glibc {}", gnu_get_libc_version());
}

std::string limit(int resource) {
  rlimit value{};
  getrlimit(static_cast<__rlimit_resource>(resource), &value);
  auto const text = [](rlim_t n) {
    return n == RLIM_INFINITY ? std::string("unlimited") : fmt::format("{}", n);
  };
  return fmt::format("{} (hard {})", text(value.rlim_cur), text(value.rlim_max));
}

std::string vector_units() {
  std::string const flags = " " + line_of("/proc/cpuinfo", "flags") + " ";
  std::string found;
  for (char const* unit : {"sse4_2", "avx2", "avx512f", "avx512bw"}) {
    if (flags.find(fmt::format(" {} ", unit)) != std::string::npos) {
      found += found.empty() ? unit : fmt::format(" {}", unit);
    }
  }
  return found;
}

std::string clock_state() {
  timex state{};
  int const answer = adjtimex(&state);
  auto const now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%FT%TZ}, {}", fmt::gmtime(now),
                     answer == TIME_ERROR || answer < 0 ? "not synchronised"
                                                        : "synchronised by the kernel's account");
}

std::string cuda_state(CudaInventory const& gpus) {
  std::string const inside = gpus.runtime.empty() ? "" : ", CUDA " + gpus.runtime + " inside";
  return gpus.reason.empty()
             ? fmt::format("{} GPUs, driver {}{}", gpus.devices.size(), gpus.driver, inside)
             : fmt::format("no GPU: {}{}", gpus.reason, inside);
}

// What a run may take there, as it is reckoned when it starts.
std::string gpu_memory(CudaDeviceFacts const& gpu) {
  GpuMemoryLimit const limit;
  return fmt::format(
      "{} - {} taken (by other processes and CUDA itself) = {} free; without gpu.memory_limit a "
      "run takes at most {:.0f} % of that, {}",
      memory_text(gpu.memory_total), memory_text(gpu.memory_total - gpu.memory_free),
      memory_text(gpu.memory_free), 100 * limit.share, memory_text(limit.of(gpu.memory_free)));
}

constexpr char const* cuda = WINDROW_CUDA_VERSION;  // of nvcc; empty: built without

}  // namespace

Facts build_facts() {
  return {
      {"version", WINDROW_VERSION},
      {"build", WINDROW_BUILD_TYPE},
      {"compiler", fmt::format("{} {}", WINDROW_COMPILER, __VERSION__)},
      {"allocator", allocator()},
      {"librdkafka", WINDROW_RDKAFKA_VERSION},
      {"sqlite", WINDROW_SQLITE_VERSION},
      {"backends", "cpu, twin" + std::string(*cuda == '\0' ? "" : ", cuda " WINDROW_CUDA_VERSION)}};
}

std::vector<std::string> backends_of(CudaInventory const& gpus) {
  std::vector<std::string> names = {"cpu", "twin"};
  for (CudaDeviceFacts const& gpu : gpus.devices) {
    if (gpu.refusal.empty()) {
      names.push_back(fmt::format("cuda:{}", gpu.ordinal));
    }
  }
  return names;
}

Facts machine_facts(CudaInventory const& gpus) {
  Facts facts = {
      {"backend cpu", fmt::format("ready, {} threads", std::thread::hardware_concurrency())},
      {"backend twin", "ready: the algorithms of the GPU on the host, for tests"},
      {"backend cuda", cuda_state(gpus)}};
  for (CudaDeviceFacts const& gpu : gpus.devices) {
    facts.emplace_back(fmt::format("cuda:{}", gpu.ordinal),
                       fmt::format("{}, {}, compute capability {}.{}", gpu.name, gpu.uuid,
                                   gpu.capability / 10, gpu.capability % 10));
    if (!gpu.refusal.empty()) {
      facts.emplace_back(fmt::format("cuda:{} cannot be used", gpu.ordinal), gpu.refusal);
      continue;
    }
    facts.emplace_back(fmt::format("cuda:{} memory", gpu.ordinal), gpu_memory(gpu));
  }
  facts.insert(facts.end(), {{"processor", line_of("/proc/cpuinfo", "model name")},
                             {"vector units", vector_units()},
                             {"memory", line_of("/proc/meminfo", "MemTotal")},
                             {"memory available", line_of("/proc/meminfo", "MemAvailable")}});
  if (std::string const max = first_line("/sys/fs/cgroup/memory.max"); !max.empty()) {
    facts.emplace_back("memory limit of the group", max == "max" ? "none" : max + " bytes");
  }
  facts.emplace_back("open files", limit(RLIMIT_NOFILE));
  facts.emplace_back("locked memory, bytes", limit(RLIMIT_MEMLOCK));
  facts.emplace_back("core files, bytes", limit(RLIMIT_CORE));
  facts.emplace_back("clock", clock_state());
  facts.emplace_back(
      "clock source",
      first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
  return facts;
}

std::string to_text(Facts const& facts) {
  std::size_t width = 0;
  for (auto const& [name, value] : facts) {
    width = std::max(width, name.size());
  }
  std::string out;
  for (auto const& [name, value] : facts) {
    fmt::format_to(std::back_inserter(out), "{:<{}}  {}\n", name, width, value);
  }
  return out;
}

std::string to_json(Facts const& facts) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  for (auto const& [name, value] : facts) {
    writer.Key(name.c_str());
    writer.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  }
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace windrow::cli
