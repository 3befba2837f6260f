#include "host/engine/step.hpp"

#include <algorithm>

#include "host/engine/row_view.hpp"
#include "host/engine/source_reader.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::size_t chunk_rows_max = 16384;  // a multiple of 64: parts are cut at words of bits

std::vector<Field> group_fields(Transform const& combine) {
  auto const& group = std::get<Combine>(combine.config).group;
  return {combine.output.fields.begin(),
          combine.output.fields.begin() + static_cast<std::ptrdiff_t>(group.size())};
}

}  // namespace

Step::Step(Graph const& graph, std::size_t transform, PipelineParts const& parts)
    : graph_(graph),
      workers_(parts.workers),
      transform_(transform),
      group_(std::get<Combine>(graph.transforms[transform].config).group.size()),
      spec_(aggregation_spec(graph, transform)),
      aggregation_(parts.make_aggregation(spec_, transform)),
      key_bytes_(group_fields(graph.transforms[transform])) {
  Transform const& combine = graph.transforms[transform];
  RowStage panes(graph, transform, StageRows::panes),
      replaced(graph, transform, StageRows::replaced);
  if (!panes.shape().is_empty()) {
    panes_stage_.emplace(std::move(panes));
  }
  if (!replaced.shape().is_empty()) {
    replaced_stage_.emplace(std::move(replaced));
    std::vector<ValueType> values;
    for (std::size_t i = group_; i < combine.output.fields.size(); ++i) {
      values.push_back(combine.output.fields[i].type.kind);
    }
    bool const by_end = spec_.windows.kind == WindowKind::given && spec_.trigger.merging;
    latest_.emplace(transform, std::move(values), by_end);
  }
  auto const feeds_steps = [](std::optional<RowStage> const& stage) {
    return stage && !stage->shape().keyed.empty();
  };
  keeps_parts_ = feeds_steps(panes_stage_) || feeds_steps(replaced_stage_);
  takes_whole_ = spec_.tombstones && graph.settings.allow_unsafe_triggers;
  keeps_errors_ = combine.has_errors;
  parts_.push_back(std::make_unique<Part>());
  part().errors.reset(error_schema());
  totals_.transform = transform;
  totals_.name = combine.name;
}

void Step::intern(std::size_t end, std::span<StageChunk* const> chunks, BatchPlan const& plan) {
  // A row that is refused cannot be withdrawn later, so that a consumer by `replace` (R78) takes
  // all: its keys come from panes, which grow no more where the step above refuses.
  bool const refuse_new = plan.refuse_new_keys && !spec_.withdrawals;
  workers_.for_each(shards, [&](std::size_t shard) {
    std::vector<KeyId> ids;
    for (StageChunk* const chunk : chunks) {
      KeyedRows& rows = chunk->keyed[end];
      std::uint32_t const first = rows.shard_begin[shard],
                          count = rows.shard_begin[shard + 1] - first;
      ids.resize(count);
      keys_.intern(static_cast<std::uint32_t>(shard), std::span(rows.keys).subspan(first, count),
                   std::span(rows.hashes).subspan(first, count),
                   static_cast<std::uint64_t>(plan.batch_no), refuse_new, ids);
      for (std::uint32_t i = 0; i < count; ++i) {
        rows.ids[rows.by_shard[first + i]] = ids[i];
      }
    }
  });
}

void Step::push(RowStage const& stage, std::size_t end, std::span<StageChunk* const> chunks,
                StageContext const& context, SourceReader const* source, BatchPlan const& plan) {
  intern(end, chunks, plan);
  KeyedEnd const& shape = stage.shape().keyed[end];
  for (StageChunk* const chunk : chunks) {
    KeyedRows& rows = chunk->keyed[end];
    totals_.tombstones_ignored += rows.tombstones_ignored;
    if (std::find(rows.ids.begin(), rows.ids.end(), KeyDictionary::no_key) != rows.ids.end()) {
      std::size_t const before = part().errors.rows();
      stage.drop_refused(context, end, *chunk, part().errors);
      totals_.refused += part().errors.rows() - before;
    }
    EventBatchView const value_errors = chunk->nodes[shape.node].errors;
    for (std::size_t row = 0; row < value_errors.rows; ++row) {
      append_row(value_errors, row, part().errors);
    }
    if (rows.input.rows == 0) {
      continue;
    }
    bool const given = spec_.windows.kind == WindowKind::given;
    WINDROW_ASSERT(!given || !rows.input.window.empty(), "given windows come with every row (R77)");
    aggregation_->push({rows.input.event_time, rows.ids, rows.values,
                        given ? rows.input.window : std::span<Window const>{}, rows.input.weight,
                        rows.input.pane});
    pushed_.push_back(
        {rows_pushed_, rows.input, &stage.input_schema(shape.node), context.records, source});
    rows_pushed_ += rows.input.rows;
  }
}

