// Windows that *share slices*: a row is folded once, into its slice, for all its windows whose end
// W has not reached (they *run*), since nothing can be seen of these before.  When W reaches the
// end of a window, its slices, in order, become its record, which is like any other from then on:
// it fires, takes late rows and expires.  Panes, drops, clocks and counters (but `evaluations` and
// `cells`) are those of a record per window from the row on.  The same for every backend.
#pragma once
#include <string_view>

#include "host/model/pane.hpp"
#include "host/model/trigger_eval.hpp"
#include "host/model/window.hpp"

namespace windrow {

// Why windows of a step share no slices; empty: they do.
//   Spec  AggregationSpec, which this room does not know
template <class Spec>
[[nodiscard]] constexpr std::string_view why_no_slices(Spec const& spec) noexcept {
  TriggerNode const& root = spec.trigger.node[spec.trigger.nodes - 1U];
  bool const waits_for_end =
      root.op == TriggerOp::default_ ||
      (root.op == TriggerOp::after_end_of_window &&
       (!root.parts ||
        spec.trigger.node[trigger_detail::first_child(root)].op == TriggerOp::never));
  if (spec.windows.kind != WindowKind::sliding || spec.windows.size_us <= spec.windows.period_us) {
    return "windows do not overlap";
  }
  if (!waits_for_end || spec.trigger.merging) {
    return "the trigger may fire before a window ends";
  }
  if (spec.timestamp_combiner != TimestampCombiner::end_of_window) {
    return "rows hold the watermark by their own times";
  }
  return spec.withdrawals ? "rows may be taken back" : "";
}
template <class Spec>
[[nodiscard]] constexpr bool shares_slices(Spec const& spec) noexcept {
  return why_no_slices(spec).empty();
}

// Windows that contain a slice and run.
WINDROW_HOST_DEVICE constexpr IndexRange running_windows(WindowFn const& fn, std::int64_t slice,
                                                         Watermark w) noexcept {
  IndexRange range = windows_of_slice(fn, slice);
  while (range.first <= range.last && window_at(fn, range.first).end <= w) {
    ++range.first;
  }
  return range;
}

// The times of a slice, clipped like windows; `slice_of` its start is it.
WINDROW_HOST_DEVICE constexpr Window slice_at(WindowFn const& fn, std::int64_t slice) noexcept {
  if (fn.kind == WindowKind::global) {
    return window_at(fn, slice);
  }
  std::int64_t const rest = floor_mod(fn.size_us, fn.period_us);
  WindowFn part{WindowKind::fixed, fn.period_us, fn.period_us, fn.offset_us, 0};
  if (rest == 0) {
    return window_at(part, slice);
  }
  bool const second = floor_mod(slice, 2) == 1;
  part.size_us = second ? fn.period_us - rest : rest;
  part.offset_us += second ? rest : 0;
  return window_at(part, floor_div(slice, 2));
}

}  // namespace windrow
