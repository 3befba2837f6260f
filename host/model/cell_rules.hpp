// What happens to one (key, window), whatever holds its record and whoever runs it: rows reach it,
// it is asked, it fires, it expires.  Rules: semantics.md R17, R25, R37, R40-R45, R78.
#pragma once
#include <cstdint>

#include "host/model/record.hpp"
#include "host/model/window.hpp"

namespace windrow {

// The clocks of the batch that runs.  In phase A `w` is the watermark before the batch, in phase B
// the one after it and `w_before` the other; `w_out` is always the one before the batch.
struct BatchTimes {
  Watermark w, w_before, w_out;
  std::int64_t p_us, p_before_us;
  bool phase_b = false;
};

// What the cells of a step share.
struct CellSpec {
  TriggerProgram trigger;
  RecordShape shape;
  Duration lateness;
  TimestampCombiner stamp = TimestampCombiner::end_of_window;
  OnTime on_time = OnTime::fire_always;
  Closing closing = Closing::emit_if_nonempty;
  bool discarding = false;
};

inline constexpr std::int64_t never = INT64_MAX;  // no hold, no deadline, no event

// The identity of the element hold that records store.
[[nodiscard]] WINDROW_HOST_DEVICE constexpr std::int64_t no_hold(TimestampCombiner stamp) noexcept {
  return stamp == TimestampCombiner::latest ? INT64_MIN : INT64_MAX;
}

// Makes a zeroed record the state of an open window that no row has reached.
WINDROW_HOST_DEVICE inline void start_cell(CellSpec const& spec, std::byte* record) noexcept {
  start(spec.trigger, spec.shape.trigger(record));
  if (spec.shape.stores_hold) {
    spec.shape.hold_of(record) = no_hold(spec.stamp);
  }
}
// The same of a window whose rows lay in slices until its end came: what they would have left in a
// record of its own (shares_slices), but for the accumulators.
WINDROW_HOST_DEVICE inline void start_combined_cell(CellSpec const& spec,
                                                    std::byte* record) noexcept {
  start_cell(spec, record);
  RecordShape::head(record).flags |= flag_armed | flag_fresh | flag_held;
}
[[nodiscard]] WINDROW_HOST_DEVICE inline bool is_open(std::byte* record) noexcept {
  return (RecordShape::head(record).flags & flag_open) != 0;
}

// Does an accepted row hold the watermark (R40)?
[[nodiscard]] WINDROW_HOST_DEVICE inline bool holds(CellSpec const& spec, Window window,
                                                    EventTime time,
                                                    BatchTimes const& times) noexcept {
  EventTime const hold = spec.shape.stores_hold ? time : last_of(window);
  return hold >= times.w_out && times.w < window.end;
}
WINDROW_HOST_DEVICE inline void combine_hold(CellSpec const& spec, std::byte* record,
                                             std::int64_t hold_us) noexcept {
  if (spec.shape.stores_hold) {
    std::int64_t& held = spec.shape.hold_of(record);
    bool const wins = spec.stamp == TimestampCombiner::latest ? hold_us > held : hold_us < held;
    held = wins ? hold_us : held;
  }
  RecordShape::head(record).flags |= flag_held;
}
// The element hold, `never` if there is none.
[[nodiscard]] WINDROW_HOST_DEVICE inline std::int64_t hold_of(CellSpec const& spec,
                                                              std::byte* record,
                                                              Window window) noexcept {
  if ((RecordShape::head(record).flags & flag_held) == 0) {
    return never;
  }
  return spec.shape.stores_hold ? spec.shape.hold_of(record) : last_of(window).us;
}

// The earliest deadline of an open window not before `from_us`, `never` if there is none.
[[nodiscard]] WINDROW_HOST_DEVICE inline std::int64_t deadline_of(CellSpec const& spec,
                                                                  std::byte* record,
                                                                  std::int64_t from_us) noexcept {
  std::int64_t earliest = never;
  if (!is_open(record)) {
    return earliest;
  }
  std::int64_t const* const deadline = spec.shape.trigger(record).deadline;
  for (std::uint32_t i = 0; i < spec.trigger.deadlines; ++i) {
    if (deadline[i] >= from_us && deadline[i] < earliest) {
      earliest = deadline[i];
    }
  }
  return earliest;
}

// What a firing gives to the outside.
//   asked     the trigger was asked, or the window expired while open
//   emits     a pane goes out
//   takes_away  a tombstone of the window's own row goes out instead: its group is empty (R78)
//   pending   tombstones that are owed go out before (R36)
//   clears    its accumulators are the identity again, once the pane is out
struct CellFiring {
  bool asked = false, emits = false, takes_away = false, pending = false, clears = false;
  PaneInfo info;
  EventTime timestamp;
};

namespace cell_detail {

WINDROW_HOST_DEVICE inline void make_pane(CellSpec const& spec, std::byte* record, Window window,
                                          bool is_final, BatchTimes const& times,
                                          CellFiring& out) noexcept {
  RecordHead& head = RecordShape::head(record);
  out.timestamp = last_of(window);
  std::int64_t const hold_us = hold_of(spec, record, window);
  if (hold_us < out.timestamp.us) {
    out.timestamp.us = hold_us;
  }
  bool const fresh = (head.flags & flag_fresh) != 0;
  head.flags &= ~(flag_held | flag_fresh);
  if (spec.shape.stores_hold) {
    spec.shape.hold_of(record) = no_hold(spec.stamp);
  }
  Firing const firing = fire(head.pane, fresh, is_final, times.w, times.w_out, window.end,
                             spec.on_time, spec.closing);
  if (!firing.emit) {
    return;
  }
  out.pending = true;
  bool const emptied = spec.shape.counts_contributions && !spec.discarding &&
                       spec.shape.contributions_of(record) == 0;
  if (emptied) {  // R78: the group has no row any more
    out.takes_away = (head.flags & flag_emitted) != 0;
    head.flags &= ~flag_emitted;
    return;
  }
  out.emits = true;
  out.info = firing.info;
  head.pane = firing.record;
  head.flags |= flag_emitted;
}

}  // namespace cell_detail

// Fires if the trigger is ready.  Requires an open window.
[[nodiscard]] WINDROW_HOST_DEVICE inline CellFiring ask_cell(CellSpec const& spec,
                                                             std::byte* record, Window window,
                                                             BatchTimes const& times) noexcept {
  CellFiring out;
  out.asked = true;
  FiringClock const clock{times.w.us, times.p_us, window.end.us};
  TriggerStateRef const state = spec.shape.trigger(record);
  std::uint32_t const ready = ready_nodes(spec.trigger, state, clock);
  if (!root_is_ready(spec.trigger, ready)) {
    return out;
  }
  on_fire(spec.trigger, state, clock, ready);
  bool const finished = has_finished(spec.trigger, state);
  cell_detail::make_pane(spec, record, window, finished, times, out);
  out.clears = finished || spec.discarding;
  if (finished) {
    // A closed window keeps its finished bits (R24), and `emitted` to say later that its row id
    // ended.
    std::uint32_t const bits = *state.finished;
    std::uint32_t const kept = *state.flags & (flag_emitted | flag_exists);
    start(spec.trigger, state);
    *state.finished = bits;
    *state.flags = kept;
  }
  return out;
}

// Phase A: the new rows reach the trigger, which is asked once.
[[nodiscard]] WINDROW_HOST_DEVICE inline CellFiring settle_cell(CellSpec const& spec,
                                                                std::byte* record, Window window,
                                                                BatchTimes const& times) noexcept {
  RecordHead& head = RecordShape::head(record);
  on_elements(spec.trigger, spec.shape.trigger(record), {times.w.us, times.p_us, window.end.us},
              head.new_rows);
  head.new_rows = 0;
  return ask_cell(spec, record, window, times);
}

// R25: the last pane of an open window; all that it holds goes with it.
[[nodiscard]] WINDROW_HOST_DEVICE inline CellFiring expire_cell(CellSpec const& spec,
                                                                std::byte* record, Window window,
                                                                BatchTimes const& times) noexcept {
  CellFiring out;
  if (!is_open(record)) {
    return out;
  }
  out.asked = true;
  cell_detail::make_pane(spec, record, window, true, times, out);
  out.pending = true;
  out.clears = true;
  return out;
}

}  // namespace windrow
