// W218 where the rows of a source are first seen while it runs.
#pragma once
#include <vector>

#include "host/engine/row_stage.hpp"

namespace windrow {

// Looks once, at the first rows of every AssignTimestamps whose numbers have no unit and of which
// the plan saw none: the first 1000 of the first chunk that has some.  Changes nothing.
class UnitCheck {
 public:
  explicit UnitCheck(Graph const& graph);
  // A chunk whose rows are still there.
  void look(StageGraph const& shape, StageChunk const& chunk, Observer& observer);

 private:
  Graph const& graph_;
  std::vector<std::size_t> open_;  // transforms that had no rows yet
  ExpressionEvaluator evaluator_;
};

}  // namespace windrow
