// From a Combine of the plan to what its backend is built from.
#pragma once
#include "host/engine/aggregation.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// The step whose panes a Combine reads, if any.
[[nodiscard]] std::optional<std::size_t> producer_of(Graph const& graph, std::size_t combine);

[[nodiscard]] AggregationSpec aggregation_spec(Graph const& graph, std::size_t combine);

}  // namespace windrow
