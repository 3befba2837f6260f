// The backends of this room: CUDA, and its twin that runs the same algorithms on the host.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "host/engine/aggregation.hpp"

namespace windrow {

// How much a step takes at a time; results do not depend on it.
//   memory          bytes of the device that it may take
//   panes           that fire in one run, at least 64
//   pairs           of row and window that plan E sorts in one run
//   block_memory    bytes of shared memory that a block takes at most
//   cells_per_part  about how many cells fire per part of a batch's output (whole windows)
struct DeviceOptions {
  std::size_t memory = SIZE_MAX;
  std::size_t panes = std::size_t{1} << 16U;
  std::size_t pairs = std::size_t{1} << 20U;
  std::size_t cells_per_part = 65536;
  std::size_t block_memory = SIZE_MAX;
};

// Why a step cannot run on a device; empty = it can.
[[nodiscard]] std::string why_not_on_device(AggregationSpec const& spec);

// A step on a device.  `push`, `advance` and `restore` throw DeviceOutOfMemory before anything has
// changed, a failed `advance` after it has tried with pieces of the batch; afterwards `move_to` is
// all that may be asked, and after `restore` nothing.
class DeviceStep : public Aggregation {
 public:
  // Gives `other`, which is fresh and of an equal spec, the state of the border before this batch,
  // then the rows pushed since.
  virtual void move_to(Aggregation& other) = 0;
};

// Requires that the step can.  DeviceOutOfMemory where what it starts with does not fit.
std::unique_ptr<DeviceStep> make_twin_aggregation(AggregationSpec const& spec,
                                                  DeviceOptions const& options = {});

}  // namespace windrow
