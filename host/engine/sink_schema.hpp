// The columns that a sink of the graph gets: the canonical row of connectors.md 2.
#pragma once
#include <cstddef>

#include "host/engine/sink.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// Rows of a step: id, window_start, window_end, the other fields of `key`, the rest of the input's
// fields, pane_version, pane_index, pane_timing, is_last, deleted, drained and what `columns` adds
// or renames.  Rows that no step produced: their own fields, append only.
[[nodiscard]] SinkSchema sink_schema(Graph const& graph, std::size_t transform);

}  // namespace windrow
