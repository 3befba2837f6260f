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
      aggregation_(parts.make_aggregation(spec_)),
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
    latest_.emplace(std::move(values), by_end);
  }
  keeps_errors_ = combine.has_errors;
  errors_.reset(error_schema());
  totals_.transform = transform;
  totals_.name = combine.name;
}

void Step::intern(std::size_t end, std::span<StageChunk* const> chunks, BatchPlan const& plan) {
  workers_.for_each(shards, [&](std::size_t shard) {
    std::vector<std::string_view> keys;
    std::vector<std::uint64_t> hashes;
    std::vector<KeyId> ids;
    for (StageChunk* const chunk : chunks) {
      KeyedRows& rows = chunk->keyed[end];
      std::uint32_t const first = rows.shard_begin[shard], last = rows.shard_begin[shard + 1];
      keys.clear();
      hashes.clear();
      ids.resize(last - first);
      for (std::uint32_t i = first; i < last; ++i) {
        keys.push_back(rows.keys[rows.by_shard[i]]);
        hashes.push_back(rows.hashes[rows.by_shard[i]]);
      }
      keys_.intern(static_cast<std::uint32_t>(shard), keys, hashes,
                   static_cast<std::uint64_t>(plan.batch_no), plan.refuse_new_keys, ids);
      for (std::uint32_t i = first; i < last; ++i) {
        rows.ids[rows.by_shard[i]] = ids[i - first];
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
      std::size_t const before = errors_.rows();
      stage.drop_refused(context, end, *chunk, errors_);
      totals_.refused += errors_.rows() - before;
    }
    EventBatchView const value_errors = chunk->nodes[shape.node].errors;
    for (std::size_t row = 0; row < value_errors.rows; ++row) {
      append_row(value_errors, row, errors_);
    }
    if (rows.input.rows == 0) {
      continue;
    }
    bool const given = spec_.windows.kind == WindowKind::given;
    WINDROW_ASSERT(!given || !rows.input.window.empty(), "given windows come with every row (R77)");
    aggregation_->push({rows.input.event_time, rows.ids, rows.values,
                        given ? rows.input.window : std::span<Window const>{}, rows.input.weight});
    pushed_.push_back(
        {rows_pushed_, rows.input, &stage.input_schema(shape.node), context.records, source});
    rows_pushed_ += rows.input.rows;
  }
}

void Step::advance(Watermark w, BatchPlan const& plan, StageContext const& context) {
  aggregation_->advance(w, plan.processing_time);
  aggregation_->take_output(output_);
  make_pane_rows(output_.panes, keys_, key_bytes_, graph_.transforms[transform_].output, group_,
                 panes_);
  set_aside_drops(context);
  set_aside_overflows(context);
  pushed_.clear();
  rows_pushed_ = 0;
  pool_used_ = 0;
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
    error.records = from.records;
    error.origin =
        from.records == nullptr || from.rows.origin.empty() ? no_origin : from.rows.origin[row];
    for (std::uint32_t i = 0; i < run.windows; ++i) {  // several only in sliding windows (R8)
      std::int64_t const by = static_cast<std::int64_t>(i) * spec_.windows.period_us;
      error.window = Window{clip(saturating_add(run.window.start.us, by)),
                            clip(saturating_add(run.window.end.us, by))};
      if (keeps_errors_) {
        append_error_row(error, from.rows.event_time[row], errors_);
      }
      if (context.wants_set_aside) {
        set_aside_.push_back({transform_, fault, std::string(error.message), element});
      }
    }
  }
}

void Step::set_aside_overflows(StageContext const& context) {
  if (panes_.overflows == 0) {
    return;
  }
  EventBatchView const rows = panes_.rows.view();
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
      append_error_row(error, rows.event_time[row], errors_);
    }
    if (context.wants_set_aside) {
      set_aside_.push_back({transform_, Fault::overflow, std::string(error.message), element});
    }
  }
}

EventBatch& Step::replaced() {
  EventBatchView panes = panes_.rows.view();
  panes.columns = panes.columns.subspan(group_);
  panes.origin = {};
  EventBatch values;
  start_like(panes, values);
  replaced_key_.clear();
  latest_->replace(panes_.key, panes, values, replaced_key_);
  replaced_.reset(Schema{});
  for (Field const& field : group_fields(graph_.transforms[transform_])) {
    replaced_.columns.emplace_back(field.type.kind);
  }
  append_group_fields(replaced_key_, keys_, key_bytes_, replaced_.columns);
  for (Column& column : values.columns) {
    replaced_.columns.push_back(std::move(column));
  }
  replaced_.event_time = std::move(values.event_time);
  replaced_.window = std::move(values.window);
  replaced_.info = std::move(values.info);
  replaced_.deleted = std::move(values.deleted);
  replaced_.overflowed = std::move(values.overflowed);
  replaced_.weight = std::move(values.weight);
  return replaced_;
}

std::span<StageChunk* const> Step::run_stage(RowStage const& stage, EventBatch& rows,
                                             StageContext const& context, bool with_errors) {
  EventBatchView const all = rows.view();
  EventBatchView const errors = with_errors ? errors_.view() : EventBatchView{};
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
    latest_->end(output_.ended);
  }
  keys_.recycle(output_.freed, static_cast<std::uint64_t>(plan.batch_no));
  errors_.reset(error_schema());
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
  out.watermark = aggregation_->watermark();
  out.output_watermark = aggregation_->output_watermark();
  out.keys = keys_.size();
  out.dictionary_bytes = keys_.bytes();
  return out;
}

}  // namespace windrow
