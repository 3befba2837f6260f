#include "host/engine/stage_graph.hpp"

#include <algorithm>

namespace windrow {
namespace {

template <class Config>
bool is(Graph const& graph, std::size_t transform) {
  return std::holds_alternative<Config>(graph.transforms[transform].config);
}

bool reads_replaced(Graph const& graph, std::size_t transform) {
  auto const* combine = std::get_if<Combine>(&graph.transforms[transform].config);
  return combine != nullptr && combine->input_panes == Combine::InputPanes::replace;
}

// Rows below a step or a sink are of a stage of their own.
bool begins_stage(Graph const& graph, std::size_t transform) {
  return is<Combine>(graph, transform) || is_sink(graph.transforms[transform].config);
}

// What one transform's rows are reached by, from the producer: its main rows through main outputs
// only, or through an error output somewhere on the way.
struct Reach {
  bool main = false, errors = false;
};

std::vector<Reach> reached_from(Graph const& graph, std::size_t producer) {
  std::vector<Reach> reach(graph.transforms.size());
  reach[producer].main = true;
  for (std::size_t t = producer + 1; t < graph.transforms.size(); ++t) {
    for (Edge const& edge : graph.transforms[t].inputs) {
      Reach const from = reach[edge.transform];
      if (edge.transform != producer && begins_stage(graph, edge.transform)) {
        continue;
      }
      reach[t].main = reach[t].main || (from.main && !edge.errors);
      reach[t].errors = reach[t].errors || from.errors || (from.main && edge.errors);
    }
  }
  return reach;
}

// Transforms from which an end of this stage is reached, the ends included.
std::vector<bool> wanted(Graph const& graph, std::size_t producer, StageRows rows,
                         std::vector<Reach> const& reach) {
  std::vector<bool> wants(graph.transforms.size(), false);
  for (std::size_t t = graph.transforms.size(); t-- > producer + 1;) {
    if (!reach[t].main && !reach[t].errors) {
      continue;
    }
    bool const replaced = reads_replaced(graph, t) && reach[t].main;
    bool const ends = is<Combine>(graph, t) || is<LogForTesting>(graph, t) ||
                      is<AssertEqual>(graph, t) || is_sink(graph.transforms[t].config);
    if (rows == StageRows::replaced ? replaced : ends && (rows == StageRows::plain || !replaced)) {
      wants[t] = true;
    }
    if (!wants[t]) {
      continue;
    }
    for (Edge const& edge : graph.transforms[t].inputs) {
      bool const here = edge.transform == producer || !begins_stage(graph, edge.transform);
      if (here && (reach[edge.transform].main || reach[edge.transform].errors) &&
          !(rows == StageRows::replaced && edge.errors)) {
        wants[edge.transform] = true;
      }
    }
  }
  wants[producer] = true;
  return wants;
}

std::optional<WatermarkSettings> source_settings(TransformConfig const& config) {
  return std::visit(
      [](auto const& c) -> std::optional<WatermarkSettings> {
        if constexpr (requires { c.watermark; }) {
          return c.watermark;
        } else {
          return std::nullopt;
        }
      },
      config);
}

// Trackers whose rows reach node `at`: the source's until an AssignTimestamps tracks anew (R88).
std::vector<std::size_t> trackers_above(StageGraph const& stage, std::size_t at) {
  std::vector<std::size_t> out;
  for (StageEdge const& edge : stage.nodes[at].inputs) {
    auto const& tracker = stage.nodes[edge.node].tracker;
    std::vector<std::size_t> const above =
        tracker ? std::vector{*tracker} : trackers_above(stage, edge.node);
    for (std::size_t const t : above) {
      if (std::find(out.begin(), out.end(), t) == out.end()) {
        out.push_back(t);
      }
    }
  }
  return out;
}

}  // namespace

bool is_sink(TransformConfig const& config) {
  return std::holds_alternative<WriteToSqlite>(config) ||
         std::holds_alternative<WriteToPostgres>(config) ||
         std::holds_alternative<WriteToJson>(config) ||
         std::holds_alternative<WriteToKafka>(config);
}

StageGraph stage_graph(Graph const& graph, std::size_t producer, StageRows rows) {
  std::vector<Reach> const reach = reached_from(graph, producer);
  std::vector<bool> const wants = wanted(graph, producer, rows, reach);
  std::vector<bool> const reported_elsewhere =
      rows == StageRows::replaced ? wanted(graph, producer, StageRows::panes, reach)
                                  : std::vector<bool>(graph.transforms.size(), false);
  StageGraph stage;
  std::vector<std::size_t> node_of(graph.transforms.size(), SIZE_MAX);
  for (std::size_t t = producer; t < graph.transforms.size(); ++t) {
    if (!wants[t]) {
      continue;
    }
    StageNode node;
    node.transform = t;
    node.reports = !reported_elsewhere[t];
    std::size_t const index = stage.nodes.size();
    if (t == producer) {
      if (rows == StageRows::plain) {
        node.tracker = stage.trackers.size();
        stage.trackers.push_back(source_settings(graph.transforms[t].config));
      }
    } else {
      for (Edge const& edge : graph.transforms[t].inputs) {
        std::size_t const from = node_of[edge.transform];
        if (from == SIZE_MAX || (edge.errors && rows == StageRows::replaced)) {
          continue;
        }
        node.inputs.push_back({from, edge.errors});
        stage.nodes[from].keeps_errors = stage.nodes[from].keeps_errors || edge.errors;
      }
      auto const* assign = std::get_if<AssignTimestamps>(&graph.transforms[t].config);
      if (rows == StageRows::plain && assign != nullptr && assign->tracks) {
        node.tracker = stage.trackers.size();
        stage.trackers.push_back(assign->watermark);
      }
    }
    bool const leaves = t != producer && begins_stage(graph, t);
    bool const ends_here = leaves && is<Combine>(graph, t);
    if (ends_here) {  // they leave by the error output of the step, which is another stage
      node.keeps_errors = graph.transforms[t].has_errors;
    }
    stage.nodes.push_back(std::move(node));
    node_of[t] = leaves ? SIZE_MAX : index;
    if (ends_here) {
      stage.keyed.push_back({index, t, trackers_above(stage, index)});
    } else if (rows == StageRows::replaced) {
      continue;  // the other stage logs and writes
    } else if (is<LogForTesting>(graph, t)) {
      stage.logs.push_back(index);
    } else if (is<AssertEqual>(graph, t)) {
      stage.asserts.push_back(index);
    } else if (leaves) {
      stage.sinks.push_back(index);
    }
  }
  return stage;
}

}  // namespace windrow
