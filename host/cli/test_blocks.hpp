// Beam's `tests` blocks: rows put in for transforms, rows expected of others.
#pragma once
#include <string>
#include <vector>

#include "host/plan/graph.hpp"
#include "host/plan/pipeline_file.hpp"

namespace windrow::cli {

// The part of the graph that a block exercises: mocked transforms are Creates, expectations are
// AssertEquals, sinks and all that leads to no expectation are gone.  `faults` says what the block
// names that the graph lacks, or a source that is neither mocked nor allowed.
struct MockedGraph {
  Graph graph;
  std::vector<std::string> faults;
};
[[nodiscard]] MockedGraph mocked(Graph graph, PipelineTest const& test);

}  // namespace windrow::cli
