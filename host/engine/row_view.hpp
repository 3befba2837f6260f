// Parts, copies and texts of rows: what row transforms, steps and sinks do with an EventBatchView.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "host/engine/batch.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

// Empties `out` and gives it the columns of `rows`; then `append_row` fills it.
void start_like(EventBatchView const& rows, EventBatch& out);
// Copies one row with all that it carries.
void append_row(EventBatchView const& rows, std::size_t row, EventBatch& out);
// Copies what a row carries besides its columns.
void append_row_frame(EventBatchView const& rows, std::size_t row, EventBatch& out);
// Empties `out`, then copies the rows named, in that order.
void select_rows(EventBatchView const& rows, std::span<std::uint32_t const> selected,
                 EventBatch& out);

// Empties `out`, then copies all rows of the parts, which have equal columns: by `place`, those of
// one place part by part, so that their order does not depend on where a stage's input was cut; all
// part by part if one has no places.  What only some carry the others get as rows that no step
// produced have it: the global window, no pane, weight +1.
void join_rows(std::span<EventBatchView const> parts, EventBatch& out);

// Rows [first, first + count) without a copy; `first` is a multiple of 64, as validity is bits. The
// columns of the part live in `columns`.
[[nodiscard]] EventBatchView part_of(EventBatchView const& rows, std::size_t first,
                                     std::size_t count, std::vector<ColumnView>& columns);

// Appends the row as one JSON object.
void append_row_json(Schema const& schema, EventBatchView const& rows, std::size_t row,
                     std::string& out);

}  // namespace windrow
