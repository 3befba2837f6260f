// What goes into a plan, and whether there is anything to do: the only place of the loop that reads
// the clock.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "host/engine/crash_point.hpp"
#include "host/engine/durable_file.hpp"
#include "host/engine/pipeline_impl.hpp"

namespace windrow {
namespace {

constexpr std::int64_t disk_full_wait_us = 200'000;

}  // namespace

// P never goes back (R3), also behind a reading at which there was nothing to do.
ProcessingTime Pipeline::Impl::read_clock() {
  if (!frozen || !clock_read) {
    clock_read = std::max(clock_read.value_or(processing_time), parts.clock.processing_time());
  }
  return *clock_read;
}

// Nobody waits for one source while another has records; an idle pipeline ticks at `tick_interval`.
std::int64_t Pipeline::Impl::poll_wait_us() const {
  std::int64_t live = 0;
  for (auto const& source : sources) {
    if (source->has_records()) {
      return 0;
    }
    live += source->ended() ? 0 : 1;
  }
  return live == 0 ? 0 : floor_div(parts.graph.settings.tick_interval.us, live);
}

// Without rows a batch goes on only if it moves a watermark or a step has work: else no plan, no
// change of W, P or state (connectors.md 1.4).
bool Pipeline::Impl::has_work(ProcessingTime now) const {
  auto const brings = [&](auto const& source) {
    return source->has_records() || source->would_move(now);
  };
  auto const is_due = [&](auto const& step) { return step->next_wakeup().processing_time <= now; };
  return std::any_of(sources.begin(), sources.end(), brings) ||
         std::any_of(steps.begin(), steps.end(), is_due);
}

BatchPlan Pipeline::Impl::next_plan(ProcessingTime now, bool drain) {
  std::uint64_t const limit = parts.graph.settings.memory_limit;
  if (limit > 0) {
    std::uint64_t bytes = state_bytes();
    if (bytes >= limit / 5 * 4) {  // nothing is read until nothing is in flight
      parts.observer.on_pause("memory_limit: 80 % is in use");
      settle_sinks();
      parts.observer.on_pause({});
      bytes = state_bytes();
    }
    refuses_new_keys = bytes >= limit;
  }
  BatchPlan plan;
  plan.batch_no = batch_no + 1;
  plan.pane_version = std::max(pane_version + 1, parts.clock.real_time_us());
  plan.processing_time = now;
  plan.drain = drain;
  plan.refuse_new_keys = refuses_new_keys;
  for (auto const& source : sources) {
    plan.ranges.push_back(source->ranges());
    for (WatermarkTracker const& tracker : source->trackers()) {
      plan.watermark_in.push_back(tracker.current());
    }
  }
  return plan;
}

// Plans name each partition once.  A plan becomes durable while its batch is decoded and folded,
// which has no effect; `await_plan` comes before all that has one.  Where there is one thread,
// nothing runs beside anything.
void Pipeline::Impl::record(BatchPlan& plan) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i]->name_partitions(plan.ranges[i]);
  }
  if (parts.plan_log == nullptr) {
    return;
  }
  plan_write = std::async(parts.workers.threads() > 1 ? std::launch::async : std::launch::deferred,
                          [log = parts.plan_log, plan] { log->record(plan); });
  if (parts.workers.threads() == 1) {
    await_plan(plan);
  }
}

// Where the disk is full nothing goes on until it has space.
void Pipeline::Impl::await_plan(BatchPlan const& plan) {
  if (!plan_write.valid()) {
    return;
  }
  std::int64_t waited_us = 0;
  for (bool durable = false; !durable;) {
    try {
      if (plan_write.valid()) {
        plan_write.get();
      } else {
        parts.plan_log->record(plan);
      }
      durable = true;
    } catch (DiskFullError const& error) {
      if (waited_us >= parts.graph.settings.give_up_after.us) {
        throw;
      }
      parts.observer.on_pause(error.what());
      std::this_thread::sleep_for(std::chrono::microseconds(disk_full_wait_us));
      waited_us += disk_full_wait_us;
    }
  }
  if (waited_us > 0) {
    parts.observer.on_pause({});
  }
  WINDROW_CRASH_POINT("plan.durable");
}

std::uint64_t Pipeline::Impl::state_bytes() const {
  std::uint64_t bytes = 0;
  for (auto const& step : steps) {
    bytes += step->bytes();
  }
  return bytes;
}

bool Pipeline::Impl::all_ended() const {
  return std::all_of(sources.begin(), sources.end(),
                     [](auto const& source) { return source->ended(); });
}

// operations.md 3: a share of bad records over a number of them ends the run; what came before is
// written.
void Pipeline::Impl::check_breaker() {
  EngineSettings const& settings = parts.graph.settings;
  if (settings.max_bad_over == 0) {
    return;
  }
  for (auto const& source : sources) {
    SourceProgress const progress = source->progress();
    std::uint64_t const bad = source->bad_records();
    if (progress.read > settings.max_bad_over &&
        static_cast<double>(bad) > settings.max_bad_ratio * static_cast<double>(progress.read)) {
      settle_sinks();
      throw EnvironmentError(
          fmt::format("source: bad records must stay below max_bad_ratio: source={} bad={} read={}",
                      progress.name, bad, progress.read),
          65);
    }
  }
}

}  // namespace windrow
