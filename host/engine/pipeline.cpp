#include "host/engine/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/engine/crash_point.hpp"
#include "host/engine/pipeline_impl.hpp"
#include "host/engine/row_view.hpp"
#include "host/model/portable.hpp"

namespace windrow {

bool Pipeline::step() {
  Impl& p = *impl_;
  p.hand_on_refused();
  std::int64_t const wait_us = p.poll_wait_us();
  for (auto const& source : p.sources) {  // records, ranges, who is caught up or ended
    source->poll(p.parts.graph.settings.batch_rows_max, wait_us);
  }
  WINDROW_CRASH_POINT("poll.done");
  ProcessingTime const now = p.read_clock();
  if (p.has_work(now)) {
    BatchPlan plan = p.next_plan(now, false);
    p.record(plan);
    p.run_batch(plan);
    p.check_breaker();
  }
  return !p.all_ended();
}

void Pipeline::drain() {
  Impl& p = *impl_;
  for (auto const& source : p.sources) {
    source->stop_reading();
  }
  BatchPlan plan = p.next_plan(p.read_clock(), true);
  p.record(plan);
  p.run_batch(plan);
}

// The same code as a live batch, from the plan on: same panes, same versions.
void Pipeline::replay(std::span<BatchPlan const> plans, std::function<void()> const& after_each) {
  Impl& p = *impl_;
  for (std::size_t i = 0; i < p.sources.size() && !plans.empty(); ++i) {
    p.sources[i]->begin_replay(plans, i);
  }
  for (BatchPlan const& plan : plans) {
    p.check_replayed(plan);
    p.hand_on_refused();
    for (std::size_t i = 0; i < p.sources.size(); ++i) {
      p.sources[i]->read_again(plan.ranges[i]);
    }
    p.clock_read = plan.processing_time;
    p.refuses_new_keys = plan.refuse_new_keys;
    p.run_batch(plan);
    p.check_breaker();
    if (after_each) {
      after_each();
    }
    WINDROW_CRASH_POINT("restart.replayed.partial");
  }
}

// A plan fits the state that it is run on: what state determines is not in it but as a check.
void Pipeline::Impl::check_replayed(BatchPlan const& plan) const {
  std::vector<Watermark> watermarks;
  for (auto const& source : sources) {
    for (WatermarkTracker const& tracker : source->trackers()) {
      watermarks.push_back(tracker.current());
    }
  }
  if (plan.batch_no != batch_no + 1 || plan.ranges.size() != sources.size() ||
      plan.pane_version <= pane_version || plan.watermark_in != watermarks) {
    throw EnvironmentError(
        fmt::format("replay: a plan does not fit the state before it, which is a bug or a state "
                    "put together by hand: batch={} after={} version={} after={}",
                    plan.batch_no, batch_no, plan.pane_version, pane_version),
        70);
  }
}

// A function of the plan and the state; the order of the lines is the semantics
// (connectors.md 1.4).
void Pipeline::Impl::run_batch(BatchPlan const& plan) {
  in_batch = true;
  StageContext context;
  context.stamp = {plan.batch_no, plan.pane_version, plan.processing_time, std::nullopt};
  context.wants_set_aside = parts.observer.wants_set_aside();

  // Rows of the sources, judged by the watermarks that held before the batch; then the trackers see
  // them: a batch never makes itself late.
  for (std::size_t i = 0; i < sources.size(); ++i) {
    SourceReader& source = *sources[i];
    context.records = source.records();
    context.trackers = source.trackers();
    source.read(plan, context);
    deliver(source.stage(), source.chunks(), context, plan, &source, nullptr);
    source.observe(plan, plan.ranges[i]);
  }
  context.records = nullptr;
  context.trackers = {};
  WINDROW_CRASH_POINT("batch.pushed");

  // Each step ends the batch under its new watermark; its panes are rows of the steps after it.
  for (auto const& step : steps) {
    context.stamp.drained_after =
        plan.drain ? std::optional(step->watermark()) : std::nullopt;  // R71
    step->advance(input_watermark(*step, plan), plan);
    context.in_parts = false;
    for (bool more = true; more;) {
      more = step->take_part(context);
      context.in_parts = context.in_parts || more;
      deliver_panes(*step, context, plan);
    }
  }
  WINDROW_CRASH_POINT("batch.fired");
  await_plan(plan);
  write_sinks(plan);
  for (auto const& step : steps) {  // ids and rows were in use until here
    step->recycle(plan);
  }
  batch_no = plan.batch_no;
  pane_version = plan.pane_version;
  processing_time = plan.processing_time;
  drained = drained || plan.drain;
  in_batch = false;
}

void Pipeline::Impl::deliver_panes(Step& step, StageContext const& context, BatchPlan const& plan) {
  PaneRows& panes = step.panes();
  if (!panes.key.empty()) {
    parts.observer.on_panes(
        {step.transform(), context.stamp, panes.rows.view(), panes.key, &step.keys()});
  }
  if (auto const& stage = step.panes_stage()) {
    deliver(*stage, step.run_stage(*stage, panes.rows, context, true), context, plan, nullptr,
            &step);
  }
  if (auto const& stage = step.replaced_stage()) {
    deliver(*stage, step.run_stage(*stage, step.replaced(), context, false), context, plan, nullptr,
            &step);
  }
  for (SetAside const& row : step.take_set_aside()) {
    parts.observer.on_set_aside(row.transform, fault_name(row.fault), row.message, row.element);
  }
}

// Hands the rows of a stage to the steps, sinks, logs and checks that read them, chunks in order.
void Pipeline::Impl::deliver(RowStage const& stage, std::span<StageChunk* const> chunks,
                             StageContext const& context, BatchPlan const& plan,
                             SourceReader* source, Step* step) {
  StageGraph const& shape = stage.shape();
  for (std::size_t end = 0; end < shape.keyed.size(); ++end) {
    steps[step_of.at(shape.keyed[end].transform)]->push(stage, end, chunks, context, source, plan);
  }
  for (StageChunk* const chunk : chunks) {
    for (std::size_t const node : shape.sinks) {
      SinkEnd& sink = sinks[sink_of.at(shape.nodes[node].transform)];
      EventBatchView const& rows = chunk->nodes[node].in;
      if (context.in_parts && rows.rows > 0 && sink.rows.collected() >= sink_part_rows) {
        write_sink(sink, plan, false);
      }
      sink.rows.add(rows, context.stamp, context.records);
    }
    look(stage, *chunk);
    if (source != nullptr) {
      source->count_faults(chunk->faults);
    } else {
      step->count_faults(chunk->faults);
    }
  }
}

// Rows whose way ends in checks and logs, and those set aside.
void Pipeline::Impl::look(RowStage const& stage, StageChunk const& chunk) {
  StageGraph const& shape = stage.shape();
  for (std::size_t const node : shape.asserts) {
    checks.at(shape.nodes[node].transform).add(chunk.nodes[node].in);
  }
  for (std::size_t const node : shape.logs) {
    auto const& log =
        std::get<LogForTesting>(parts.graph.transforms[shape.nodes[node].transform].config);
    EventBatchView const& rows = chunk.nodes[node].in;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::string line = log.prefix;
      append_row_json(stage.input_schema(node), rows, row, line);
      parts.observer.on_log(log.level, line);
    }
  }
  units.look(shape, chunk, parts.observer);
  for (SetAside const& row : chunk.set_aside) {
    parts.observer.on_set_aside(row.transform, fault_name(row.fault), row.message, row.element);
  }
}

// R14, R74: the least of what its inputs may still bring; under a drain sources bring nothing
// (R71).
Watermark Pipeline::Impl::input_watermark(Step& step, BatchPlan const& plan) const {
  Watermark w = T_MAX;
  for (Feed const& feed : step.feeds()) {
    Watermark const from = !feed.from_source ? steps[feed.index]->output_watermark()
                           : plan.drain      ? T_MAX
                                             : sources[feed.index]->watermark(feed.tracker);
    w = std::min(w, from);
  }
  return w;
}

RunEnd Pipeline::run(std::stop_token const& stop, bool drain_on_stop) {
  bool more = true;
  while (more && !stop.stop_requested()) {
    more = step();
  }
  if (more && drain_on_stop) {
    drain();
  }
  settle();
  return !more ? RunEnd::ended : drain_on_stop ? RunEnd::drained : RunEnd::stopped;
}

}  // namespace windrow
