// The sources and sinks that a graph names.
#pragma once
#include "host/engine/clock.hpp"
#include "host/engine/pipeline.hpp"

namespace windrow::cli {

// True if every source of the graph ends by itself.
[[nodiscard]] bool all_bounded(Graph const& graph);

// `clock` paces generated rows; it outlives the sources.
[[nodiscard]] std::vector<SourcePart> make_sources(Graph const& graph, Clock& clock);
[[nodiscard]] std::vector<SinkPart> make_sinks(Graph const& graph);

}  // namespace windrow::cli
