// Windows that share slices against the same step with a record per (key, window) from the first
// row on: every pane, drop, freed key, counter and clock, over random scripts and restarts.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "host/model/slices.hpp"
#include "host/plan/windowing.hpp"
#include "tests/tested_backend.hpp"

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;

Trigger eow() { return {TriggerOp::after_end_of_window}; }
Trigger eow_late(Trigger late) {
  return {TriggerOp::after_end_of_window, 0, {}, {std::move(late)}, false, true};
}
Trigger count(std::uint32_t n) { return {TriggerOp::element_count, n}; }
Trigger delay(std::int64_t us) { return {TriggerOp::after_processing_time, 0, {{us, 0, 0}}}; }

// The same step, which no window's slices can serve: it fires and finishes when its trigger does,
// but under another root.
AggregationSpec apart(AggregationSpec spec, Trigger const& trigger) {
  Trigger either{TriggerOp::or_finally};
  either.children = {trigger, {TriggerOp::never}};
  spec.trigger = compile(either, false);
  return spec;
}

struct Script {
  AggregationSpec spec;
  Trigger trigger;
  std::int64_t base_us = 0;
  std::uint32_t keys = 1;
};

Script script_of(std::mt19937_64& random) {
  auto const below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  constexpr std::int64_t shapes[][2] = {{60, 1}, {60, 7}, {20, 10}, {25, 10}, {30, 10},
                                        {7, 3},  {5, 4},  {3, 1},   {100, 1}};
  Script out;
  auto const& shape = shapes[below(std::size(shapes))];
  out.spec.windows = {WindowKind::sliding, shape[0] * second, shape[1] * second,
                      below(shape[1]) * second, 0};
  Trigger const triggers[] = {
      {}, eow(), eow_late(count(1)), eow_late(count(3)), eow_late(delay(2 * second))};
  out.trigger = triggers[below(std::size(triggers))];
  out.spec.trigger = compile(out.trigger, false);
  constexpr std::int64_t lateness_s[] = {0, 0, 1, 13, 80, 1'000'000};
  out.spec.lateness.us = lateness_s[below(std::size(lateness_s))] * second;
  out.spec.discarding = below(2) == 0;
  out.spec.closing = below(2) == 0 ? Closing::emit_always : Closing::emit_if_nonempty;
  out.spec.on_time = below(2) == 0 ? OnTime::fire_always : OnTime::fire_if_nonempty;
  out.spec.report_ended = below(2) == 0;
  out.spec.combines = {{CombineKind::count},
                       {CombineKind::sum, ValueType::integer, 0},
                       {CombineKind::max, ValueType::integer, 0},
                       {CombineKind::mean, ValueType::integer, 0},
                       {CombineKind::group, ValueType::integer, 0},
                       {CombineKind::first, ValueType::integer, 0},
                       {CombineKind::last, ValueType::integer, 0},
                       {CombineKind::approx_distinct, ValueType::integer, 0, 4},
                       {CombineKind::approx_quantile, ValueType::integer, 0, 50}};
  constexpr std::int64_t bases[] = {0, 0, -500 * second, 1'700'000'000 * second + 17};
  out.base_us = bases[below(std::size(bases))];
  if (below(12) == 0) {  // windows are clipped there
    out.base_us = below(2) == 0 ? T_MIN.us + 20 * second : T_END.us - 150 * second;
  }
  constexpr std::uint32_t keys[] = {1, 3, 40};
  out.keys = keys[below(std::size(keys))];
  return out;
}

// Panes, drops, ended row ids and freed keys as text, sorted; then counters and clocks.
std::vector<std::string> lines_of(AggregationOutput const& out, Aggregation& step) {
  std::vector<std::string> lines;
  auto const add = [&](auto const&... part) {
    std::string line;
    ((line += part, line += " "), ...);
    lines.push_back(std::move(line));
  };
  auto const n = [](auto v) { return std::to_string(v); };
  PaneBatch const& panes = out.panes;
  for (std::size_t i = 0; i < panes.size(); ++i) {
    PaneInfo const& info = panes.info[i];
    std::string values;
    for (Column const& column : panes.values) {
      Scalar const value = column.view().at(i);
      value.is_null() ? static_cast<void>(values += "null") : append_json(value, values);
      values += ",";
    }
    add("pane", n(panes.key[i]), n(panes.window[i].start.us), n(panes.window[i].end.us),
        n(panes.timestamp[i].us), timing_name(info.timing), n(info.first), n(info.last),
        n(info.index), n(info.nonspeculative_index), n(panes.phase[i]), values);
  }
  for (DroppedRun const& run : out.dropped) {
    add("dropped", n(run.row), n(static_cast<int>(run.reason)), n(run.window.start.us),
        n(run.windows));
  }
  for (EndedWindow const& ended : out.ended) {
    add("ended", n(ended.key), n(ended.window.start.us), n(ended.window.end.us));
  }
  for (KeyId const key : out.freed) {
    add("freed", n(key));
  }
  std::sort(lines.begin(), lines.end());
  AggregationStats const s = step.stats();
  for (std::uint64_t const counter :
       {s.rows, s.late, s.assigned, s.aggregated, s.dropped_late, s.dropped_closed, s.no_window,
        s.overflow, s.panes_early, s.panes_on_time, s.panes_late, s.windows_with_state, s.keys}) {
    add("counter", n(counter));
  }
  Wakeup const wakeup = step.next_wakeup();
  add("clocks", n(step.watermark().us), n(step.output_watermark().us), n(wakeup.event_time.us),
      n(wakeup.processing_time.us));
  return lines;
}

std::vector<std::string> take(Aggregation& step) {
  AggregationOutput all, part;
  bool more = step.take_output(all);
  while (more) {
    more = step.take_output(part);
    all.append(part);
  }
  return lines_of(all, step);
}

class SlicesTest : public ::testing::Test {
 protected:
  std::unique_ptr<Aggregation> make(AggregationSpec const& spec, bool in_parts) {
    return testing::make_aggregation(spec, in_parts ? two_ : one_, in_parts ? 1 : 65536);
  }
  std::unique_ptr<Aggregation> restarted(Aggregation& step, AggregationSpec const& spec,
                                         bool in_parts) {
    MemoryPieces cut;
    step.snapshot(cut);
    std::unique_ptr<Aggregation> again = make(spec, in_parts);
    again->restore(cut);
    return again;
  }
  Workers one_{1}, two_{2};
};

TEST_F(SlicesTest, NothingToBeSeenDependsOnThem) {
  std::uint64_t panes = 0, late = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Script const script = script_of(random);
    AggregationSpec const& spec = script.spec;
    AggregationSpec const other = apart(spec, script.trigger);
    ASSERT_TRUE(shares_slices(spec));
    ASSERT_FALSE(shares_slices(other));
    bool const in_parts = random() % 3 == 0;
    std::unique_ptr<Aggregation> shared = make(spec, in_parts);
    std::unique_ptr<Aggregation> const single = make_cpu_aggregation(other, one_);
    std::int64_t const size = spec.windows.size_us;
    std::int64_t now = script.base_us, p = 0;
    for (std::uint64_t batch = 0, batches = 1 + random() % 25; batch < batches; ++batch) {
      std::vector<EventTime> time;
      std::vector<KeyId> key;
      Column value{ValueType::integer};
      for (std::uint64_t left = random() % 12; left > 0; --left) {
        std::int64_t at =
            now - size / 2 - spec.lateness.us % (3 * size) +
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(3 * size));
        if (random() % 2 == 0) {  // on the edge of a slice
          at = floor_div(at, second) * second - static_cast<std::int64_t>(random() % 2);
        }
        time.push_back(std::clamp(EventTime{at}, T_MIN, EventTime{T_END.us - 1}));
        auto const number = static_cast<std::uint32_t>(random() % script.keys);
        key.push_back(number % shards * 64 + number / shards);
        value.append(static_cast<std::int64_t>(random() % 50) - 20);
      }
      ColumnView const values = value.view();
      for (Aggregation* const step : {shared.get(), single.get()}) {
        if (!time.empty()) {
          step->push({time, key, {&values, 1}, {}, {}});
        }
      }
      std::uint64_t const jump = random() % 10;
      std::int64_t const by =
          jump < 3   ? 0
          : jump < 9 ? static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(size))
                     : 5 * size;
      now = std::min(now + by, T_END.us);
      p += static_cast<std::int64_t>(random() % 3) * second;
      bool const ends = batch + 1 == batches;
      for (Aggregation* const step : {shared.get(), single.get()}) {
        step->advance(ends ? T_MAX : EventTime{now}, ProcessingTime{p});
      }
      ASSERT_EQ(take(*shared), take(*single)) << "batch " << batch;
      if (random() % 4 == 0) {
        shared = restarted(*shared, spec, in_parts);
      }
    }
    panes += single->stats().panes_on_time;
    late += single->stats().panes_late;
    EXPECT_EQ(shared->stats().cells, 0U);
  }
  EXPECT_GT(panes, 10'000U);
  EXPECT_GT(late, 200U);
}

