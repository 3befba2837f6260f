// Rows, firing, panes and expiry of one (key, window).  Rules: semantics.md R17, R25, R36, R37,
// R40-R45.
#include "host/cpu/cell_rules.hpp"

namespace windrow::cpu {

void CellRules::combine_hold(std::byte* record, std::int64_t hold_us) const {
  RecordHead& head = RecordLayout::head(record);
  if (layout_.stores_hold()) {
    std::int64_t& held = layout_.hold(record);
    bool const is_first = (head.flags & flag_held) == 0;
    bool const latest = spec_.timestamp_combiner == TimestampCombiner::latest;
    if (is_first || (latest ? hold_us > held : hold_us < held)) {
      held = hold_us;
    }
  }
  head.flags |= flag_held;
}

void CellRules::settle(std::byte* record, Window window, Pending* pending,
                       BatchTimes const& times) {
  RecordHead& head = RecordLayout::head(record);
  on_elements(spec_.trigger, layout_.trigger(record), {times.w.us, times.p_us, window.end.us},
              head.new_rows);
  head.new_rows = 0;
  ask(record, window, pending, times);
}

void CellRules::ask(std::byte* record, Window window, Pending* pending, BatchTimes const& times) {
  ++stats.evaluations;
  FiringClock const clock{times.w.us, times.p_us, window.end.us};
  TriggerStateRef const state = layout_.trigger(record);
  std::uint32_t const ready = ready_nodes(spec_.trigger, state, clock);
  if (!root_is_ready(spec_.trigger, ready)) {
    return;
  }
  on_fire(spec_.trigger, state, clock, ready);
  bool const finished = has_finished(spec_.trigger, state);
  emit_pane(record, window, pending, finished, times);
  if (finished || spec_.discarding) {
    clear_contents(layout_, boxes, record);
  }
  if (!finished) {
    return;
  }
  // A closed window keeps its finished bits (R24), and `emitted` to say later that its row id
  // ended.
  std::uint32_t const bits = *state.finished;
  std::uint8_t const emitted = *state.flags & flag_emitted;
  start(spec_.trigger, state);
  *state.finished = bits;
  *state.flags = emitted;
}

void CellRules::expire(std::byte* record, Window window, Pending* pending,
                       BatchTimes const& times) {
  if (!is_open(record)) {
    return;
  }
  ++stats.evaluations;
  emit_pane(record, window, pending, true, times);
  if (pending != nullptr) {
    send_pending(RecordLayout::head(record).key, *pending, window, times);
  }
  clear_contents(layout_, boxes, record);
}

void CellRules::emit_pane(std::byte* record, Window window, Pending* pending, bool is_final,
                          BatchTimes const& times) {
  RecordHead& head = RecordLayout::head(record);
  EventTime timestamp = last_of(window);
  std::int64_t const hold_us = hold_of(record, window);
  if (hold_us < timestamp.us) {
    timestamp.us = hold_us;
  }
  bool const fresh = (head.flags & flag_fresh) != 0;
  head.flags &= static_cast<std::uint8_t>(~(flag_held | flag_fresh));
  Firing const firing = fire(head.pane, fresh, is_final, times.w, times.w_out, window.end,
                             spec_.on_time, spec_.closing);
  if (!firing.emit) {
    return;
  }
  if (pending != nullptr) {
    send_pending(head.key, *pending, window, times);
  }
  bool const emptied =
      layout_.counts_contributions() && !spec_.discarding && layout_.contributions(record) == 0;
  if (emptied) {  // R78: the group has no row any more
    if ((head.flags & flag_emitted) != 0) {
      tombstone(head.key, window, window, times);
    }
    head.flags &= static_cast<std::uint8_t>(~flag_emitted);
    return;
  }
  append_row(head.key, window, window, timestamp, firing.info, false, times);
  std::uint32_t const overflows = extract(layout_, boxes, record, output.panes.values);
  output.panes.overflow.back() = overflows > 0 ? 1 : 0;
  stats.overflow += overflows;
  head.pane = firing.record;
  head.flags |= flag_emitted;
  switch (firing.info.timing) {
    case PaneTiming::early:
      ++stats.panes_early;
      break;
    case PaneTiming::on_time:
      ++stats.panes_on_time;
      break;
    default:
      ++stats.panes_late;
  }
}

void CellRules::send_pending(KeyId key, Pending& pending, Window firing, BatchTimes const& times) {
  for (Window const window : pending) {
    tombstone(key, window, firing, times);
  }
  pending.clear();
}

void CellRules::tombstone(KeyId key, Window window, Window firing, BatchTimes const& times) {
  append_row(key, window, firing, last_of(window), {}, true, times);
  for (Column& column : output.panes.values) {
    column.append_null();
  }
  ++stats.tombstones;
}

void CellRules::append_row(KeyId key, Window window, Window firing, EventTime timestamp,
                           PaneInfo info, bool deleted, BatchTimes const& times) {
  PaneBatch& panes = output.panes;
  panes.key.push_back(key);
  panes.window.push_back(window);
  if (spec_.tombstones) {
    panes.firing.push_back(firing);
  }
  panes.timestamp.push_back(timestamp);
  panes.info.push_back(info);
  panes.deleted.push_back(deleted ? 1 : 0);
  panes.phase.push_back(times.phase_b ? 1 : 0);
  panes.overflow.push_back(0);
}

std::int64_t CellRules::deadline_of(std::byte* record, std::int64_t from_us) const {
  std::int64_t earliest = never;
  if (!is_open(record)) {
    return earliest;
  }
  std::int64_t const* const deadline = layout_.trigger(record).deadline;
  for (std::uint32_t i = 0; i < spec_.trigger.deadlines; ++i) {
    if (deadline[i] >= from_us && deadline[i] < earliest) {
      earliest = deadline[i];
    }
  }
  return earliest;
}

}  // namespace windrow::cpu
