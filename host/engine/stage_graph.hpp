// Which row transforms lie between a producer of rows (a source, a step, or a sink with the rows it
// refuses) and the steps and sinks that read them.
#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "host/plan/graph.hpp"

namespace windrow {

// The rows of a step go down twice where a consumer reads them by `replace` (R78): as panes to all
// others, and as rows of weight +1 and -1 to those.  A sink gives only errors.
enum class StageRows : std::uint8_t { plain, panes, replaced, refused };

// An edge within a stage; `node` indexes StageGraph::nodes.
struct StageEdge {
  std::size_t node = 0;
  bool errors = false;
};
// Node 0 is the producer; the others stand in topological order.
//   transform  in the graph
//   reports    faults of its rows are counted and set aside (not where another stage does)
//   keeps_errors  something in this stage reads its error output
//   tracker    source stages: what an AssignTimestamps tracks, or the source itself (node 0)
struct StageNode {
  std::size_t transform = 0;
  std::vector<StageEdge> inputs;
  bool reports = true, keeps_errors = false;
  std::optional<std::size_t> tracker;
};
// Rows leave to a Combine.
//   trackers  of the source stage: whose rows these are
struct KeyedEnd {
  std::size_t node = 0, transform = 0;
  std::vector<std::size_t> trackers;
};
struct StageGraph {
  std::vector<StageNode> nodes;
  std::vector<KeyedEnd> keyed;
  std::vector<std::size_t> sinks, logs, asserts;  // nodes
  std::vector<std::optional<WatermarkSettings>> trackers;
  [[nodiscard]] bool is_empty() const { return nodes.size() <= 1; }
};

[[nodiscard]] StageGraph stage_graph(Graph const& graph, std::size_t producer, StageRows rows);

[[nodiscard]] bool is_sink(TransformConfig const& config);

}  // namespace windrow
