// gpu_first [--quick] [--host]: what a machine with a GPU can do, a JSON line per measurement.
// Goals of Windrow on a GPU are fractions of these (performance targets are ratios of one run).
//   --host  only what needs no GPU
#include <array>

#include "bench/gpu_first/gpu.cuh"
#include "kernels/cuda_devices.hpp"

namespace windrow::gpu_first {
namespace {

// A line of nvidia-smi, "" where there is none.
std::string told(std::string const& fields) {
  std::string const command =
      "nvidia-smi --format=csv,noheader --id=0 --query-gpu=" + fields + " 2>/dev/null";
  std::string line;
  if (FILE* const pipe = popen(command.c_str(), "r")) {
    std::array<char, 512> text{};
    if (std::fgets(text.data(), static_cast<int>(text.size()), pipe) != nullptr) {
      line = text.data();
    }
    pclose(pipe);
  }
  return line.substr(0, line.find('\n'));
}

struct Words {
  bool quick = false, facts = false, host = false;
  std::string commit = "unknown";
};

void print_facts(CudaDeviceFacts const& facts, std::string const& driver,
                 std::string const& commit) {
  Line line("gpu");
  line.text("name", facts.name)
      .text("driver", driver)
      .text("commit", commit)
      .count("capability", static_cast<std::uint64_t>(facts.capability))
      .count("memory_bytes", facts.memory_total)
      .count("memory_free_bytes", facts.memory_free);
  for (char const* field :
       {"clocks.sm", "clocks.mem", "clocks.max.sm", "power.limit", "temperature.gpu",
        "pcie.link.gen.current", "pcie.link.width.current", "mig.mode.current"}) {
    line.text(field, told(field));
  }
}

int run(Words const& words) {
  if (!words.host) {
    CudaInventory const found = cuda_devices();
    if (found.devices.empty() || !found.devices[0].refusal.empty()) {
      std::string const why = found.devices.empty() ? found.reason : found.devices[0].refusal;
      std::fprintf(stderr, "gpu_first: there should be a GPU: why=%s\n", why.c_str());
      return 77;
    }
    print_facts(found.devices[0], found.driver, words.commit);
    if (words.facts) {
      return 0;
    }
    Gpu gpu(found.devices[0].ordinal, words.quick);
    measure_copies(gpu);
    measure_sorts(gpu);
    measure_atomics(gpu);
    measure_latency(gpu);
    measure_firing(gpu);
    print_facts(cuda_devices().devices[0], found.driver, words.commit);  // clocks after the work
  }
  measure_host();
  return 0;
}

}  // namespace
}  // namespace windrow::gpu_first

int main(int count, char** texts) {
  windrow::gpu_first::Words words;
  for (int i = 1; i < count; ++i) {
    std::string const word = texts[i];
    if (word == "--quick") {
      words.quick = true;
    } else if (word == "--facts") {
      words.facts = true;
    } else if (word == "--host") {
      words.host = true;
    } else if (word == "--commit" && i + 1 < count) {
      words.commit = texts[++i];
    } else {
      std::fprintf(stderr, "gpu_first: takes --quick, --facts, --host and --commit NAME: word=%s\n",
                   word.c_str());
      return 64;
    }
  }
  return windrow::gpu_first::run(words);
}