void Step::advance(Watermark w, BatchPlan const& plan) {
  aggregation_->advance(w, plan.processing_time);
}

bool Step::take_part(StageContext const& context) {
  if (has_taken_) {
    next_part();
  }
  has_taken_ = true;
  bool const more = take_output();
  make_pane_rows(output_.panes, keys_, key_bytes_, graph_.transforms[transform_].output, group_,
                 panes_taken_, panes());
  panes_taken_ += output_.panes.size();
  set_aside_drops(context);
  set_aside_overflows(context);
  ended_.insert(ended_.end(), output_.ended.begin(), output_.ended.end());
  freed_.insert(freed_.end(), output_.freed.begin(), output_.freed.end());
  return more;
}

// A batch that fired in phase A comes whole, since sinks take its phases merged; so does one of
// sessions that unsafe triggers may leave with one row id (R62), since sinks take the pane over the
// tombstone.
bool Step::take_output() {
  bool more = aggregation_->take_output(output_);
  std::vector<std::uint8_t> const& phase = output_.panes.phase;
  if (more && (takes_whole_ || std::find(phase.begin(), phase.end(), 0) != phase.end())) {
    while (more) {
      more = aggregation_->take_output(more_output_);
      output_.append(more_output_);
    }
    more_output_ = {};
  }
  return more;
}

void Step::next_part() {
  if (!keeps_parts_) {
    pool_used_ = 0;
  } else if (++part_ == parts_.size()) {
    parts_.push_back(std::make_unique<Part>());
  }
  part().errors.reset(error_schema());
}

void Step::set_aside_drops(StageContext const& context) {
  for (DroppedRun const& run : output_.dropped) {
    auto const after = std::upper_bound(
        pushed_.begin(), pushed_.end(), run.row,
        [](std::uint32_t row, Pushed const& pushed) { return row < pushed.first; });
    WINDROW_ASSERT(after != pushed_.begin(), "a dropped row was pushed in this batch");
    Pushed const& from = *(after - 1);
    std::size_t const row = run.row - from.first;
    if (from.source != nullptr && from.rows.origin[row] != no_origin) {
      std::string const name =
          from.source->source().partition_name(from.source->partition_of(from.rows.origin[row]));
      auto at = std::find_if(totals_.drops.begin(), totals_.drops.end(), [&](auto const& drops) {
        return drops.source == from.source->transform() && drops.partition == name;
      });
      if (at == totals_.drops.end()) {
        at = totals_.drops.insert(at, {from.source->transform(), name, 0, 0});
      }
      (run.reason == DropReason::late ? at->late : at->closed) += run.windows;
    }
    if (!keeps_errors_ && !context.wants_set_aside) {
      continue;
    }
    Fault const fault =
        run.reason == DropReason::late ? Fault::dropped_late : Fault::dropped_closed;
    std::string element;
    append_row_json(*from.schema, from.rows, row, element);
    ErrorRow error;
    error.element = element;
    error.message = run.reason == DropReason::late ? "the window has expired"
                                                   : "the trigger of the window has finished";
    error.fault = fault;
    error.comes_from(from.records, origin_of(from.records, from.rows, row));
    for (std::uint32_t i = 0; i < run.windows; ++i) {  // several only in sliding windows (R8)
      std::int64_t const by = static_cast<std::int64_t>(i) * spec_.windows.period_us;
      error.window = Window{clip(saturating_add(run.window.start.us, by)),
                            clip(saturating_add(run.window.end.us, by))};
      if (keeps_errors_) {
        append_error_row(error, from.rows.event_time[row], part().errors);
      }
      if (context.wants_set_aside) {
        set_aside_.push_back({transform_, fault, std::string(error.message), element});
      }
    }
  }
}

