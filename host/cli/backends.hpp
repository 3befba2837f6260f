// Which backend runs each step, and why: the one place that decides, and makes them.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "host/engine/workers.hpp"
#include "host/plan/graph.hpp"
#include "kernels/cuda_devices.hpp"

namespace windrow::cli {

enum class Backend : std::uint8_t { cpu, twin, cuda };

// What is asked for: WINDROW_BACKEND, else `device` of the settings.
//   backend   empty: auto
//   gpu       as DeviceSetting::gpu
//   asked_by  for people
struct BackendRequest {
  std::optional<Backend> backend;
  std::string gpu, asked_by;
};
// EnvironmentError 78 where WINDROW_BACKEND names no backend.
[[nodiscard]] BackendRequest backend_request(EngineSettings const& settings);

struct BackendChoice {
  Backend backend = Backend::cpu;
  std::string reason;
};
// What request and step say by themselves: no GPU is looked for, and one may be missing.
[[nodiscard]] BackendChoice choose(AggregationSpec const& spec, BackendRequest const& request);
// "cpu: no device runs sessions"
[[nodiscard]] std::string to_string(BackendChoice const& choice, BackendRequest const& request);

// "8.5 GiB"
[[nodiscard]] std::string memory_text(std::uint64_t bytes);

// The backends of one run.
class Backends {
 public:
  // Looks for a GPU where a step is to run on one.  EnvironmentError: 69 where one is asked for and
  // there is none, 78 where it has less free memory than gpu.memory_limit (E150).
  explicit Backends(Graph const& graph, CudaInventory (*look)() = cuda_devices);
  // The step that is this transform of the graph.  Its name and fate are in
  // Aggregation::backend(); a move to the CPU is a warning, or EnvironmentError 75 where a GPU is
  // asked for.
  [[nodiscard]] std::unique_ptr<Aggregation> make(AggregationSpec const& spec,
                                                  std::size_t transform, Workers& workers) const;
  // One line per step; none where all run on the CPU because nothing else was asked for.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  struct OfStep {
    std::string name;
    BackendChoice choice;
  };
  void find_gpu(EngineSettings const& settings, CudaInventory const& found);

  BackendRequest request_;
  std::map<std::size_t, OfStep> steps_;  // by transform
  int ordinal_ = -1;
  std::string gpu_name_;    // for people
  std::size_t memory_ = 0;  // of a device, per step
};

}  // namespace windrow::cli
