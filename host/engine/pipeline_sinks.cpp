// How the rows of a batch reach the sinks, and what these refuse the sinks below them.
//
// A sink that reads what others refuse gets the last part of a batch once all of those have
// acknowledged theirs, with the refused rows behind its own, sink by sink.  So what it gets is a
// function of the plan and of what is refused, however slow a sink is; a sink that reads no refused
// rows never waits.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "host/engine/pipeline_impl.hpp"
#include "host/engine/row_view.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::chrono::seconds told_after{1};  // a wait at a stop

void append(SinkBatch& to, SinkBatch const& from) {
  for (std::size_t c = 0; c < to.columns.size(); ++c) {
    to.columns[c].append_all(from.columns[c]);
  }
  to.origins.insert(to.origins.end(), from.origins.begin(), from.origins.end());
  to.rows += from.rows;
}

std::vector<std::string> elements_of(RefusedRows const& refused, Schema const& schema) {
  std::vector<ColumnView> columns;
  for (Column const& column : refused.columns) {
    columns.push_back(column.view());
  }
  EventBatchView rows;
  rows.rows = refused.messages.size();
  rows.columns = columns;
  std::vector<std::string> elements(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    append_row_json(schema, rows, row, elements[row]);
  }
  return elements;
}

}  // namespace

// Hands over what was collected for a sink; `is_last`: the batch has no more.
void Pipeline::Impl::write_sink(SinkEnd& sink, BatchPlan const& plan, bool is_last) {
  await_plan(plan);
  SinkBatch batch = sink.rows.take(
      {plan.batch_no, plan.pane_version, plan.processing_time, std::nullopt}, is_last);
  if (is_last && sink.step) {
    batch.watermark = steps[*sink.step]->output_watermark();
  }
  if (sink.above.empty()) {
    return submit(sink, std::move(batch));
  }
  sink.held.push_back({std::move(batch), {}});
  release(sink);
}

void Pipeline::Impl::write_sinks(BatchPlan const& plan) {
  for (SinkEnd& sink : sinks) {
    write_sink(sink, plan, true);
  }
}

void Pipeline::Impl::tell_pause(SinkEnd const& sink) {
  SinkProgress const progress = sink.writer->progress();
  parts.observer.on_pause("sink " + progress.name + ": " +
                          (progress.waiting.empty() ? "is behind" : progress.waiting));
}

void Pipeline::Impl::submit(SinkEnd& sink, SinkBatch batch) {
  bool const waits = !sink.writer->has_room();
  if (waits) {
    tell_pause(sink);
  }
  sink.writer->submit(std::move(batch));
  if (waits) {
    parts.observer.on_pause({});
  }
}

// Between two batches, since a batch that is held back must be there whole.
void Pipeline::Impl::hand_on_refused() {
  for (SinkEnd& sink : sinks) {
    release(sink);
    hand_on_refused(sink);
  }
}

void Pipeline::Impl::settle_sinks() {
  for (SinkEnd& sink : sinks) {
    release(sink);
    bool waits = false;
    while (!sink.writer->settle(told_after)) {
      waits = true;
      tell_pause(sink);
    }
    if (waits) {
      parts.observer.on_pause({});
    }
    hand_on_refused(sink);
  }
}

// Hands over what no sink above holds back any more.
void Pipeline::Impl::release(SinkEnd& sink) {
  for (; !sink.held.empty(); sink.held.pop_front()) {
    auto& [batch, refused] = sink.held.front();
    bool const waits = std::any_of(sink.above.begin(), sink.above.end(),
                                   [this, batch_no = batch.batch_no](std::size_t above) {
                                     return sinks[above].told_batch < batch_no;
                                   });
    if (batch.is_last && waits) {
      return;
    }
    std::stable_sort(refused.begin(), refused.end(),
                     [](auto const& a, auto const& b) { return a.first < b.first; });
    for (auto& [above, rows] : refused) {
      if (batch.rows > 0 && rows.rows > 0 && batch.rows + rows.rows > sink_part_rows) {
        batch.is_last = false;
        rows.watermark = std::exchange(batch.watermark, std::nullopt);
        submit(sink, std::exchange(batch, std::move(rows)));
      } else {
        append(batch, rows);
      }
    }
    submit(sink, std::move(batch));
  }
}

void Pipeline::Impl::hand_on_refused(SinkEnd& sink) {
  bool const wanted = parts.observer.wants_set_aside();
  std::size_t const index = sink_of.at(sink.transform);
  for (RefusedRows const& refused : sink.writer->take_refused(sink.told_batch)) {
    if (!sink.errors && !wanted) {
      continue;
    }
    std::vector<std::string> const elements = elements_of(refused, sink.writer->schema().columns);
    for (std::size_t row = 0; wanted && row < elements.size(); ++row) {
      parts.observer.on_set_aside(sink.transform, fault_name(Fault::dead_letter),
                                  refused.messages[row], elements[row]);
    }
    if (!sink.errors) {
      continue;
    }
    StageContext context;
    context.stamp.batch_no = refused.batch_no;
    context.stamp.pane_version = refused.pane_version;
    context.wants_set_aside = wanted;
    StageChunk const& chunk = sink.errors->run(refused, elements, context);
    StageGraph const& shape = sink.errors->stage().shape();
    for (std::size_t const node : shape.sinks) {
      SinkEnd& reader = sinks[sink_of.at(shape.nodes[node].transform)];
      auto const held =
          std::find_if(reader.held.begin(), reader.held.end(), [&](HeldBatch const& waiting) {
            return waiting.batch.is_last && waiting.batch.batch_no == refused.batch_no;
          });
      WINDROW_ASSERT(held != reader.held.end(), "a batch waits for what is refused above");
      reader.refused_above->add(chunk.nodes[node].in, context.stamp);
      held->refused.emplace_back(index, reader.refused_above->take(context.stamp, true));
    }
    look(sink.errors->stage(), chunk);
    for (std::size_t i = 0; i < faults; ++i) {
      sink.set_aside[i] += chunk.faults[i];
    }
  }
}

}  // namespace windrow
