// Backends through the seam: splits, allocations, trigger work, freed keys, withdrawals and cuts.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <tuple>
#include <vector>

#include "host/plan/windowing.hpp"
#include "tests/tested_backend.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;

// Pieces of a snapshot in memory.
struct Pieces final : SnapshotWriter, SnapshotReader {
  void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) override {
    all.emplace_back(name, shard, bytes);
  }
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (at == all.size()) {
      return false;
    }
    std::tie(name, shard, bytes) = all[at++];
    return true;
  }
  std::vector<std::tuple<std::string, std::uint32_t, std::string>> all;
  std::size_t at = 0;
};

Trigger count(std::uint32_t n) { return {TriggerOp::element_count, n}; }
Trigger eow(Trigger early, Trigger late) {
  return {TriggerOp::after_end_of_window, 0, {}, {std::move(early), std::move(late)}, true, true};
}

AggregationSpec spec_of(WindowFn windows, Trigger const& trigger = {},
                        std::int64_t lateness_s = 0) {
  AggregationSpec spec;
  spec.windows = windows;
  spec.trigger = compile(trigger, windows.kind == WindowKind::sessions);
  spec.lateness.us = lateness_s * second;
  spec.combines = {{CombineKind::count}, {CombineKind::sum, ValueType::integer, 0}};
  spec.tombstones = windows.kind == WindowKind::sessions;
  return spec;
}
WindowFn fixed(std::int64_t size_s) {
  return {WindowKind::fixed, size_s * second, size_s * second, 0, 0};
}
WindowFn sliding(std::int64_t size_s, std::int64_t period_s) {
  return {WindowKind::sliding, size_s * second, period_s * second, 0, 0};
}
WindowFn sessions(std::int64_t gap_s) { return {WindowKind::sessions, 0, 0, 0, gap_s * second}; }

// Ids as the dictionary gives them: key `i` of shard `i % 16`.
KeyId key_of(std::uint32_t i) {
  std::uint32_t const dense = i / shards;
  return ((dense / 64) * shards + i % shards) * 64 + dense % 64;
}

// Rows in columns, one integer value each.
struct Rows {
  std::vector<EventTime> time;
  std::vector<KeyId> key;
  Column value;
  std::vector<std::int8_t> weight;
  std::vector<std::uint64_t> pane;

  void add(std::uint32_t key_number, std::int64_t time_s, std::int64_t v, std::int8_t w = 1,
           std::uint64_t from = 0) {
    time.push_back(EventTime{time_s * second});
    key.push_back(key_of(key_number));
    value.append(v);
    weight.push_back(w);
    pane.push_back(from);
  }
};

struct Step {
  explicit Step(AggregationSpec const& step_spec, unsigned threads = 1)
      : spec(step_spec),
        workers(threads),
        aggregation(testing::make_aggregation(spec, workers, 65536)) {}
  void push(Rows const& rows) {
    std::vector<ColumnView> const values{rows.value.view()};
    KeyedBatchView view{rows.time, rows.key, values, {}, {}};
    if (spec.withdrawals) {
      view.weight = rows.weight;
      view.pane = rows.pane;
    }
    aggregation->push(view);
  }
  // Ends the batch; W in seconds.
  AggregationOutput& advance(std::int64_t w_s, std::int64_t p_s = 0) {
    aggregation->advance(EventTime{w_s * second}, ProcessingTime{p_s * second});
    return take();
  }
  AggregationOutput& end() {
    aggregation->advance(T_MAX, ProcessingTime{0});
    return take();
  }
  AggregationOutput& take() {
    output.reset(spec.combines);
    AggregationOutput part;
    for (bool more = true; more;) {
      more = aggregation->take_output(part);
      output.append(part);
    }
    return output;
  }

  AggregationSpec spec;
  Workers workers;
  std::unique_ptr<Aggregation> aggregation;
  AggregationOutput output;
};

