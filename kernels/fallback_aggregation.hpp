// A step that begins on a device and moves to the CPU where the device has no memory for it: step
// (b) of the ladder of operations.md 11.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "kernels/backend.hpp"

namespace windrow {

//   on_move  is told why, before the step moves; it may throw instead of having it moved
struct Fallback {
  std::function<std::unique_ptr<DeviceStep>()> make_device;
  std::function<std::unique_ptr<Aggregation>()> make_cpu;
  std::function<void(std::string const& reason)> on_move;
};

// Once moved it stays on the CPU.  A device that is lost is EnvironmentError 75: its state is gone,
// and the batch in hand has had no effect.
std::unique_ptr<Aggregation> make_fallback_aggregation(Fallback how);

}  // namespace windrow
