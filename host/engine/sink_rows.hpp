// The rows of one batch for one sink: made canonical, coalesced and ordered (connectors.md 1.10,
// 2).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/engine/error_rows.hpp"
#include "host/engine/observer.hpp"
#include "host/engine/sink.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// What the engine knows of a pane beside its columns.
enum class PaneColumn : std::uint8_t {
  id,
  window_start,
  window_end,
  timestamp,
  pane_version,
  pane_index,
  nonspeculative_index,
  pane_timing,
  is_first,
  is_last,
  deleted,
  drained
};

// How each column of a SinkSchema is filled: from the pane, or from a column of the sink's input.
struct SinkLayout {
  struct Cell {
    std::optional<PaneColumn> pane;
    std::size_t input = 0;
  };
  SinkSchema schema;
  std::vector<Cell> cells;      // as schema.columns
  std::vector<Cell> id_fields;  // the fields of `key` but window_start
  std::string id_prefix;
  bool has_id = false;
  bool numbered = false;    // ids end in the ordinal of the pane in its batch
  bool has_errors = false;  // what it refuses is read: rows keep where they come from
};
[[nodiscard]] SinkLayout sink_layout(Graph const& graph, std::size_t transform);

// Where a row on its way to a sink comes from.
struct SinkRowOrigin {
  EventTime event_time;
  std::optional<Window> window;
  std::optional<RecordPlace> record;
};

// Rows on their way to a sink: a batch, or a part of one (`is_last`: its last).
//   origins  per row where SinkLayout::has_errors, else empty
struct SinkBatch {
  std::int64_t batch_no = 0, pane_version = 0;
  std::optional<Watermark> watermark;
  std::size_t rows = 0, tombstones = 0;
  std::vector<Column> columns;
  std::vector<SinkRowOrigin> origins;
  bool is_last = true;
};

// Collects one batch for one sink, in the order of the batch.
class SinkRows {
 public:
  explicit SinkRows(SinkLayout layout);
  // `records`: of a source's rows, where they come from.
  void add(EventBatchView const& rows, BatchStamp const& stamp,
           RecordsView const* records = nullptr);
  // Hands over what was collected: upserts with one row per id (the last pane wins, and any pane
  // over a tombstone), in the order (e, s, key bytes) with the phases merged.
  [[nodiscard]] SinkBatch take(BatchStamp const& stamp, bool is_last);
  [[nodiscard]] std::size_t collected() const { return place_.size(); }
  [[nodiscard]] SinkLayout const& layout() const { return layout_; }

 private:
  SinkLayout layout_;
  std::vector<Column> columns_;
  std::vector<SinkRowOrigin> origins_;   // as SinkBatch::origins
  std::vector<std::uint32_t> place_;     // row -> its place in the step's sink order
  std::vector<std::uint8_t> tombstone_;  // row -> is it one
  std::size_t handed_over_ = 0;          // of this batch
  std::string id_;
  std::vector<Scalar> id_fields_;
};

}  // namespace windrow
