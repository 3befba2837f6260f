// What combines do to records: fold rows column by column, extract results.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "host/cpu/boxes.hpp"
#include "host/cpu/record.hpp"

namespace windrow::cpu {

// Accepted pairs of rows and records, in row order per record.
//   row     [n] index into the columns
//   record  [n] where the row goes
//   time, weight, pane, values   columns as in KeyedBatchView
//   sequence                     arrival number of row 0
struct FoldInput {
  std::span<std::uint32_t const> row;
  std::span<std::byte* const> record;
  std::span<EventTime const> time;
  std::span<ColumnView const> values;
  std::span<std::int8_t const> weight;
  std::uint64_t sequence = 0;
  std::span<std::uint64_t const> pane = {};
};
// One pass over the rows per combine.  Fixed-size accumulators allocate nothing.
void fold(RecordLayout const& layout, BoxPool& boxes, FoldInput const& in);

// Appends one row to `out` ([combines]); returns how many results left int64 and are null.
std::uint32_t extract(RecordLayout const& layout, BoxPool& boxes, std::byte* record,
                      std::vector<Column>& out);

}  // namespace windrow::cpu
