#include "host/engine/row_stage.hpp"

#include <algorithm>
#include <numeric>

#include "host/engine/key_bytes.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/row_view.hpp"
#include "host/model/portable.hpp"

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
    error.records = context.records;
    error.origin = context.records == nullptr || rows.origin.empty() ? no_origin : rows.origin[row];
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
      error.records = context.records;
      error.origin = record.record;
      error.line = record.line;
      append_error_row(error, context.records->raw->records[record.record].time, at.made_errors);
    }
    if (context.wants_set_aside) {
      chunk.set_aside.push_back(
          {shape.transform, record.fault, record.message, std::string(record.bytes)});
    }
  }
  if (checks_future_ && !context.trackers[0].clamps_future()) {
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < rows.rows; ++row) {
      if (context.trackers[0].is_future(rows.event_time[row], context.stamp.processing_time)) {
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

void RowStage::key(StageContext const& context, std::size_t end, StageChunk& chunk) const {
  KeyedEnd const& shape = shape_.keyed[end];
  KeyedRows& keyed = chunk.keyed[end];
  EventBatchView const& in = chunk.nodes[shape.node].in;
  auto const& transform = graph_.transforms[shape.transform];
  auto const& config = std::get<Combine>(transform.config);
  keyed.tombstones_ignored = 0;
  keyed.latest.clear();
  keyed.input = in;

  // Values that are no plain fields are computed; a row without one of its values is set aside.
  keyed.made.resize(config.values.size());
  for (std::size_t v = 0; v < config.values.size(); ++v) {
    keyed.made[v].reset(config.values[v].type.kind);
  }
  std::vector<std::uint32_t> kept;
  kept.reserve(in.rows);
  std::vector<Scalar> values(config.values.size());
  for (std::uint32_t row = 0; row < in.rows; ++row) {
    if (!in.deleted.empty() && in.deleted[row] != 0) {
      ++keyed.tombstones_ignored;  // R78, append; `replace` gets no tombstones
      continue;
    }
    bool whole = true;
    for (std::size_t v = 0; v < config.values.size() && whole; ++v) {
      Expression const& value = config.values[v];
      if (value.op == ExpressionOp::field) {
        continue;
      }
      whole = chunk.evaluator.evaluate(value, in, row, values[v]);
      if (!whole) {
        set_aside(context, shape.node, in, row, Fault::bad_expression, chunk.evaluator.why(),
                  chunk);
      } else if (!fits(values[v], value.type.kind)) {
        whole = false;
        set_aside(context, shape.node, in, row, Fault::bad_expression,
                  "the value has another type than the column", chunk);
      }
    }
    if (!whole) {
      continue;
    }
    kept.push_back(row);
    for (std::size_t v = 0; v < config.values.size(); ++v) {
      if (config.values[v].op != ExpressionOp::field) {
        keyed.made[v].append(values[v]);
      }
    }
    chunk.evaluator.clear();
  }
  if (kept.size() < in.rows) {
    select_rows(in, kept, keyed.kept);
    keyed.input = keyed.kept.view();
  }
  EventBatchView const& rows = keyed.input;
  keyed.values.clear();
  for (std::size_t v = 0; v < config.values.size(); ++v) {
    bool const plain = config.values[v].op == ExpressionOp::field;
    if (plain && rows.rows == 0) {
      keyed.values.push_back({});  // no rows may mean no columns
    } else {
      keyed.values.push_back(plain ? rows.columns[config.values[v].field] : keyed.made[v].view());
    }
  }

  // Keys, their hashes and the rows of each shard.
  std::vector<Field> fields;
  std::vector<ColumnView> group;
  for (std::size_t const column : config.group) {
    fields.push_back(input_schema(shape.node).fields[column]);
    if (rows.rows > 0) {
      group.push_back(rows.columns[column]);
    }
  }
  KeyBytes const bytes(fields);
  keyed.keys.resize(rows.rows);
  keyed.hashes.resize(rows.rows);
  keyed.ids.assign(rows.rows, KeyDictionary::no_key);
  keyed.key_text.clear();
  keyed.key_end.clear();
  std::string scratch;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    keyed.keys[row] = bytes.of(group, row, scratch);
    if (!bytes.plain()) {
      keyed.key_text.append(keyed.keys[row]);
      keyed.key_end.push_back(static_cast<std::uint32_t>(keyed.key_text.size()));
    }
  }
  for (std::size_t row = 0; row < keyed.key_end.size(); ++row) {
    std::size_t const first = row == 0 ? 0 : keyed.key_end[row - 1];
    keyed.keys[row] = std::string_view(keyed.key_text).substr(first, keyed.key_end[row] - first);
  }
  keyed.shard_begin = {};
  for (std::size_t row = 0; row < rows.rows; ++row) {
    keyed.hashes[row] = hash_of(keyed.keys[row]);
    ++keyed.shard_begin[shard_of_hash(keyed.hashes[row]) + 1];
  }
  std::partial_sum(keyed.shard_begin.begin(), keyed.shard_begin.end(), keyed.shard_begin.begin());
  keyed.by_shard.resize(rows.rows);
  auto next = keyed.shard_begin;
  for (std::uint32_t row = 0; row < rows.rows; ++row) {
    keyed.by_shard[next[shard_of_hash(keyed.hashes[row])]++] = row;
  }

  if (context.records != nullptr && !rows.origin.empty()) {  // what the trackers observe
    for (std::size_t row = 0; row < rows.rows; ++row) {
      if (rows.origin[row] == no_origin) {
        continue;
      }
      std::uint32_t const partition = context.records->raw->records[rows.origin[row]].partition;
      auto at = std::lower_bound(
          keyed.latest.begin(), keyed.latest.end(), partition,
          [](auto const& entry, std::uint32_t wanted) { return entry.first < wanted; });
      if (at == keyed.latest.end() || at->first != partition) {
        keyed.latest.insert(at, {partition, rows.event_time[row]});
      } else {
        at->second = std::max(at->second, rows.event_time[row]);
      }
    }
  }
}

void RowStage::drop_refused(StageContext const& context, std::size_t end, StageChunk& chunk,
                            EventBatch& refused) const {
  KeyedEnd const& shape = shape_.keyed[end];
  KeyedRows& keyed = chunk.keyed[end];
  std::vector<std::uint32_t> kept;
  for (std::uint32_t row = 0; row < keyed.input.rows; ++row) {
    if (keyed.ids[row] != KeyDictionary::no_key) {
      kept.push_back(row);
      continue;
    }
    std::string element;
    append_row_json(input_schema(shape.node), keyed.input, row, element);
    ErrorRow error;
    error.element = element;
    error.message = "a new key over memory_limit";
    error.fault = Fault::memory_limit;
    error.records = context.records;
    error.origin = context.records == nullptr || keyed.input.origin.empty()
                       ? no_origin
                       : keyed.input.origin[row];
    append_error_row(error, keyed.input.event_time[row], refused);
    if (context.wants_set_aside) {
      chunk.set_aside.push_back(
          {shape.transform, Fault::memory_limit, std::string(error.message), std::move(element)});
    }
  }
  EventBatchView values = keyed.input;
  values.columns = keyed.values;
  EventBatch columns, rows;
  select_rows(values, kept, columns);
  select_rows(keyed.input, kept, rows);
  keyed.kept = std::move(rows);
  keyed.input = keyed.kept.view();
  keyed.made = std::move(columns.columns);
  keyed.values.clear();
  for (Column const& column : keyed.made) {
    keyed.values.push_back(column.view());
  }
  std::erase(keyed.ids, KeyDictionary::no_key);
}

}  // namespace windrow
