#include "host/engine/unit_check.hpp"

#include <algorithm>
#include <cmath>

#include "host/plan/unit_doubt.hpp"

namespace windrow {
namespace {

constexpr std::size_t rows_max = 1000;

// The smallest of the first rows, so that one odd row says nothing of the others.
std::optional<double> smallest(Expression const& timestamp, EventBatchView const& rows,
                               ExpressionEvaluator& evaluator) {
  std::optional<double> found;
  for (std::size_t row = 0; row < std::min(rows.rows, rows_max); ++row) {
    Scalar value;
    if (!evaluator.evaluate(timestamp, rows, row, value)) {
      continue;
    }
    double number = 0;
    if (value.kind == Scalar::Kind::integer) {
      number = static_cast<double>(value.integer);
    } else if (value.kind == Scalar::Kind::number) {
      number = value.number;
    } else {
      continue;
    }
    if (!found || std::abs(number) < std::abs(*found)) {
      found = number;
    }
  }
  evaluator.clear();
  return found;
}

}  // namespace

UnitCheck::UnitCheck(Graph const& graph) : graph_(graph) {
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    auto const* const assign = std::get_if<AssignTimestamps>(&graph.transforms[at].config);
    if (assign != nullptr && assign->doubts_unit) {
      open_.push_back(at);
    }
  }
}

void UnitCheck::look(StageGraph const& shape, StageChunk const& chunk, Observer& observer) {
  if (open_.empty()) {
    return;
  }
  for (std::size_t node = 0; node < shape.nodes.size(); ++node) {
    std::size_t const transform = shape.nodes[node].transform;
    EventBatchView const& rows = chunk.nodes[node].in;
    auto const waiting = std::find(open_.begin(), open_.end(), transform);
    if (waiting == open_.end() || rows.rows == 0) {
      continue;
    }
    auto const& config = std::get<AssignTimestamps>(graph_.transforms[transform].config);
    std::optional<double> const number = smallest(config.timestamp, rows, evaluator_);
    if (!number) {
      continue;
    }
    open_.erase(waiting);
    if (std::string const doubt = unit_doubt(*number); !doubt.empty()) {
      observer.on_warning(transform, "W218", doubt);
    }
  }
}

}  // namespace windrow
