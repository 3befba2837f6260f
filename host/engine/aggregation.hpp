// The one seam: a windowed, triggered, keyed combine.  A CPU and a CUDA class implement it; the
// pipeline, benchmarks, C ABI and fuzzers use it.  Rules: house.md 2, semantics.md R17.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/engine/snapshot.hpp"
#include "host/model/accumulator.hpp"
#include "host/model/pane.hpp"
#include "host/model/trigger.hpp"
#include "host/model/window.hpp"

namespace windrow {

// All that one step means.
//   tombstones    sessions in ACCUMULATING mode: emitted rows that a merge takes away (R36)
//   withdrawals   rows may have weight -1 (`input_panes: replace`, R78)
//   report_ended  fill AggregationOutput::ended (a `replace` consumer reads this step)
//   relaxed       sums of numbers may differ in their last bits when the same rows come again
struct AggregationSpec {
  WindowFn windows;
  TriggerProgram trigger;
  Duration lateness;
  bool discarding = false;
  TimestampCombiner timestamp_combiner = TimestampCombiner::end_of_window;
  OnTime on_time = OnTime::fire_always;
  Closing closing = Closing::emit_if_nonempty;
  std::vector<CombineFn> combines;
  bool tombstones = false, withdrawals = false, report_ended = false, relaxed = false;
};

// Pairs of one row that were dropped.  The row's windows are those of R8 in ascending order of
// start; `window` is the first of the run; of sessions the proto-window, of given windows the
// window.
//   row  index over all rows of the batch, in the order of the pushes
enum class DropReason : std::uint8_t { late, closed };
struct DroppedRun {
  std::uint32_t row;
  DropReason reason;
  Window window;
  std::uint32_t windows;
};

// Panes and tombstones of one part, in no particular order over keys, but per (key, window): phase
// A before B, a tombstone before the firing it belongs to.  The engine makes R17's order once.
//   deleted   1 = tombstone: values are null, info has no meaning
//   phase     0 = A, 1 = B
//   firing    of a tombstone the window whose firing or expiry it precedes (R17's order), of a pane
//             and of an emptied group its own; empty = every row's own
//   overflow  1 = an integer result left int64: null in its column (semantics.md 16.4)
//   values    one column per combine of the spec, of result_type
struct PaneBatch {
  std::vector<KeyId> key;
  std::vector<Window> window, firing;
  std::vector<EventTime> timestamp;
  std::vector<PaneInfo> info;
  std::vector<std::uint8_t> deleted, phase, overflow;
  std::vector<Column> values;
  void reset(std::vector<CombineFn> const& combines);
  void reserve(std::size_t panes);
  void append(PaneBatch const& from);  // of equal combines
  [[nodiscard]] std::size_t size() const { return key.size(); }
};

// A row id whose state is gone and that owes no tombstone.  Windows are named by their last
// interval.
struct EndedWindow {
  KeyId key;
  Window window;
};

//   freed  keys that lost their last state in this batch, or had all their rows dropped in it, once
//          each, with the last part; the dictionary may recycle them
struct AggregationOutput {
  PaneBatch panes;
  std::vector<DroppedRun> dropped;
  std::vector<EndedWindow> ended;
  std::vector<KeyId> freed;
  void reset(std::vector<CombineFn> const& combines);
  void append(AggregationOutput const& from);
};

// Earliest W and earliest P at which an advance has work, T_MAX / INT64_MAX when there is none.
struct Wakeup {
  Watermark event_time = T_MAX;
  ProcessingTime processing_time{INT64_MAX};
};

// Counters are totals since the start and part of the snapshot; the last two lines are the present
// state, and what this object has copied to and from its device.
// `evaluations` counts how often the record of a (key, window) was asked or expired: once per batch
// that touched it, once more when time had a reason to (R17); `cells` counts records, of slices
// too. Conservation over (row, window) pairs: assigned = aggregated + dropped_late +
// dropped_closed.
struct AggregationStats {
  std::uint64_t rows = 0, late = 0, assigned = 0, aggregated = 0, dropped_late = 0,
                dropped_closed = 0, no_window = 0, overflow = 0, panes_early = 0, panes_on_time = 0,
                panes_late = 0, tombstones = 0, evaluations = 0;
  std::uint64_t cells = 0, windows_with_state = 0, keys = 0, host_bytes = 0, device_bytes = 0;
  std::uint64_t bytes_to_device = 0, bytes_from_device = 0;
};

// Where a step runs, and what it went through there in this run.
//   name    "cpu", "twin", "cuda:0"
//   moved   why it has left the device on which it began; empty: it has not
//   halved  batches that went to the device in pieces, for want of memory
struct AggregationBackend {
  std::string name;
  std::string moved = {};
  std::uint64_t halved = 0;
};

// The piece `clocks` of a snapshot, the same for every backend.
//   rows  ever pushed
struct AggregationClocks {
  Watermark w, w_out;
  std::int64_t p_us = 0;
  std::uint64_t rows = 0;
  AggregationStats totals;
  void write(SnapshotWriter& out) const;
  void read(std::string_view bytes);
};

class Aggregation {
 public:
  virtual ~Aggregation() = default;
  // Judges rows under the W and W_out of the last advance and folds them; never fires.  A batch is
  // all pushes since the last advance, however rows are split over them.  The views are not kept.
  virtual void push(KeyedBatchView const& rows) = 0;
  // Ends the batch: P; phase A (merge, on_elements, fire); W; phase B (fire, expire); W_out (R17).
  // Lower values than before are held (R3).
  virtual void advance(Watermark w, ProcessingTime now) = 0;
  // The next part of the output of the batch; `out` is cleared first.  False: that was the last,
  // and only then may anything else be asked or pushed.  A batch that fires many cells comes in
  // parts, so that its panes are never all in memory: the first has the drops and all panes of
  // phase A, each further one panes of phase B whose firings end after those of the parts before
  // it.
  virtual bool take_output(AggregationOutput& out) = 0;
  [[nodiscard]] virtual Watermark watermark() const = 0;         // W
  [[nodiscard]] virtual Watermark output_watermark() const = 0;  // W_out = min(input, holds)
  [[nodiscard]] virtual Wakeup next_wakeup() const = 0;
  // One cut, between an advance whose output was taken and the next push.
  virtual void snapshot(SnapshotWriter& out) const = 0;
  virtual void restore(SnapshotReader& in) = 0;  // into a fresh object of an equal spec
  [[nodiscard]] virtual AggregationStats stats() const = 0;
  [[nodiscard]] virtual AggregationBackend backend() const = 0;
};

}  // namespace windrow
