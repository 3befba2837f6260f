// What of a graph decides results, as one number: a state belongs to one such number
// (connectors.md 1.2).
#pragma once
#include <cstdint>

#include "host/plan/graph.hpp"

namespace windrow {

// Sources (what they read and how time follows it), row transforms, steps, schemas, edges, names,
// and how sinks name their rows.  Not: addresses, credentials, paths of sinks, start positions,
// which a state makes meaningless, engine settings, places in the file.
[[nodiscard]] std::uint64_t graph_hash(Graph const& graph);

}  // namespace windrow
