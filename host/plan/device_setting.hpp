// The settings of where steps run: `device` and `gpu.memory_limit` (operations.md 3, 11).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace windrow {

//   gpu  of cuda:N the N, of cuda:UUID the UUID; empty: the first that can
struct DeviceSetting {
  enum class Kind : std::uint8_t { automatic, cpu, cuda } kind = Kind::automatic;
  std::string gpu;
};
// auto, cpu, cuda, cuda:N, cuda:UUID; empty for anything else.
[[nodiscard]] std::optional<DeviceSetting> read_device(std::string_view text);

//   bytes  of the GPU that one run may take; 0: `share` of what is free when it starts
//   place  file:line:column of the setting; empty: not given
struct GpuMemoryLimit {
  std::uint64_t bytes = 0;
  double share = 0.8;
  std::string place;
  [[nodiscard]] std::uint64_t of(std::uint64_t free) const;
};
// A size or "60%", both positive, without its place.
[[nodiscard]] std::optional<GpuMemoryLimit> read_gpu_memory(std::string_view text);

}  // namespace windrow
