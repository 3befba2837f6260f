// Recovery, the loop, and when a snapshot is taken.
#include "host/engine/durable_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "host/engine/crash_point.hpp"
#include "host/engine/durable_file.hpp"

namespace windrow {

DurableRun::DurableRun(RunSettings settings, RunHooks hooks, Clock& clock)
    : settings_(std::move(settings)), hooks_(std::move(hooks)), clock_(clock) {
  build();
}

void DurableRun::build() {
  pipeline_.reset();
  state_.reset();
  if (!settings_.state.empty()) {
    state_.emplace(settings_.state, settings_.application_id, settings_.graph, settings_.take_over);
  }
  pipeline_ = hooks_.make_pipeline(state_ ? &*state_ : nullptr);
}

// 1.6.  Sources and sinks are open behind it.
bool DurableRun::recover() {
  if (!state_) {
    pipeline_->open();
    check_clock(0);
    return false;
  }
  std::int64_t const begin_us = clock_.real_time_us();
  Recovery recovery = state_->recover();
  for (std::string const& fault : recovery.damaged) {
    hooks_.tell(fault + (recovery.snapshot ? "; an older snapshot serves in its place"
                                           : "; the plans from the first on serve in its place"),
                true);
  }
  std::int64_t last = 0;
  if (recovery.snapshot) {
    pipeline_->restore(*recovery.snapshot);
    last = recovery.snapshot->head().pane_version;
  }
  std::vector<BatchPlan> plans;
  for (RecordedPlan& recorded : recovery.plans) {
    last = recorded.plan.pane_version;
    plans.push_back(std::move(recorded.plan));
  }
  pipeline_->open();
  check_clock(last);
  if (recovery.snapshot == nullptr && plans.empty()) {
    snapshot();  // what the sources found at the very start is what plans refer to
    return false;
  }
  warn_of_lost_input(plans);
  note_snapshot();
  pipeline_->replay(plans, hooks_.on_step);
  if (pipeline_->batch_no() > 0) {
    hooks_.on_restored(pipeline_->progress().processing_time);
  }
  double const seconds = static_cast<double>(clock_.real_time_us() - begin_us) / 1e6;
  hooks_.tell(
      fmt::format("state: goes on: snapshot={} bytes={} plans={} read_again={} "
                  "seconds={:.3f} directory={}",
                  snapshot_batch_, recovery.snapshot ? recovery.snapshot->bytes() : 0, plans.size(),
                  pipeline_->bytes_read() - snapshot_bytes_, seconds, settings_.state.string()),
      false);
  return true;
}

// 1.7: with an earlier clock every row would be superseded, silently.
void DurableRun::check_clock(std::int64_t last) const {
  if (settings_.force) {
    return;
  }
  std::int64_t const now = clock_.real_time_us();
  auto const refuse = [now](std::string const& where, std::int64_t version) {
    throw EnvironmentError(
        fmt::format("run: the clock is behind what has been written; set it, or go on with "
                    "--force, and what is written then may lose to what is there: {} has "
                    "pane_version={} now={}",
                    where, version, now),
        78);
  };
  if (last > now) {
    refuse("the state", last);
  }
  for (SinkProgress const& sink : pipeline_->progress().sinks) {
    if (sink.last_version > now) {
      refuse("sink '" + sink.name + "'", sink.last_version);
    }
  }
}

void DurableRun::warn_of_lost_input(std::span<BatchPlan const> plans) const {
  std::vector<SourceProgress> const sources = pipeline_->progress().sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto const brings = [i](BatchPlan const& plan) {
      return std::any_of(plan.ranges.at(i).begin(), plan.ranges.at(i).end(),
                         [](Range const& range) { return range.from < range.to; });
    };
    if (!sources[i].replayable && std::any_of(plans.begin(), plans.end(), brings)) {
      hooks_.tell(
          "state: input that cannot be read again is lost, all that came since the last "
          "snapshot: source=" +
              sources[i].name,
          true);
    }
  }
}

void DurableRun::note_snapshot() {
  snapshot_us_ = clock_.real_time_us();
  snapshot_bytes_ = pipeline_->bytes_read();
  snapshot_batch_ = pipeline_->batch_no();
}

// All that earlier batches gave is acknowledged before their plans may go (1.5).
void DurableRun::snapshot() {
  pipeline_->settle();
  Progress const progress = pipeline_->progress();
  state_->publish(progress.batch_no, progress.pane_version, pipeline_->is_drained(),
                  [&](StateWriter& out) { pipeline_->snapshot(out); });
  pipeline_->committed();
  WINDROW_CRASH_POINT("offsets.committed");
  note_snapshot();
}

void DurableRun::snapshot_if_due() {
  if (!state_ || pipeline_->batch_no() == snapshot_batch_ ||
      (clock_.real_time_us() - snapshot_us_ < settings_.snapshot_interval.us &&
       pipeline_->bytes_read() - snapshot_bytes_ < settings_.snapshot_bytes)) {
    return;
  }
  try {
    snapshot();
  } catch (DiskFullError const& error) {  // plans go on to keep what is newer
    hooks_.tell(fmt::format("no snapshot this time: {}", error.what()), true);
    note_snapshot();
  }
}

RunEnd DurableRun::loop(std::stop_token const& stop, bool drain_now) {
  if (pipeline_->is_drained()) {  // a crash came between a drain and its snapshot
    return RunEnd::drained;
  }
  while (!stop.stop_requested() && !drain_now) {
    if (!pipeline_->step()) {
      return RunEnd::ended;
    }
    snapshot_if_due();
    hooks_.on_step();
  }
  if (!settings_.drain_on_stop) {
    return RunEnd::stopped;
  }
  pipeline_->drain();
  return RunEnd::drained;
}

RunEnd DurableRun::run_once(std::stop_token const& stop) {
  bool const restored = recover();
  RunEnd const end = loop(stop, restored && settings_.drain_on_stop);
  pipeline_->settle();
  if (state_) {
    snapshot();
  }
  return end;
}

RunEnd DurableRun::run(std::stop_token const& stop) {
  while (true) {
    try {
      return run_once(stop);
    } catch (PlanTakenError const& error) {  // nothing of the batch in hand has left
      hooks_.tell(error.what(), true);
      build();
    }
  }
}

}  // namespace windrow