// Rounded sums are those of the slices in their order, whoever cuts the run where.
TEST_F(SlicesTest, RoundedSumsAreTheSameOverThreadsPartsAndRestarts) {
  Script script;
  script.spec.windows = {WindowKind::sliding, 60 * second, second, 0, 0};
  script.spec.trigger = compile({}, false);
  script.spec.combines = {{CombineKind::sum, ValueType::number, 0},
                          {CombineKind::variance, ValueType::number, 0}};
  auto const run = [&](bool in_parts, bool restarts) {
    std::mt19937_64 random(7);
    std::unique_ptr<Aggregation> step = make(script.spec, in_parts);
    std::vector<std::string> out;
    for (std::int64_t at = 0; at < 100; ++at) {
      std::vector<EventTime> time;
      std::vector<KeyId> key;
      Column value{ValueType::number};
      for (int row = 0; row < 30; ++row) {
        time.push_back(EventTime{at * second - static_cast<std::int64_t>(random() % (9 * second))});
        key.push_back(static_cast<KeyId>(random() % 200));
        value.append(static_cast<double>(random() % 1'000'003) / 7e3);
      }
      ColumnView const values = value.view();
      step->push({time, key, {&values, 1}, {}, {}});
      step->advance(EventTime{at * second}, ProcessingTime{0});
      std::vector<std::string> const lines = take(*step);
      out.insert(out.end(), lines.begin(), lines.end());
      if (restarts && at % 7 == 3) {
        step = restarted(*step, script.spec, in_parts);
      }
    }
    return out;
  };
  std::vector<std::string> const expected = run(false, false);
  EXPECT_EQ(run(true, false), expected);
  EXPECT_EQ(run(false, true), expected);
  EXPECT_EQ(run(true, true), expected);
}

