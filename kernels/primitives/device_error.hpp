// What can go wrong with a device.
#pragma once
#include <new>
#include <stdexcept>

namespace windrow {

// No memory for what was asked; nothing else is wrong with the device, and no state has changed.
// The only error of a device that may be answered by asking for less (operations.md 11).
class DeviceOutOfMemory : public std::bad_alloc {
 public:
  [[nodiscard]] char const* what() const noexcept override { return "out of device memory"; }
};

// Illegal access, lost device, driver gone: no further call is believed, the state is gone, the
// batch in hand has had no effect.
class DeviceLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace windrow
