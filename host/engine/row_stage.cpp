#include "host/engine/row_stage.hpp"

#include <algorithm>
#include <numeric>

#include "host/engine/row_view.hpp"

namespace windrow {

RowStage::RowStage(Graph const& graph, std::size_t producer, StageRows rows)
    : graph_(graph), shape_(stage_graph(graph, producer, rows)) {
  joins_ = std::any_of(shape_.nodes.begin(), shape_.nodes.end(),
                       [](StageNode const& node) { return node.inputs.size() > 1; });
  for (KeyedEnd const& end : shape_.keyed) {
    checks_future_ = checks_future_ ||
                     std::find(end.trackers.begin(), end.trackers.end(), 0U) != end.trackers.end();
  }
}

Schema const& RowStage::input_schema(std::size_t node) const {
  if (node == 0) {
    return graph_.transforms[shape_.nodes[0].transform].output;
  }
  StageEdge const& edge = shape_.nodes[node].inputs.at(0);
  return edge.errors ? error_schema() : graph_.transforms[shape_.nodes[edge.node].transform].output;
}

void RowStage::run(StageContext const& context, EventBatchView const& rows,
                   EventBatchView const& errors, std::span<RejectedRecord const> rejected,
                   StageChunk& chunk) const {
  chunk.nodes.resize(shape_.nodes.size());
  chunk.keyed.resize(shape_.keyed.size());
  chunk.faults = {};
  chunk.set_aside.clear();
  chunk.evaluator.clear();
  for (NodeRows& node : chunk.nodes) {
    node.made_errors.reset(error_schema());
    node.errors = {};
  }
  chunk.nodes[0].out = rows;
  if (joins_) {
    chunk.places.resize(rows.rows);
    std::iota(chunk.places.begin(), chunk.places.end(), 0U);
    chunk.nodes[0].out.place = chunk.places;
  }
  chunk.nodes[0].errors = errors;
  if (context.records != nullptr) {
    read_source(context, EventBatchView{chunk.nodes[0].out}, rejected, chunk);
  }
  for (std::size_t node = 1; node < shape_.nodes.size(); ++node) {
    gather(node, chunk);
    run_node(context, node, chunk);
    if (shape_.nodes[node].keeps_errors) {
      chunk.nodes[node].errors = chunk.nodes[node].made_errors.view();
    }
  }
}

void RowStage::gather(std::size_t node, StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[node];
  auto const& inputs = shape_.nodes[node].inputs;
  auto const rows_of = [&](StageEdge edge) -> EventBatchView const& {
    return edge.errors ? chunk.nodes[edge.node].errors : chunk.nodes[edge.node].out;
  };
  if (inputs.size() == 1) {
    at.in = rows_of(inputs[0]);
    return;
  }
  std::vector<EventBatchView> parts;
  for (StageEdge const edge : inputs) {
    if (rows_of(edge).rows > 0) {
      parts.push_back(rows_of(edge));
    }
  }
  if (parts.size() == 1) {
    at.in = parts[0];
    return;
  }
  join_rows(parts, at.joined);
  at.in = parts.empty() ? EventBatchView{} : at.joined.view();
}

void RowStage::run_node(StageContext const& context, std::size_t node, StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[node];
  at.out = at.in;
  if (at.in.rows == 0) {
    for (std::size_t end = 0; end < shape_.keyed.size(); ++end) {
      if (shape_.keyed[end].node == node) {
        key(context, end, chunk);
      }
    }
    return;
  }
  TransformConfig const& config = graph_.transforms[shape_.nodes[node].transform].config;
  if (std::holds_alternative<AssignTimestamps>(config)) {
    assign_timestamps(context, node, chunk);
  } else if (std::holds_alternative<MapToFields>(config)) {
    map_to_fields(context, node, chunk);
  } else if (std::holds_alternative<Filter>(config)) {
    filter(context, node, chunk);
  } else if (std::holds_alternative<Explode>(config)) {
    explode(node, chunk);
  } else if (std::holds_alternative<ExtractWindowingInfo>(config)) {
    extract_windowing(context, node, chunk);
  } else if (std::holds_alternative<Combine>(config)) {
    for (std::size_t end = 0; end < shape_.keyed.size(); ++end) {
      if (shape_.keyed[end].node == node) {
        key(context, end, chunk);
      }
    }
  }
}

void RowStage::set_aside(StageContext const& context, std::size_t node, EventBatchView const& rows,
                         std::size_t row, Fault fault, std::string_view message,
                         StageChunk& chunk) const {
  StageNode const& shape = shape_.nodes[node];
  bool const withdrawn = !rows.weight.empty() && rows.weight[row] < 0;  // told when it came
  if (!shape.reports || withdrawn) {
    return;
  }
  ++chunk.faults[static_cast<std::size_t>(fault)];
  if (!shape.keeps_errors && !context.wants_set_aside) {
    return;
  }
  std::string element;
  append_row_json(input_schema(node), rows, row, element);
  if (shape.keeps_errors) {
    ErrorRow error;
    error.element = element;
    error.message = message;
    error.fault = fault;
    error.comes_from(context.records, origin_of(context.records, rows, row));
    if (!rows.window.empty()) {
      error.window = rows.window[row];
      error.pane_version = context.stamp.pane_version;
    }
    append_error_row(error, rows.event_time[row], chunk.nodes[node].made_errors);
  }
  if (context.wants_set_aside) {
    chunk.set_aside.push_back({shape.transform, fault, std::string(message), std::move(element)});
  }
}

// Rejected records become error rows; rows too far in the future of the tracker that counts are set
// aside (R86).
void RowStage::read_source(StageContext const& context, EventBatchView const& rows,
                           std::span<RejectedRecord const> rejected, StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[0];
  StageNode const& shape = shape_.nodes[0];
  for (RejectedRecord const& record : rejected) {
    ++chunk.faults[static_cast<std::size_t>(record.fault)];
    if (shape.keeps_errors) {
      ErrorRow error;
      error.element = record.bytes;
      error.message = record.message;
      error.fault = record.fault;
      error.comes_from(context.records, record.record);
      error.line = record.line;
      append_error_row(error, context.records->raw->records[record.record].time, at.made_errors);
    }
    if (context.wants_set_aside) {
      chunk.set_aside.push_back(
          {shape.transform, record.fault, record.message, std::string(record.bytes)});
    }
  }
  if (checks_future_ && !context.trackers[0].clamps_future()) {
    EventTime const newest = context.trackers[0].newest_allowed(context.stamp.processing_time);
    std::vector<std::uint32_t> kept;
    kept.reserve(rows.rows);
    for (std::uint32_t row = 0; row < rows.rows; ++row) {
      if (rows.event_time[row] > newest) {
        set_aside(context, 0, rows, row, Fault::future_timestamp,
                  "event time is too far after processing time", chunk);
      } else {
        kept.push_back(row);
      }
    }
    if (kept.size() < rows.rows) {
      select_rows(rows, kept, at.made);
      at.out = at.made.view();
    }
  }
  if (shape.keeps_errors) {
    at.errors = at.made_errors.view();
  }
}

}  // namespace windrow