TEST_F(SlicesTest, ARowHasOneRecordUntilAWindowOfItEnds) {
  AggregationSpec spec;
  spec.windows = {WindowKind::sliding, 60 * second, second, 0, 0};
  spec.trigger = compile({}, false);
  spec.lateness.us = 10 * second;
  spec.combines = {{CombineKind::count}};
  auto const step = make(spec, false);
  EventTime const time{100 * second + 5};
  KeyId const key = 3;
  step->push({{&time, 1}, {&key, 1}, {}, {}, {}});
  step->advance(EventTime{101 * second - 1}, ProcessingTime{0});
  take(*step);
  EXPECT_EQ(step->stats().cells, 1U);
  EXPECT_EQ(step->stats().windows_with_state, 60U);
  EXPECT_EQ(step->stats().aggregated, 60U);
  EXPECT_EQ(step->stats().evaluations, 0U);
  step->advance(EventTime{101 * second}, ProcessingTime{0});
  take(*step);
  EXPECT_EQ(step->stats().cells, 2U);
  EXPECT_EQ(step->stats().windows_with_state, 60U);
  EXPECT_EQ(step->stats().panes_on_time, 1U);
  EXPECT_EQ(step->stats().evaluations, 1U);
  step->advance(EventTime{160 * second}, ProcessingTime{0});
  take(*step);
  EXPECT_EQ(step->stats().cells, 10U);  // those that may still become late
  EXPECT_EQ(step->stats().panes_on_time, 60U);
}

TEST_F(SlicesTest, OnlyWhatCannotBeSeenBeforeAWindowEndsIsShared) {
  AggregationSpec spec;
  spec.windows = {WindowKind::sliding, 60 * second, second, 0, 0};
  spec.trigger = compile({}, false);
  EXPECT_EQ(why_no_slices(spec), "");
  auto const with = [&](auto&& change) {
    AggregationSpec changed = spec;
    change(changed);
    return std::string(why_no_slices(changed));
  };
  EXPECT_EQ(with([](AggregationSpec& s) { s.windows.size_us = s.windows.period_us; }),
            "windows do not overlap");
  EXPECT_EQ(with([](AggregationSpec& s) {
              s.windows = {WindowKind::sessions, 0, 0, 0, 1};
            }),
            "windows do not overlap");
  EXPECT_EQ(with([](AggregationSpec& s) { s.withdrawals = true; }), "rows may be taken back");
  EXPECT_EQ(with([](AggregationSpec& s) { s.timestamp_combiner = TimestampCombiner::latest; }),
            "rows hold the watermark by their own times");
  Trigger early = eow_late(count(1));
  early.children.insert(early.children.begin(), count(5));
  early.has_early = true;
  for (Trigger const& trigger : {early, count(1), Trigger{TriggerOp::always}}) {
    EXPECT_EQ(with([&](AggregationSpec& s) { s.trigger = compile(trigger, false); }),
              "the trigger may fire before a window ends");
  }
  for (Trigger const& trigger : {eow(), eow_late(count(2)), eow_late(delay(5))}) {
    EXPECT_EQ(with([&](AggregationSpec& s) { s.trigger = compile(trigger, false); }), "");
  }
}

}  // namespace
}  // namespace windrow
