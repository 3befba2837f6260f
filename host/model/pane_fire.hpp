// What one firing emits: whether there is a pane, and what it says of itself.  Rules: semantics.md
// R30, R32-R34, R37.
#pragma once
#include <cstdint>

#include "host/model/pane.hpp"

namespace windrow {

// Lasting, per (key, window).  Created 0, 0; advanced by each emitted pane; lost when the window
// merges into another interval; deleted at expiry.
//   next_nonspeculative > 0  an emitted pane was not EARLY
struct PaneRecord {
  std::uint32_t next_index = 0, next_nonspeculative = 0;
  bool operator==(PaneRecord const&) const = default;
};

// The answer of `fire`; `record` is what to keep if the pane goes out (a firing that emits nothing
// keeps the old one).
struct Firing {
  bool emit = false;
  PaneInfo info;
  PaneRecord record;
};

// R30.  `w` is the input watermark of the phase, `w_out` the output watermark before the batch.
WINDROW_HOST_DEVICE constexpr PaneTiming timing_of(PaneRecord record, Watermark w, Watermark w_out,
                                                   EventTime end) noexcept {
  if (w_out >= end || record.next_nonspeculative > 0) {
    return PaneTiming::late;
  }
  return w < end ? PaneTiming::early : PaneTiming::on_time;
}

//   fresh     a row came since the previous pane
//   is_final  the trigger finished with this firing, or the window expires
WINDROW_HOST_DEVICE constexpr Firing fire(PaneRecord record, bool fresh, bool is_final, Watermark w,
                                          Watermark w_out, EventTime end, OnTime on_time,
                                          Closing closing) noexcept {
  PaneTiming const timing = timing_of(record, w, w_out, end);
  Firing firing;
  firing.record = record;
  firing.emit = fresh || (timing == PaneTiming::on_time && on_time == OnTime::fire_always) ||
                (is_final && closing == Closing::emit_always);
  if (!firing.emit) {
    return firing;
  }
  bool const early = timing == PaneTiming::early;
  firing.info = PaneInfo{timing, record.next_index == 0, is_final, record.next_index,
                         early ? -1 : static_cast<std::int32_t>(record.next_nonspeculative)};
  ++firing.record.next_index;
  if (!early) {
    ++firing.record.next_nonspeculative;
  }
  return firing;
}

}  // namespace windrow
