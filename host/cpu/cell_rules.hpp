// What happens to one (key, window), whatever holds its record: rows, firing, panes, expiry.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/cpu/contents.hpp"
#include "host/cpu/fold.hpp"
#include "host/cpu/record.hpp"
#include "host/engine/aggregation.hpp"

namespace windrow::cpu {

// Sessions only: emitted windows that merges took away and whose tombstones are owed (R36).
using Pending = std::vector<Window>;

// The rules of host/model for the cells of one shard, with what goes out and is counted.
class CellRules {
 public:
  // The spec and layout must outlive it.
  CellRules(AggregationSpec const& spec, RecordLayout const& layout)
      : spec_(spec), layout_(layout), cells_{spec.trigger,   layout,
                                             spec.lateness,  spec.timestamp_combiner,
                                             spec.on_time,   spec.closing,
                                             spec.discarding} {
    output.panes.reset(spec.combines);
  }

  AggregationOutput output;
  AggregationStats stats;  // its totals of this shard
  BoxPool boxes;

  [[nodiscard]] CellSpec const& cells() const { return cells_; }

  // An accepted row: fresh, counted, held (R40, R41); its values are folded apart.  True if it is
  // the first of the batch.
  bool accept(std::byte* record, Window window, EventTime time, BatchTimes const& times) {
    RecordHead& head = RecordLayout::head(record);
    bool const is_first = head.new_rows++ == 0;
    head.flags |= flag_fresh;
    ++stats.aggregated;
    if (holds(cells_, window, time, times)) {
      combine_hold(cells_, record, layout_.stores_hold ? time.us : last_of(window).us);
    }
    return is_first;
  }

  // Phase A: the new rows reach the trigger, which is asked once.
  void settle(std::byte* record, Window window, Pending* pending, BatchTimes const& times) {
    put_out(record, window, pending, settle_cell(cells_, record, window, times), times);
  }
  // Fires if the trigger is ready.  Requires an open window.
  void ask(std::byte* record, Window window, Pending* pending, BatchTimes const& times) {
    put_out(record, window, pending, ask_cell(cells_, record, window, times), times);
  }
  // R25: the last pane of an open window, the tombstones still owed, and all it holds goes.
  void expire(std::byte* record, Window window, Pending* pending, BatchTimes const& times) {
    put_out(record, window, pending, expire_cell(cells_, record, window, times), times);
  }
  void send_pending(KeyId key, Pending& pending, Window firing, BatchTimes const& times);

 private:
  void put_out(std::byte* record, Window window, Pending* pending, CellFiring const& firing,
               BatchTimes const& times);
  // `firing` is the window whose pane, expiry or burial it precedes.
  void tombstone(KeyId key, Window window, Window firing, BatchTimes const& times);
  void append_row(KeyId key, Window window, Window firing, EventTime timestamp, PaneInfo info,
                  bool deleted, BatchTimes const& times);

  AggregationSpec const& spec_;
  RecordLayout const& layout_;
  CellSpec const cells_;
};

}  // namespace windrow::cpu