void Step::set_aside_overflows(StageContext const& context) {
  if (panes().overflows == 0) {
    return;
  }
  EventBatchView const rows = panes().rows.view();
  Schema const& schema = graph_.transforms[transform_].output;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if (rows.overflowed[row] == 0) {
      continue;
    }
    std::string element;
    append_row_json(schema, rows, row, element);
    ErrorRow error;
    error.element = element;
    error.message = "a result is beyond 64 bits";
    error.fault = Fault::overflow;
    error.window = rows.window[row];
    error.pane_version = context.stamp.pane_version;
    if (keeps_errors_) {
      append_error_row(error, rows.event_time[row], part().errors);
    }
    if (context.wants_set_aside) {
      set_aside_.push_back({transform_, Fault::overflow, std::string(error.message), element});
    }
  }
}

EventBatch& Step::replaced() {
  EventBatch& out = part().replaced;
  std::vector<KeyId>& out_key = part().replaced_key;
  EventBatchView panes = part().panes.rows.view();
  panes.columns = panes.columns.subspan(group_);
  panes.origin = {};
  EventBatch values;
  start_like(panes, values);
  out_key.clear();
  latest_->replace(part().panes.key, panes, values, out_key);
  out.reset(Schema{});
  for (Field const& field : group_fields(graph_.transforms[transform_])) {
    out.columns.emplace_back(field.type.kind);
  }
  append_group_fields(out_key, keys_, key_bytes_, out.columns);
  for (Column& column : values.columns) {
    out.columns.push_back(std::move(column));
  }
  out.event_time = std::move(values.event_time);
  out.window = std::move(values.window);
  out.info = std::move(values.info);
  out.deleted = std::move(values.deleted);
  out.overflowed = std::move(values.overflowed);
  out.weight = std::move(values.weight);
  out.pane = std::move(values.pane);
  return out;
}

std::span<StageChunk* const> Step::run_stage(RowStage const& stage, EventBatch& rows,
                                             StageContext const& context, bool with_errors) {
  EventBatchView const all = rows.view();
  EventBatchView const errors = with_errors ? part().errors.view() : EventBatchView{};
  std::size_t const pieces =
      std::max<std::size_t>((all.rows + chunk_rows_max - 1) / chunk_rows_max, errors.rows > 0);
  std::size_t const first = pool_used_;
  pool_used_ += pieces;
  while (pool_.size() < pool_used_) {
    pool_.push_back(std::make_unique<Piece>());
  }
  workers_.for_each(pieces, [&](std::size_t i) {
    Piece& piece = *pool_[first + i];
    std::size_t const begin = i * chunk_rows_max;
    EventBatchView const part =
        part_of(all, begin, std::min(chunk_rows_max, all.rows - begin), piece.columns);
    stage.run(context, part, i == 0 ? errors : EventBatchView{}, {}, piece.stage);
  });
  chunks_.clear();
  for (std::size_t i = 0; i < pieces; ++i) {
    chunks_.push_back(&pool_[first + i]->stage);
  }
  return chunks_;
}

void Step::recycle(BatchPlan const& plan) {
  if (latest_) {
    latest_->end(ended_);
  }
  keys_.recycle(freed_, static_cast<std::uint64_t>(plan.batch_no));
  ended_.clear();
  freed_.clear();
  pushed_.clear();
  rows_pushed_ = 0;
  pool_used_ = 0;
  parts_.resize(1);
  part_ = panes_taken_ = 0;
  has_taken_ = false;
  part().errors.reset(error_schema());
}

std::uint64_t Step::bytes() const {
  return aggregation_->stats().host_bytes + keys_.bytes() + (latest_ ? latest_->bytes() : 0);
}

void Step::count_faults(FaultCounts const& counts) {
  for (std::size_t i = 0; i < faults; ++i) {
    totals_.set_aside[i] += counts[i];
  }
}

StepProgress Step::progress() const {
  StepProgress out = totals_;
  out.stats = aggregation_->stats();
  out.backend = aggregation_->backend();
  out.watermark = aggregation_->watermark();
  out.output_watermark = aggregation_->output_watermark();
  out.keys = keys_.size();
  out.dictionary_bytes = keys_.bytes();
  return out;
}

}  // namespace windrow
