// What a pipeline has done so far, for the live view, metrics and the end summary; totals since the
// start, restored ones included.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "host/engine/source.hpp"

namespace windrow {

using FaultCounts = std::array<std::uint64_t, faults>;  // by Fault

// Of one source.  read = decoded + rejected; `set_aside` also counts faults of its row transforms.
//   watermark  the lowest of its trackers', with the partition that holds it back, if one does
//   replayable  what was read can be read again
struct SourceProgress {
  std::size_t transform = 0;
  std::string name;
  std::uint64_t read = 0, decoded = 0, rejected = 0, bytes = 0, regressions = 0;
  FaultCounts set_aside{};
  Watermark watermark = T_MIN;
  std::string holder;
  std::string waiting;  // what keeps it from reading; empty when nothing does
  bool ended = false, replayable = true;
};

// Pairs dropped by one step, of rows of one partition of a source.
struct PartitionDrops {
  std::size_t source = 0;  // transform
  std::string partition;
  std::uint64_t late = 0, closed = 0;
};

// Of one Combine.
//   refused             rows with a new key over memory_limit
//   tombstones_ignored  of its producer, under `input_panes: append`
struct StepProgress {
  std::size_t transform = 0;
  std::string name;
  AggregationStats stats;
  AggregationBackend backend;
  Watermark watermark = T_MIN, output_watermark = T_MIN;
  std::uint64_t keys = 0, dictionary_bytes = 0, refused = 0, tombstones_ignored = 0;
  FaultCounts set_aside{};  // of the row transforms below it
  std::vector<PartitionDrops> drops;
};

// Of one sink.
//   taken   rows that it was given;  queued: of these, not acknowledged yet
//   rows    written, tombstones too
struct SinkProgress {
  std::size_t transform = 0;
  std::string name;
  std::uint64_t taken = 0, queued = 0;
  std::uint64_t rows = 0, superseded = 0, tombstones = 0, retries = 0, dead_letters = 0;
  std::int64_t acked_batch = 0;
  std::int64_t last_version = 0;  // as the system had it when it was opened; 0: it does not say
  FaultCounts set_aside{};        // of the row transforms below its error output
  std::string waiting;            // why it retries or pauses, else empty
  std::string refusal;            // why the first row of this run was refused, else empty
};

struct Progress {
  std::int64_t batch_no = 0, pane_version = 0;
  ProcessingTime processing_time;
  std::uint64_t state_bytes = 0;
  bool refuses_new_keys = false;
  std::vector<SourceProgress> sources;
  std::vector<StepProgress> steps;
  std::vector<SinkProgress> sinks;
};

// The laws of operations.md 4: per source read = decoded + rejected; per step assigned =
// aggregated + dropped_late + dropped_closed; per sink taken = rows + superseded + dead_letters +
// queued.  One text per law that does not hold, empty if all do.
[[nodiscard]] std::vector<std::string> broken_laws(Progress const& progress);

struct Summary {
  Progress progress;
  std::vector<std::string> broken_laws;  // empty: all hold everywhere
  std::vector<std::string> failures;     // differences found by AssertEqual
};

}  // namespace windrow
