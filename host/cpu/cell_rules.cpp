// Puts out what firings give: panes, tombstones, counters.
#include "host/cpu/cell_rules.hpp"

namespace windrow::cpu {

void CellRules::put_out(std::byte* record, Window window, Pending* pending,
                        CellFiring const& firing, BatchTimes const& times) {
  RecordHead const& head = RecordLayout::head(record);
  stats.evaluations += firing.asked ? 1 : 0;
  if (firing.pending && pending != nullptr) {
    send_pending(head.key, *pending, window, times);
  }
  if (firing.takes_away) {
    tombstone(head.key, window, window, times);
  }
  if (firing.emits) {
    append_row(head.key, window, window, firing.timestamp, firing.info, false, times);
    std::uint32_t const overflows = extract(layout_, boxes, record, output.panes.values);
    output.panes.overflow.back() = overflows > 0 ? 1 : 0;
    stats.overflow += overflows;
    ++(firing.info.timing == PaneTiming::early     ? stats.panes_early
       : firing.info.timing == PaneTiming::on_time ? stats.panes_on_time
                                                   : stats.panes_late);
  }
  if (firing.clears) {
    clear_contents(layout_, boxes, record);
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

}  // namespace windrow::cpu
