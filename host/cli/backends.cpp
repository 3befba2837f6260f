// From a request and a step to the backend that runs it.
#include "host/cli/backends.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <variant>

#include "host/cli/invocation.hpp"
#include "host/cpu/cpu_aggregation.hpp"
#include "host/engine/aggregation_spec.hpp"
#include "host/model/slices.hpp"
#include "host/plan/suggestion.hpp"
#include "kernels/cuda_aggregation.hpp"
#include "kernels/fallback_aggregation.hpp"

namespace windrow::cli {
namespace {

constexpr char const* variable = "WINDROW_BACKEND";

// `device: auto` takes a GPU from so many windows per row on.  All sources there are read JSON,
// which costs a core 90 ns per row from memory and 380 from Kafka; folding costs it 60 ns per row
// and window (`./run bench`), once where windows share slices.  With 16 windows the fold is most of
// the work; below it a GPU would wait for the decoder.  How many keys there will be nobody knows at
// the start, so that it decides nothing.
constexpr std::int64_t windows_min = 16;

std::int64_t windows_per_row(WindowFn const& fn) {
  return fn.kind == WindowKind::sliding ? floor_div(fn.size_us + fn.period_us - 1, fn.period_us)
                                        : 1;
}

std::string_view name_of(Backend backend) {
  return backend == Backend::cpu ? "cpu" : backend == Backend::twin ? "twin" : "cuda";
}

std::string text_of(CudaDeviceFacts const& gpu) {
  return fmt::format("cuda:{} ({}, {})", gpu.ordinal, gpu.name, gpu.uuid);
}

// A MIG part and a whole GPU are told apart by their first word only.
bool is_named(CudaDeviceFacts const& gpu, std::string const& name) {
  return name == std::to_string(gpu.ordinal) ||
         (name.size() > 4 && gpu.uuid.size() > 4 && name.substr(4) == gpu.uuid.substr(4));
}

// The GPU of that name, or the first that can; else `why` none.
CudaDeviceFacts const* gpu_named(CudaInventory const& found, std::string const& name,
                                 std::string& why) {
  why = found.reason;
  std::vector<std::string> others;
  for (CudaDeviceFacts const& gpu : found.devices) {
    others.push_back(text_of(gpu));
    if (!name.empty() && !is_named(gpu, name)) {
      continue;
    }
    if (gpu.refusal.empty()) {
      return &gpu;
    }
    why = fmt::format("{} cannot be used: {}", text_of(gpu), gpu.refusal);
  }
  if (why.empty()) {
    why = fmt::format("no GPU is cuda:{}; there are {}", name, fmt::join(others, ", "));
  }
  return nullptr;
}

}  // namespace

std::string memory_text(std::uint64_t bytes) {
  constexpr double mib = 1024.0 * 1024;
  double const in_mib = static_cast<double>(bytes) / mib;
  return in_mib < 1024 ? fmt::format("{:.1f} MiB", in_mib)
                       : fmt::format("{:.1f} GiB", in_mib / 1024);
}

BackendRequest backend_request(EngineSettings const& settings) {
  BackendRequest out;
  using enum DeviceSetting::Kind;
  if (settings.device.kind != automatic) {
    out.backend = settings.device.kind == cpu ? Backend::cpu : Backend::cuda;
    out.gpu = settings.device.gpu;
    out.asked_by = "the file or the command asks for it";
  }
  char const* const forced = std::getenv(variable);
  if (forced == nullptr || *forced == '\0') {
    return out;
  }
  out.backend.reset();
  out.asked_by = fmt::format("{} asks for it", variable);
  std::vector<std::string> names;
  for (Backend const backend : {Backend::cpu, Backend::twin, Backend::cuda}) {
    names.emplace_back(name_of(backend));
    if (names.back() == forced) {
      out.backend = backend;
    }
  }
  if (!out.backend) {
    std::string const near = nearest(forced, names);
    throw EnvironmentError(
        fmt::format("{} must be one of {}, is '{}'{}", variable, fmt::join(names, ", "), forced,
                    near.empty() ? "" : fmt::format(", did you mean '{}'?", near)),
        exit_invalid);
  }
  return out;
}

BackendChoice choose(AggregationSpec const& spec, BackendRequest const& request) {
  if (request.backend == Backend::cpu) {
    return {Backend::cpu, request.asked_by};
  }
  if (std::string const why = why_not_on_device(spec); !why.empty()) {
    return {Backend::cpu, "no device runs " + why};
  }
  if (request.backend) {
    return {*request.backend, request.asked_by};
  }
  std::int64_t const windows = windows_per_row(spec.windows);
  if (windows > 1 && shares_slices(spec)) {
    return {Backend::cpu,
            fmt::format("to read a row of JSON costs more than to fold it, once for its {} windows",
                        windows)};
  }
  if (windows >= windows_min) {
    return {Backend::cuda, fmt::format("a row is in {} windows", windows)};
  }
  return {
      Backend::cpu,
      fmt::format("to read a row of JSON costs more than to fold it into {} window{}; auto takes "
                  "a GPU from {} on",
                  windows, windows == 1 ? "" : "s", windows_min)};
}

std::string to_string(BackendChoice const& choice, BackendRequest const& request) {
  bool const may_be_missing = choice.backend == Backend::cuda && !request.backend;
  return fmt::format("{}{}: {}", name_of(choice.backend),
                     may_be_missing ? " where there is a GPU, else cpu" : "", choice.reason);
}

Backends::Backends(Graph const& graph, CudaInventory (*look)())
    : request_(backend_request(graph.settings)) {
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    if (std::holds_alternative<Combine>(graph.transforms[at].config)) {
      steps_[at] = {graph.transforms[at].name, choose(aggregation_spec(graph, at), request_)};
    }
  }
  auto const on = [&](Backend backend) {
    return static_cast<std::size_t>(
        std::count_if(steps_.begin(), steps_.end(),
                      [&](auto const& step) { return step.second.choice.backend == backend; }));
  };
  if (std::size_t const twins = on(Backend::twin); twins > 0) {
    memory_ = graph.settings.gpu_memory.of(SIZE_MAX / 2) / twins;
  }
  if (on(Backend::cuda) > 0 || (request_.backend == Backend::cuda && !steps_.empty())) {
    find_gpu(graph.settings, look());
    memory_ /= std::max<std::size_t>(on(Backend::cuda), 1);
  }
}

