// What every kernel of a step reads and nothing changes: in device memory, written once.
#pragma once
#include "host/model/cell_rules.hpp"
#include "host/model/slices.hpp"

namespace windrow::gpu {

inline constexpr std::uint32_t none = UINT32_MAX;

//   cells         its slots lie in device memory
//   atomic        every accumulator can be lifted by atomics in any order (fold_row.hpp)
//   tracks_times  pages keep the earliest hold and deadline of their records
struct StepView {
  CellSpec cells;
  WindowFn windows;
  bool atomic = false, tracks_times = false, report_ended = false, tombstones = false,
       shares_slices = false;
};

}  // namespace windrow::gpu
