// What each row transform does to the rows of one chunk (semantics.md 16.3).
#include "host/engine/row_stage.hpp"
#include "host/engine/row_view.hpp"
#include "host/model/portable.hpp"
#include "host/model/stamp.hpp"

namespace windrow {
namespace {

std::optional<EventTime> stamp_from(Scalar const& value, TimeUnit unit) {
  switch (value.kind) {
    case Scalar::Kind::integer:
      return stamp_of(value.integer, unit);
    case Scalar::Kind::number:
      return stamp_of(value.number, unit);
    case Scalar::Kind::string:
      return stamp_of(value.text, unit);
    default:
      return std::nullopt;
  }
}

void append_pane_info(PaneInfo const& info, Column& out) {
  ContainerEncoder encoder(Scalar::Kind::structure, out.open_text());
  encoder.name("is_first");
  encoder.add(Scalar::of(info.first));
  encoder.name("is_last");
  encoder.add(Scalar::of(info.last));
  encoder.name("timing");
  encoder.add(Scalar::of_string(timing_name(info.timing)));
  encoder.name("index");
  encoder.add(Scalar::of(std::int64_t{info.index}));
  encoder.name("nonspeculative_index");
  encoder.add(Scalar::of(std::int64_t{info.nonspeculative_index}));
  encoder.close();
  out.end_text();
}

void append_windowing(ExtractWindowingInfo::What what, EventBatchView const& rows, std::size_t row,
                      BatchStamp const& stamp, Column& out) {
  using What = ExtractWindowingInfo::What;
  bool const of_pane = !rows.window.empty();
  Window const window = of_pane ? rows.window[row] : Window{T_MIN, T_END};  // R10: global
  bool const global = window == Window{T_MIN, T_END};
  switch (what) {
    case What::timestamp:
      return out.append(rows.event_time[row].us);
    case What::window_start:
      return out.append(window.start.us);
    case What::window_end:
      return out.append(window.end.us);
    case What::window_string:
      return out.append_text(global ? "GlobalWindow"
                                    : "[" + std::to_string(window.start.us) + ", " +
                                          std::to_string(window.end.us) + ")");
    case What::window_type:
      return out.append_text(global ? "GlobalWindow" : "IntervalWindow");
    case What::pane_info:
      return append_pane_info(rows.info.empty() ? PaneInfo{} : rows.info[row], out);
    case What::pane_version:
      return of_pane ? out.append(stamp.pane_version) : out.append_null();
    case What::deleted:
      return out.append(!rows.deleted.empty() && rows.deleted[row] != 0);
    case What::drained:
      return out.append(of_pane && stamp.is_drained(window));
  }
}

}  // namespace

void RowStage::assign_timestamps(StageContext const& context, std::size_t node,
                                 StageChunk& chunk) const {
  StageNode const& shape = shape_.nodes[node];
  NodeRows& at = chunk.nodes[node];
  auto const& config = std::get<AssignTimestamps>(graph_.transforms[shape.transform].config);
  WatermarkTracker const* tracker = shape.tracker ? &context.trackers[*shape.tracker] : nullptr;
  EventTime const newest = tracker != nullptr && !tracker->clamps_future()
                               ? tracker->newest_allowed(context.stamp.processing_time)
                               : T_MAX;
  bool const is_integer_field = config.timestamp.op == ExpressionOp::field &&
                                config.timestamp.type.kind == ValueType::integer;
  ColumnView const integers =
      is_integer_field ? at.in.columns[config.timestamp.field] : ColumnView{};
  std::vector<std::uint32_t> kept;
  kept.reserve(at.in.rows);
  at.stamps.clear();
  at.stamps.reserve(at.in.rows);
  for (std::uint32_t row = 0; row < at.in.rows; ++row) {
    if (!at.in.deleted.empty() && at.in.deleted[row] != 0) {  // a tombstone has no values
      kept.push_back(row);
      at.stamps.push_back(at.in.event_time[row]);
      continue;
    }
    std::optional<EventTime> stamp;
    if (is_integer_field && integers.is_valid(row)) {  // what nearly all are, without a Scalar
      stamp = stamp_of(integers.integers()[row], config.unit);
    } else {
      Scalar value;
      if (!chunk.evaluator.evaluate(config.timestamp, at.in, row, value)) {
        set_aside(context, node, at.in, row, Fault::bad_timestamp, chunk.evaluator.why(), chunk);
        continue;
      }
      stamp = stamp_from(value, config.unit);
      chunk.evaluator.clear();
    }
    if (!stamp) {
      set_aside(context, node, at.in, row, Fault::bad_timestamp, "the value is no event time",
                chunk);
    } else if (*stamp > newest) {
      set_aside(context, node, at.in, row, Fault::future_timestamp,
                "event time is too far after processing time", chunk);
    } else {
      kept.push_back(row);
      at.stamps.push_back(*stamp);
    }
  }
  if (kept.size() < at.in.rows) {
    select_rows(at.in, kept, at.made);
    at.out = at.made.view();
  }
  at.out.event_time = at.stamps;
}

void RowStage::map_to_fields(StageContext const& context, std::size_t node,
                             StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[node];
  auto const& config =
      std::get<MapToFields>(graph_.transforms[shape_.nodes[node].transform].config);
  bool computes = false;
  for (Expression const& column : config.columns) {
    computes = computes || column.op != ExpressionOp::field;
  }
  EventBatchView rows = at.in;
  std::vector<std::uint32_t> kept;
  std::vector<Column>& made = at.made.columns;
  if (computes) {
    made.resize(config.columns.size());
    for (std::size_t c = 0; c < config.columns.size(); ++c) {
      made[c].reset(config.columns[c].type.kind);
    }
    std::vector<Scalar> values(config.columns.size());
    for (std::uint32_t row = 0; row < at.in.rows; ++row) {
      bool whole = true;
      for (std::size_t c = 0; c < config.columns.size() && whole; ++c) {
        if (config.columns[c].op == ExpressionOp::field) {
          continue;
        }
        // A tombstone's aggregates are null: what cannot be computed of it stays null.
        bool const tombstone = !at.in.deleted.empty() && at.in.deleted[row] != 0;
        bool const ok = chunk.evaluator.evaluate(config.columns[c], at.in, row, values[c]);
        if (!ok && tombstone) {
          values[c] = Scalar::null();
        } else if (!ok || !fits(values[c], config.columns[c].type.kind)) {
          whole = false;
          set_aside(context, node, at.in, row, Fault::bad_expression,
                    ok ? "the value has another type than the column" : chunk.evaluator.why(),
                    chunk);
        }
      }
      if (whole) {
        kept.push_back(row);
        for (std::size_t c = 0; c < config.columns.size(); ++c) {
          if (config.columns[c].op != ExpressionOp::field) {
            made[c].append(values[c]);
          }
        }
      }
      chunk.evaluator.clear();
    }
    if (kept.size() < at.in.rows) {
      select_rows(at.in, kept, at.kept);
      rows = at.kept.view();
    }
  }
  at.columns.clear();  // plain fields are not copied
  for (std::size_t c = 0; c < config.columns.size(); ++c) {
    Expression const& column = config.columns[c];
    at.columns.push_back(column.op == ExpressionOp::field ? rows.columns[column.field]
                                                          : made[c].view());
  }
  at.out = rows;
  at.out.columns = at.columns;
}

void RowStage::filter(StageContext const& context, std::size_t node, StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[node];
  auto const& config = std::get<Filter>(graph_.transforms[shape_.nodes[node].transform].config);
  std::vector<std::uint32_t> kept;
  kept.reserve(at.in.rows);
  for (std::uint32_t row = 0; row < at.in.rows; ++row) {
    Scalar keep;
    bool const tombstone = !at.in.deleted.empty() && at.in.deleted[row] != 0;
    if (tombstone) {
      kept.push_back(row);  // it has no values to judge by, and what is not out is not hurt by it
    } else if (!chunk.evaluator.evaluate(config.keep, at.in, row, keep)) {
      set_aside(context, node, at.in, row, Fault::bad_expression, chunk.evaluator.why(), chunk);
    } else if (keep.kind == Scalar::Kind::boolean && keep.boolean) {
      kept.push_back(row);
    }
    chunk.evaluator.clear();
  }
  if (kept.size() < at.in.rows) {
    select_rows(at.in, kept, at.made);
    at.out = at.made.view();
  }
}

// One row per member of the list; as Beam's, an empty or null list gives none.
void RowStage::explode(std::size_t node, StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[node];
  std::size_t const transform = shape_.nodes[node].transform;
  std::size_t const field = std::get<Explode>(graph_.transforms[transform].config).field;
  start_like(at.in, at.made);
  at.made.columns[field].reset(graph_.transforms[transform].output.fields[field].type.kind);
  auto const add = [&](std::size_t row, Scalar const& member) {
    append_row_frame(at.in, row, at.made);
    for (std::size_t c = 0; c < at.in.columns.size(); ++c) {
      if (c == field) {
        at.made.columns[c].append(member);
      } else {
        at.made.columns[c].append(at.in.columns[c], row);
      }
    }
  };
  for (std::size_t row = 0; row < at.in.rows; ++row) {
    if (!at.in.columns[field].is_valid(row)) {
      if (!at.in.deleted.empty() && at.in.deleted[row] != 0) {
        add(row, Scalar::null());
      }
      continue;
    }
    ContainerReader members(at.in.columns[field].text(row));
    std::string_view name;
    Scalar member;
    while (members.next(name, member)) {
      add(row, member);
    }
  }
  at.out = at.made.view();
}

void RowStage::extract_windowing(StageContext const& context, std::size_t node,
                                 StageChunk& chunk) const {
  NodeRows& at = chunk.nodes[node];
  std::size_t const transform = shape_.nodes[node].transform;
  auto const& config = std::get<ExtractWindowingInfo>(graph_.transforms[transform].config);
  auto const& output = graph_.transforms[transform].output.fields;
  std::size_t const first = output.size() - config.append.size();
  std::vector<Column>& made = at.made.columns;
  made.resize(config.append.size());
  at.columns.assign(at.in.columns.begin(), at.in.columns.end());
  WINDROW_ASSERT(at.columns.size() == first, "windowing fields are appended to the input's");
  for (std::size_t c = 0; c < config.append.size(); ++c) {
    made[c].reset(output[first + c].type.kind);
    for (std::size_t row = 0; row < at.in.rows; ++row) {
      append_windowing(config.append[c], at.in, row, context.stamp, made[c]);
    }
    at.columns.push_back(made[c].view());
  }
  at.out.columns = at.columns;
}

}  // namespace windrow
