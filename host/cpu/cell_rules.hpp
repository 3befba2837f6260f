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

// The clocks of the batch that runs.  In phase A `w` is the watermark before the batch, in phase B
// the one after it and `w_before` the other; `w_out` is always the one before the batch.
struct BatchTimes {
  Watermark w, w_before, w_out;
  std::int64_t p_us, p_before_us;
  bool phase_b = false;
};

// Sessions only: emitted windows that merges took away and whose tombstones are owed (R36).
using Pending = std::vector<Window>;

class CellRules {
 public:
  // The spec and layout must outlive it.
  CellRules(AggregationSpec const& spec, RecordLayout const& layout)
      : spec_(spec), layout_(layout) {
    output.panes.reset(spec.combines);
  }

  AggregationOutput output;
  AggregationStats stats;  // its totals of this shard
  BoxPool boxes;

  // Makes a zeroed record the state of an open window that no row has reached.
  void begin(std::byte* record) const { start(spec_.trigger, layout_.trigger(record)); }
  [[nodiscard]] static bool is_open(std::byte* record) {
    return (RecordLayout::head(record).flags & flag_open) != 0;
  }

  // An accepted row: fresh, counted, held (R40, R41); its values are folded apart.  True if it is
  // the first of the batch.
  bool accept(std::byte* record, Window window, EventTime time, BatchTimes const& times) {
    RecordHead& head = RecordLayout::head(record);
    bool const is_first = head.new_rows++ == 0;
    head.flags |= flag_fresh;
    ++stats.aggregated;
    EventTime const hold = layout_.stores_hold() ? time : last_of(window);
    if (hold >= times.w_out && times.w < window.end) {
      combine_hold(record, hold.us);
    }
    return is_first;
  }
  void combine_hold(std::byte* record, std::int64_t hold_us) const;

  // Phase A: the new rows reach the trigger, which is asked once.
  void settle(std::byte* record, Window window, Pending* pending, BatchTimes const& times);
  // Fires if the trigger is ready.  Requires an open window.
  void ask(std::byte* record, Window window, Pending* pending, BatchTimes const& times);
  // R25: the last pane of an open window, the tombstones still owed, and all it holds goes.
  void expire(std::byte* record, Window window, Pending* pending, BatchTimes const& times);
  // `firing` is the window whose pane, expiry or burial it precedes.
  void tombstone(KeyId key, Window window, Window firing, BatchTimes const& times);
  void send_pending(KeyId key, Pending& pending, Window firing, BatchTimes const& times);

  // The element hold, `never` if there is none.
  [[nodiscard]] std::int64_t hold_of(std::byte* record, Window window) const {
    if ((RecordLayout::head(record).flags & flag_held) == 0) {
      return never;
    }
    return layout_.stores_hold() ? layout_.hold(record) : last_of(window).us;
  }
  // The earliest deadline of an open window not before `from_us`, `never` if there is none.
  [[nodiscard]] std::int64_t deadline_of(std::byte* record, std::int64_t from_us) const;

 private:
  void emit_pane(std::byte* record, Window window, Pending* pending, bool is_final,
                 BatchTimes const& times);
  void append_row(KeyId key, Window window, Window firing, EventTime timestamp, PaneInfo info,
                  bool deleted, BatchTimes const& times);

  AggregationSpec const& spec_;
  RecordLayout const& layout_;
};

}  // namespace windrow::cpu