void Backends::find_gpu(EngineSettings const& settings, CudaInventory const& found) {
  std::string why;
  CudaDeviceFacts const* const gpu = gpu_named(found, request_.gpu, why);
  bool const required = request_.backend == Backend::cuda;
  if (gpu == nullptr) {
    if (required) {
      throw EnvironmentError(
          fmt::format("device: there is no GPU: {} ({})", why, request_.asked_by),
          exit_unreachable);
    }
    for (auto& [at, step] : steps_) {
      if (step.choice.backend == Backend::cuda) {
        step.choice = {Backend::cpu, "there is no GPU: " + why};
      }
    }
    return;
  }
  ordinal_ = gpu->ordinal;
  gpu_name_ = text_of(*gpu);
  std::uint64_t limit = settings.gpu_memory.of(gpu->memory_free);
  if (limit > gpu->memory_free) {
    std::string const text =
        fmt::format("'memory_limit' of gpu is more than is free on {}: {} of {}", gpu_name_,
                    memory_text(limit), memory_text(gpu->memory_free));
    if (required) {
      throw EnvironmentError(fmt::format("{}: error[E150] {}", settings.gpu_memory.place, text),
                             exit_invalid);
    }
    spdlog::warn("{}: warning[W217] {}", settings.gpu_memory.place, text);
    limit = gpu->memory_free;
  }
  memory_ = limit;
}

std::unique_ptr<Aggregation> Backends::make(AggregationSpec const& spec, std::size_t transform,
                                            Workers& workers) const {
  OfStep const& step = steps_.at(transform);
  Backend const backend = step.choice.backend;
  if (backend == Backend::cpu) {
    return make_cpu_aggregation(spec, workers);
  }
  DeviceOptions const options{.memory = memory_};
  Fallback how;
  how.make_device = [=, ordinal = ordinal_] {
    return backend == Backend::twin ? make_twin_aggregation(spec, options)
                                    : make_cuda_aggregation(spec, ordinal, options);
  };
  how.make_cpu = [=, &workers] { return make_cpu_aggregation(spec, workers); };
  how.on_move = [=, name = step.name,
                 required = request_.backend == Backend::cuda](std::string const& reason) {
    if (required) {
      throw EnvironmentError(fmt::format("{}: {}", name, reason), exit_try_again);
    }
    spdlog::warn("{}: moves to the CPU and stays there until the next start: {}", name, reason);
  };
  return make_fallback_aggregation(std::move(how));
}

std::vector<std::string> Backends::lines() const {
  std::vector<std::string> out;
  bool told = request_.backend && request_.backend != Backend::cpu;
  for (auto const& [at, step] : steps_) {
    bool const on_gpu = step.choice.backend == Backend::cuda;
    out.push_back(fmt::format("{} runs on {}{}: {}", step.name,
                              on_gpu ? gpu_name_ : std::string(name_of(step.choice.backend)),
                              on_gpu ? fmt::format(", {} at most", memory_text(memory_)) : "",
                              step.choice.reason));
    told = told || on_gpu;
  }
  return told ? out : std::vector<std::string>{};
}

}  // namespace windrow::cli
