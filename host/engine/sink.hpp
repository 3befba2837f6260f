// Where rows go: a system that takes the canonical row (connectors.md 2), guarded by pane_version.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/batch.hpp"

namespace windrow {

// connectors.md 3.1
enum class Outcome : std::uint8_t { ok, superseded, retry, split, dead_letter, pause, fatal };

// The columns a sink gets, fixed from its creation.  Order and names are those of the canonical
// row.
//   upsert        rows carry an id; a row replaces a stored one iff its version is not lower
//   id, key, version, deleted  indexes of these columns in `columns`; `key` also of window_start
//   times         of those that are microseconds since 1970: the window's edges, the pane's stamp
struct SinkSchema {
  Schema columns;
  bool upsert = false;
  std::size_t id = SIZE_MAX, version = SIZE_MAX, deleted = SIZE_MAX;
  std::vector<std::size_t> key, times;
};

// Rows of one batch for one sink: coalesced, in R17's order, ids unique when upserting.  A batch of
// very many panes comes in parts, none of which is empty; no part comes before the last one is
// written.
//   watermark  of the last part: the output watermark of the step above after this batch, for
//              readers of the sink's progress
struct SinkRowsView {
  std::int64_t batch_no = 0;
  std::int64_t pane_version = 0;
  std::size_t rows = 0;
  std::span<ColumnView const> columns;  // as SinkSchema::columns
  std::optional<Watermark> watermark = std::nullopt;
  bool is_last = true;
};

// Why `row` was not written: fixed words first, values last.
struct SinkFault {
  std::size_t row = 0;
  std::string message;
};

// Called by this sink's own thread, in batch order.  Idempotent per (id, pane_version).
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void open() = 0;  // EnvironmentError when the world refuses
  // After `open`: the highest pane_version that the system says it has from this sink, if it keeps
  // that (_windrow_progress).  A clock behind it would have all rows superseded.
  [[nodiscard]] virtual std::optional<std::int64_t> last_version() { return std::nullopt; }
  // Writes all rows of [0, rows) or says per row what happened; `out` has `rows` elements. `faults`
  // is cleared first and gets one element per dead_letter row, in row order; where the whole batch
  // had no effect (every outcome the same: retry, split, pause or fatal), one element in all.
  virtual void write(SinkRowsView const& rows, std::span<Outcome> out,
                     std::vector<SinkFault>& faults) = 0;
  virtual void flush() {}  // everything written is durable or visible when it returns
};

}  // namespace windrow
