// The part of a graph that leads to some of its transforms, for tests of pipeline files.
#pragma once
#include <vector>

#include "host/plan/graph.hpp"

namespace windrow::cli {

// In topological order; an error_handling output that no transform of the part reads is closed.
[[nodiscard]] Graph part_leading_to(Graph graph, std::vector<std::size_t> const& ends);

}  // namespace windrow::cli
