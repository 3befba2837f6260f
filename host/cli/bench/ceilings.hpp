// What this machine can move at most, measured in the same run as what is held against it.
#pragma once
#include "host/engine/workers.hpp"

namespace windrow::cli::bench {

// Bytes per second; 0: there is none.
//   copy              memory to memory on the host, by all threads
//   pcie_in, pcie_out pinned memory to the device and back
//   hbm               within the device's memory
struct Ceilings {
  double copy = 0, pcie_in = 0, pcie_out = 0, hbm = 0;
};
//   cuda  ordinal of the GPU, -1: none
[[nodiscard]] Ceilings measure_ceilings(Workers& workers, int cuda);

}  // namespace windrow::cli::bench