// Panes as text, sorted: key, window, timing, index, deleted, values.
std::vector<std::string> panes_of(AggregationOutput const& out) {
  std::vector<std::string> lines;
  PaneBatch const& panes = out.panes;
  for (std::size_t i = 0; i < panes.size(); ++i) {
    std::string line =
        std::to_string(panes.key[i]) + " [" + std::to_string(panes.window[i].start.us) + "," +
        std::to_string(panes.window[i].end.us) + ") " +
        (panes.deleted[i] != 0 ? "tombstone"
                               : std::to_string(static_cast<int>(panes.info[i].timing)) + " #" +
                                     std::to_string(panes.info[i].index));
    for (Column const& column : panes.values) {
      line += " ";
      ColumnView const view = column.view();
      Scalar const value = view.at(i);
      if (value.is_null()) {
        line += "null";
      }
      if (!value.is_null()) {
        append_json(value, line);
      }
    }
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

Rows many_rows(std::uint32_t rows, std::uint32_t keys, std::int64_t seconds) {
  Rows many;
  std::uint64_t state = 42;
  for (std::uint32_t i = 0; i < rows; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    auto const random = static_cast<std::uint32_t>(state >> 33U);
    many.add(random % keys, (random / keys) % seconds, static_cast<std::int64_t>(i % 97) - 40);
  }
  return many;
}

}  // namespace

TEST(AggregationTest, RowsOfABatchMayBeSplitOverPushesAndThreads) {
  for (WindowFn const windows : {fixed(10), sliding(25, 10), sessions(3)}) {
    AggregationSpec spec = spec_of(windows, eow(count(2), count(1)), 60);
    spec.combines.push_back({CombineKind::group, ValueType::integer, 0});
    spec.combines.push_back({CombineKind::variance, ValueType::integer, 0});
    spec.combines.push_back({CombineKind::approx_distinct, ValueType::integer, 0, 4});
    spec.combines.push_back({CombineKind::approx_quantile, ValueType::integer, 0, 50});
    Rows const rows = many_rows(5000, 100, 60);
    Step whole(spec), split(spec, 3);
    whole.push(rows);
    for (std::size_t begin = 0; begin < rows.time.size(); begin += 7) {
      Rows part;
      for (std::size_t i = begin; i < std::min(rows.time.size(), begin + 7); ++i) {
        part.time.push_back(rows.time[i]);
        part.key.push_back(rows.key[i]);
        part.value.append(rows.value.view(), i);
      }
      split.push(part);
    }
    EXPECT_EQ(panes_of(whole.advance(30)), panes_of(split.advance(30)));
    EXPECT_FALSE(whole.output.panes.key.empty());
    EXPECT_EQ(panes_of(whole.end()), panes_of(split.end()));
    EXPECT_EQ(whole.aggregation->stats().windows_with_state, 0U);
  }
}

TEST(AggregationTest, FoldingKnownKeysAllocatesNothingPerRow) {
  for (WindowFn const windows : {fixed(10), sliding(20, 10), sessions(30)}) {
    AggregationSpec spec = spec_of(windows, eow({TriggerOp::never}, count(1)), 60);
    for (CombineKind const kind : {CombineKind::min, CombineKind::mean, CombineKind::variance,
                                   CombineKind::any, CombineKind::first}) {
      spec.combines.push_back({kind, ValueType::integer, 0});
    }
    spec.combines.push_back({CombineKind::approx_distinct, ValueType::integer, 0, 12});
    spec.combines.push_back({CombineKind::approx_quantile, ValueType::integer, 0, 50});
    Step step(spec);
    Rows const few = many_rows(1'000, 50, 20), many = many_rows(64'000, 50, 20);
    for (Rows const* const warm_up : {&many, &many}) {  // every buffer has its size
      step.push(*warm_up);
      step.advance(-1'000'000);
    }
    auto const allocated_by = [&](Rows const& rows) {
      std::uint64_t const before = allocations;
      step.push(rows);
      step.advance(-1'000'000);
      return allocations - before;
    };
    EXPECT_EQ(allocated_by(few), allocated_by(many)) << "kind " << static_cast<int>(windows.kind);
    EXPECT_LT(allocated_by(many), 300U);  // per batch and shard, whatever its rows
  }
}

TEST(AggregationTest, TriggerCodeRunsOncePerTouchedWindowAndBatch) {
  Step step(spec_of(fixed(10), eow(count(1000), count(1)), 60));
  step.push(many_rows(20'000, 30, 20));  // 30 keys x 2 windows
  step.advance(0);
  EXPECT_EQ(step.aggregation->stats().evaluations, 60U);
  Rows one;
  one.add(3, 1, 1);
  one.add(3, 2, 1);
  step.push(one);
  step.advance(0);
  EXPECT_EQ(step.aggregation->stats().evaluations, 61U);
  step.advance(5);  // nothing is due
  EXPECT_EQ(step.aggregation->stats().evaluations, 61U);
  step.advance(10);  // the end of one window of 30 keys
  EXPECT_EQ(step.aggregation->stats().evaluations, 91U);
}

TEST(AggregationTest, KeysAreFreedWhenTheirLastStateGoesOrAllTheirRowsAreDropped) {
  Step step(spec_of(fixed(10)));
  Rows rows;
  rows.add(1, 5, 1);
  rows.add(2, 15, 1);
  step.push(rows);
  EXPECT_TRUE(step.advance(5).freed.empty());
  EXPECT_EQ(step.advance(10).freed, std::vector{key_of(1)});
  Rows late;
  late.add(7, 3, 1);
  late.add(7, 4, 1);
  late.add(2, 3, 1);  // dropped, but key 2 has state
  step.push(late);
  EXPECT_EQ(step.advance(11).freed, std::vector{key_of(7)});
  ASSERT_EQ(step.output.dropped.size(), 3U);
  EXPECT_EQ(step.output.dropped[1].row, 1U);
  EXPECT_EQ(step.output.dropped[1].window.end, EventTime{10 * second});
  EXPECT_EQ(step.end().freed, std::vector{key_of(2)});

  WindowFn gaps = sliding(10, 30);
  Step no_window(spec_of(gaps));
  Rows between;
  between.add(4, 15, 1);
  no_window.push(between);
  EXPECT_EQ(no_window.advance(0).freed, std::vector{key_of(4)});
  EXPECT_EQ(no_window.aggregation->stats().no_window, 1U);
}

TEST(AggregationTest, DroppedPairsOfARowAreOneRunOfItsOldestWindows) {
  Step step(spec_of(sliding(30, 10)));
  step.advance(21);
  Rows rows;
  rows.add(1, 5, 1);  // [-20,10) and [-10,20) are over, [0,30) is not
  step.push(rows);
  step.advance(22);
  ASSERT_EQ(step.output.dropped.size(), 1U);
  DroppedRun const run = step.output.dropped.front();
  EXPECT_EQ(run.windows, 2U);
  EXPECT_EQ(run.window.start, EventTime{-20 * second});
  EXPECT_EQ(run.reason, DropReason::late);
  AggregationStats const stats = step.aggregation->stats();
  EXPECT_EQ(stats.assigned, 3U);
  EXPECT_EQ(stats.aggregated, 1U);
  EXPECT_EQ(stats.dropped_late, 2U);
}

TEST(AggregationTest, AnOverflowIsNullAndCountedAndLeavesItsNeighbours) {
  Step step(spec_of(fixed(10)));
  Rows rows;
  rows.add(1, 1, INT64_MAX);
  rows.add(1, 2, 1);
  rows.add(2, 1, INT64_MAX);
  rows.add(2, 2, 1);
  rows.add(2, 3, -1);
  step.push(rows);
  step.end();
  ASSERT_EQ(step.output.panes.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    bool const overflows = step.output.panes.key[i] == key_of(1);
    ColumnView const sum = step.output.panes.values[1].view();
    EXPECT_EQ(sum.is_valid(i), !overflows);
    EXPECT_EQ(step.output.panes.overflow[i] != 0, overflows);
    if (!overflows) {
      EXPECT_EQ(sum.integers()[i], INT64_MAX);
    }
  }
  EXPECT_EQ(step.aggregation->stats().overflow, 1U);
}

TEST(AggregationTest, AWithdrawalUndoesItsRowInEveryAggregateAndTheLastOneLeavesATombstone) {
  AggregationSpec spec = spec_of(fixed(10), {TriggerOp::always}, 60);
  spec.withdrawals = true;
  spec.combines.push_back({CombineKind::max, ValueType::integer, 0});
  spec.combines.push_back({CombineKind::group, ValueType::integer, 0});
  spec.combines.push_back({CombineKind::approx_distinct, ValueType::integer, 0, 12});
  // Of 7 the bucket is [7, 8), of 9 it is [8, 10): 2ab / (a + b).
  CombineFn largest{CombineKind::approx_quantile, ValueType::integer, 0, 4};
  largest.q[0] = 1;
  spec.combines.push_back(largest);
  Step step(spec);
  Rows rows;
  rows.add(1, 1, 5, 1, 100);
  rows.add(1, 1, 7, 1, 101);
  rows.add(1, 1, 5, 1, 102);
  step.push(rows);
  std::string const where = std::to_string(key_of(1)) + " [0,10000000) ";
  EXPECT_EQ(panes_of(step.advance(0)),
            std::vector{where + "0 #0 3 17 7 [5,7,5] 2 7.466666666666667"});
  Rows back;
  back.add(1, 1, 5, -1, 102);  // of the two equal rows the later one
  step.push(back);
  EXPECT_EQ(panes_of(step.advance(0)),
            std::vector{where + "0 #1 2 12 7 [5,7] 2 7.466666666666667"});
  Rows all;
  all.add(1, 1, 7, -1, 101);
  all.add(1, 1, 5, -1, 100);
  step.push(all);
  EXPECT_EQ(panes_of(step.advance(0)),
            std::vector{where + "tombstone null null null null null null"});
  Rows again;
  again.add(1, 2, 9, 1, 103);
  step.push(again);
  EXPECT_EQ(panes_of(step.advance(0)), std::vector{where + "0 #2 1 9 9 [9] 1 8.88888888888889"});
}

TEST(AggregationTest, MergedSessionsTellWhichRowsGoAndWhichRowIdsEnd) {  // X14, X47
  AggregationSpec spec = spec_of(sessions(10), eow(count(1), count(1)), 60);
  spec.report_ended = true;
  Step step(spec);
  for (std::int64_t const time : {5, 20}) {
    Rows rows;
    rows.add(1, time, 1);
    step.push(rows);
    step.advance(-100);
  }
  Rows joins;
  joins.add(1, 12, 1);
  step.push(joins);
  AggregationOutput& out = step.advance(-100);
  ASSERT_EQ(out.panes.size(), 2U);
  EXPECT_EQ(out.panes.deleted, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(out.panes.window[0], (Window{EventTime{20 * second}, EventTime{30 * second}}));
  EXPECT_EQ(out.panes.firing[0], out.panes.window[1]);
  EXPECT_EQ(out.panes.info[1].index, 0U);
  EXPECT_TRUE(out.ended.empty());
  step.end();
  ASSERT_EQ(step.output.ended.size(), 1U);
  EXPECT_EQ(step.output.ended[0].window, (Window{EventTime{5 * second}, EventTime{30 * second}}));
}

TEST(AggregationTest, ACutRestoresToTheSameBytesAndTheSameFuture) {
  for (WindowFn const windows : {fixed(10), sliding(25, 10), sessions(2)}) {
    AggregationSpec spec = spec_of(
        windows, eow({TriggerOp::after_processing_time, 0, {{5 * second, 0, 0}}}, count(2)), 20);
    spec.timestamp_combiner = TimestampCombiner::earliest;
    spec.combines.push_back({CombineKind::group, ValueType::integer, 0});
    spec.combines.push_back({CombineKind::last, ValueType::integer, 0});
    spec.combines.push_back({CombineKind::approx_distinct, ValueType::integer, 0, 4});
    spec.combines.push_back({CombineKind::approx_quantile, ValueType::integer, 0, 50});
    Step first(spec);
    first.push(many_rows(300, 40, 90));
    first.advance(40, 3);
    Pieces cut;
    first.aggregation->snapshot(cut);
    Step second_step(spec, 2);
    second_step.aggregation->restore(cut);
    Pieces again;
    second_step.aggregation->snapshot(again);
    EXPECT_EQ(cut.all, again.all);
    EXPECT_EQ(first.aggregation->next_wakeup().event_time,
              second_step.aggregation->next_wakeup().event_time);
    EXPECT_EQ(first.aggregation->next_wakeup().processing_time.us, 5 * second + 3 * second + 1);
    for (std::int64_t w = 45; w <= 130; w += 5) {
      Rows const rows = many_rows(50, 40, w);
      first.push(rows);
      second_step.push(rows);
      ASSERT_EQ(panes_of(first.advance(w, w)), panes_of(second_step.advance(w, w)));
      ASSERT_EQ(first.aggregation->output_watermark(), second_step.aggregation->output_watermark());
    }
    EXPECT_EQ(first.aggregation->stats().panes_late, second_step.aggregation->stats().panes_late);
    EXPECT_GT(first.aggregation->stats().panes_late, 0U);
  }
}

TEST(AggregationTest, ADamagedCutIsRefused) {
  Step step(spec_of(fixed(10)));
  step.push(many_rows(100, 10, 30));
  step.advance(0);
  Pieces cut;
  step.aggregation->snapshot(cut);
  std::string& bytes = std::get<2>(cut.all[1]);
  bytes.pop_back();
  Step other(spec_of(fixed(10)));
  EXPECT_THROW(other.aggregation->restore(cut), EnvironmentError);
}

TEST(AggregationTest, TimeVisitsOnlyWindowsThatAreDue) {
  Step step(spec_of(
      fixed(10),
      {TriggerOp::repeat, 0, {}, {{TriggerOp::after_processing_time, 0, {{5 * second, 0, 0}}}}},
      60));
  step.push(many_rows(2000, 100, 100));  // 100 keys x 10 windows
  step.advance(0, 10);
  std::uint64_t const touched = step.aggregation->stats().evaluations;
  EXPECT_EQ(step.aggregation->next_wakeup().processing_time.us, 15 * second + 1);
  step.advance(5, 15);
  EXPECT_EQ(step.aggregation->stats().evaluations, touched);
  EXPECT_TRUE(step.output.panes.key.empty());
  step.advance(5, 16);
  EXPECT_EQ(step.aggregation->stats().evaluations, 2 * touched);
  EXPECT_EQ(step.output.panes.size(), touched);
  EXPECT_EQ(step.aggregation->next_wakeup().processing_time.us, INT64_MAX);
  EXPECT_EQ(step.aggregation->next_wakeup().event_time, EventTime{10 * second});
}

}  // namespace windrow
