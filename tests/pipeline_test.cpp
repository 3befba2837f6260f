// Source to sink through the loop: what comes out, in which order, and what is counted.
#include "host/engine/pipeline.hpp"

#include <gtest/gtest.h>

#include "tests/memory_pieces.hpp"
#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

Graph counts_per_key(bool append = false) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  std::size_t const step =
      add(graph, "Counts", {{source}}, count_and_sum(10, 5), count_and_sum_schema());
  WriteToJson sink;
  sink.upsert.key = {"window_start", "key"};
  sink.upsert.append = append;
  add(graph, "Save", {{step}}, sink, {});
  return graph;
}

TEST(Pipeline, OneRowPerWindowAndKeyReachesTheSink) {
  Bench bench;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.script = {{{"b,1,5", "a,2,7", "a,3,", "bad"}, 0, 4, false}, {{"a,12,1"}, 0, 10, false}};
  EXPECT_TRUE(pipeline->step());
  EXPECT_TRUE(pipeline->step());
  pipeline->settle();
  std::vector<std::string> const expected{
      R"({"id": "0|a", "window_start": 0, "window_end": 10000000, "key": "a", "rows": 2, )"
      R"("total": 7, "pane_version": 1001, "pane_index": 0, "pane_timing": "ON_TIME", )"
      R"("is_last": false, "deleted": false, "drained": false})",
      R"({"id": "0|b", "window_start": 0, "window_end": 10000000, "key": "b", "rows": 1, )"
      R"("total": 5, "pane_version": 1001, "pane_index": 0, "pane_timing": "ON_TIME", )"
      R"("is_last": false, "deleted": false, "drained": false})"};
  EXPECT_EQ(bench.written["Save"].rows, expected);
  Summary const summary = pipeline->summary();
  EXPECT_TRUE(summary.broken_laws.empty());
  EXPECT_EQ(summary.progress.sources[0].read, 5U);
  EXPECT_EQ(summary.progress.sources[0].rejected, 1U);
  EXPECT_EQ(summary.progress.steps[0].stats.aggregated, 4U);
  EXPECT_EQ(summary.progress.sinks[0].acked_batch, 2);
}

// Panes as "step key [start,end) timing rows" in seconds, in the order in which they were told.
struct Panes : Observer {
  std::vector<std::string> seen;
  std::vector<std::string> logged, aside;
  void on_panes(PanesView const& panes) override {
    for (std::size_t row = 0; row < panes.rows.rows; ++row) {
      Window const w = panes.rows.window[row];
      std::string text = std::to_string(panes.transform) + " " + std::string(panes.key_bytes(row)) +
                         " [" + std::to_string(w.start.us / second) + "," +
                         std::to_string(w.end.us / second) + ")";
      if (panes.rows.deleted[row] != 0) {
        text += " gone";
      } else {
        text += " " + std::string(timing_name(panes.rows.info[row].timing));
        std::string value;
        append_json(panes.rows.columns[panes.rows.columns.size() - 1].at(row), value);
        text += " " + value + (panes.stamp.is_drained(w) ? " drained" : "");
      }
      seen.push_back(text);
    }
  }
  void on_log(LogForTesting::Level, std::string_view line) override { logged.emplace_back(line); }
  void on_set_aside(std::size_t transform, std::string_view reason, std::string_view,
                    std::string_view element) override {
    aside.push_back(std::to_string(transform) + " " + std::string(reason) + " " +
                    std::string(element));
  }
  [[nodiscard]] bool wants_set_aside() const override { return true; }
  std::vector<std::string> take() { return std::exchange(seen, {}); }
};

using Lines = std::vector<std::string>;

void expect_conserved(Pipeline const& pipeline) {
  for (std::string const& law : pipeline.summary().broken_laws) {
    ADD_FAILURE() << law;
  }
}

TEST(Pipeline, PanesComeByWindowThenKeyAndRowsAreJudgedByTheWatermarkBeforeThem) {
  Bench bench;
  Panes panes;
  bench.observer = &panes;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.script = {{{"b,1,1", "a,25,1", "a,2,1"}, 0, 30, false}};  // X37: nothing is dropped
  pipeline->step();
  EXPECT_EQ(panes.take(),
            (Lines{"1 a [0,10) ON_TIME 1", "1 b [0,10) ON_TIME 1", "1 a [20,30) ON_TIME 1"}));
  bench.script = {{{"a,3,1"}, 0, {}, false}};
  pipeline->step();
  EXPECT_EQ(panes.take(), Lines{});
  Progress const progress = pipeline->progress();
  EXPECT_EQ(progress.steps[0].stats.dropped_late, 1U);
  ASSERT_EQ(progress.steps[0].drops.size(), 1U);
  EXPECT_EQ(progress.steps[0].drops[0].partition, "0");
  EXPECT_EQ(progress.steps[0].drops[0].late, 1U);
  EXPECT_EQ(panes.aside, Lines{R"(1 dropped_late {"key": "a", "ts": 3, "value": 1})"});
  expect_conserved(*pipeline);
}

TEST(Pipeline, ATickHappensOnlyWhereSomethingMoves) {
  Bench bench;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.script = {{{"a,1,1"}, 0, 0, false},
                  {{}, 0, {}, false},
                  {{}, 0, {}, false},
                  {{}, 0, 10, false},
                  {{}, 0, {}, false}};
  pipeline->step();
  EXPECT_EQ(pipeline->progress().batch_no, 1);
  bench.clock.now = {5 * second};
  pipeline->step();
  pipeline->step();
  EXPECT_EQ(pipeline->progress().batch_no, 1);
  EXPECT_EQ(pipeline->progress().processing_time.us, 0);
  pipeline->step();  // the watermark moves
  EXPECT_EQ(pipeline->progress().batch_no, 2);
  EXPECT_EQ(pipeline->progress().processing_time.us, 5 * second);
  pipeline->step();
  EXPECT_EQ(pipeline->progress().batch_no, 2);
}

TEST(Pipeline, TimesAndVersionsNeverGoBack) {
  Bench bench;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.clock.now = {100};
  bench.clock.real = 500;
  bench.script = {{{"a,1,1"}, 0, 20, false}, {{"a,21,1"}, 0, 5, false}};
  pipeline->step();
  bench.clock.now = {50};
  bench.clock.real = 10;
  pipeline->step();
  Progress const progress = pipeline->progress();
  EXPECT_EQ(progress.processing_time.us, 100);
  EXPECT_EQ(progress.pane_version, 501);
  EXPECT_EQ(progress.steps[0].watermark.us, 20 * second);
  EXPECT_EQ(progress.sources[0].regressions, 1U);
}

TEST(Pipeline, TheEndOfInputFiresEverythingAndEndsTheRun) {
  Bench bench;
  Panes panes;
  bench.observer = &panes;
  auto pipeline = bench.make(counts_per_key(), true);
  pipeline->open();
  bench.script = {{{"a,1,1"}, 0, {}, false}, {{"b,11,2"}, 0, {}, true}};
  EXPECT_EQ(pipeline->run({}, false), RunEnd::ended);
  EXPECT_EQ(panes.take(), (Lines{"1 a [0,10) ON_TIME 1", "1 b [10,20) ON_TIME 2"}));
  Progress const progress = pipeline->progress();
  EXPECT_EQ(progress.steps[0].output_watermark, T_MAX);
  EXPECT_EQ(progress.steps[0].stats.windows_with_state, 0U);
  EXPECT_EQ(progress.steps[0].keys, 0U);
}

TEST(Pipeline, ADrainMarksWindowsThatHadNotEnded) {
  Bench bench;
  Panes panes;
  bench.observer = &panes;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.script = {{{"a,1,1", "a,15,3"}, 0, 12, false}};
  pipeline->step();
  EXPECT_EQ(panes.take(), Lines{"1 a [0,10) ON_TIME 1"});
  pipeline->drain();
  pipeline->settle();
  EXPECT_EQ(panes.take(), Lines{"1 a [10,20) ON_TIME 3 drained"});
  EXPECT_NE(bench.written["Save"].rows.back().find("\"drained\": true"), std::string::npos);
  MemoryStateWriter state;
  pipeline->snapshot(state);
  MemoryStateReader reader(state);
  auto next = bench.make(counts_per_key());
  EXPECT_THROW(next->restore(reader), EnvironmentError);
}

// Counts per key, then how many keys had how many rows, reading the latest panes.
Graph two_steps(Combine::InputPanes input_panes) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  Combine first = count_and_sum(10, 60);
  std::size_t const step = add(graph, "Counts", {{source}}, first, count_and_sum_schema());
  Combine second_step = count_and_sum(20, 60);
  second_step.group = {};
  second_step.values = {field(1, ValueType::integer)};
  second_step.input_panes = input_panes;
  add(graph, "All", {{step}}, second_step,
      {{{"keys", {ValueType::integer, {}}, true}, {"rows", {ValueType::integer, {}}, true}}});
  return graph;
}

TEST(Pipeline, AConsumerByReplaceCountsTheLatestPaneOnly) {
  for (auto const& [mode, total] : {std::pair{Combine::InputPanes::append, "4"},
                                    std::pair{Combine::InputPanes::replace, "3"}}) {
    Bench bench;
    Panes panes;
    bench.observer = &panes;
    auto pipeline = bench.make(two_steps(mode));
    pipeline->open();
    bench.script = {
        {{"a,1,1"}, 0, 11, false}, {{"a,2,1", "b,3,1"}, 0, 12, false}, {{}, 0, 20, false}};
    while (!bench.script.empty()) {
      pipeline->step();
      expect_conserved(*pipeline);
    }
    EXPECT_EQ(panes.take().back(), std::string("2  [0,20) ON_TIME ") + total);
  }
}

TEST(Pipeline, ErrorOutputsAreOutputsLikeAnyOther) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  AssignTimestamps assign;
  assign.timestamp = field(2, ValueType::integer);
  assign.tracks = true;
  std::size_t const stamped = add(graph, "Stamps", {{source}}, assign, view_schema());
  std::size_t const step =
      add(graph, "Counts", {{stamped}}, count_and_sum(10, 0), count_and_sum_schema());
  WriteToJson sink;
  sink.upsert.append = true;
  add(graph, "Bad", {{source, true}, {stamped, true}, {step, true}}, sink, {});
  Bench bench;
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = {{{"bad", "a,1,", "a,1,5"}, 0, 20, false}, {{"b,1,7"}, 0, {}, false}};
  pipeline->step();
  pipeline->step();
  pipeline->settle();
  auto const& rows = bench.written["Bad"].rows;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_NE(rows[0].find(R"("element": "bad", "msg": "not three fields", "reason": "bad_json")"),
            std::string::npos);
  EXPECT_NE(rows[1].find(R"("reason": "bad_timestamp", "source": "script", "partition": "0", )"
                         R"("offset": 1)"),
            std::string::npos);
  EXPECT_NE(rows[2].find(R"("reason": "dropped_late")"), std::string::npos);
  EXPECT_NE(rows[2].find(R"("window_start": 0, "window_end": 10000000)"), std::string::npos);
  Progress const progress = pipeline->progress();
  EXPECT_EQ(progress.sources[0].set_aside[static_cast<std::size_t>(Fault::bad_timestamp)], 1U);
}

TEST(Pipeline, RowsOfAMainAndAnErrorOutputFlowTogetherIntoAStep) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  Combine combine = count_and_sum(10, 0);
  combine.combines.resize(1);
  combine.values = {};
  combine.group = {2};  // reason
  Schema const output{
      {{"reason", {ValueType::string, {}}, true}, {"rows", {ValueType::integer, {}}, true}}};
  std::size_t const step =
      add(graph, "Counts", {{source}}, count_and_sum(10, 0), count_and_sum_schema());
  add(graph, "Reasons", {{source, true}, {step, true}}, combine, output);
  Bench bench;
  Panes panes;
  bench.observer = &panes;
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = {{{"bad", "a,1,1", "bad"}, 0, 30, false}, {{"a,2,1"}, 0, {}, true}};
  while (pipeline->step()) {
  }
  Lines const seen = panes.take();
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(pipeline->progress().steps[1].stats.assigned, 3U);
  expect_conserved(*pipeline);
}

TEST(Pipeline, ARestartBetweenAnyTwoBatchesChangesNothing) {
  std::deque<Delivery> const script{{{"a,1,1", "b,2,2"}, 0, 3, false},
                                    {{"a,4,3"}, 0, 11, false},
                                    {{"b,5,4", "c,12,5"}, 0, 15, false},
                                    {{}, 0, 40, false}};
  for (auto const mode : {Combine::InputPanes::append, Combine::InputPanes::replace}) {
    auto const panes_of = [&](bool restarts) {
      Bench bench;
      Panes panes;
      bench.observer = &panes;
      auto pipeline = bench.make(two_steps(mode));
      pipeline->open();
      for (Delivery const& delivery : script) {
        bench.script = {delivery};
        pipeline->step();
        if (restarts) {
          bench.restart(pipeline, two_steps(mode));
        }
      }
      expect_conserved(*pipeline);
      EXPECT_EQ(pipeline->progress().sources[0].read, 5U);
      return panes.take();
    };
    Lines const without = panes_of(false);
    EXPECT_GE(without.size(), 5U);
    EXPECT_EQ(panes_of(true), without);
  }
}

// What a step hands out window by window is what it hands out at once, also to a consumer by
// `replace` and to sinks.
TEST(Pipeline, PartsOfABatchChangeNothing) {
  auto const rows_of = [](std::size_t cells_per_part) {
    Bench bench;
    bench.cells_per_part = cells_per_part;
    Panes panes;
    bench.observer = &panes;
    Graph graph = two_steps(Combine::InputPanes::replace);
    WriteToJson sink;
    sink.upsert.key = {"window_start", "key"};
    add(graph, "Save", {{1}}, sink, {});
    auto pipeline = bench.make(graph);
    pipeline->open();
    Delivery first, rest;
    for (int i = 0; i < 400; ++i) {
      Delivery& to = i < 200 ? first : rest;
      to.records.push_back(std::string(1, static_cast<char>('a' + i % 7)) + "," +
                           std::to_string(i * 37 % 500) + "," + std::to_string(i));
    }
    rest.end = true;
    bench.script = {std::move(first), std::move(rest)};
    while (pipeline->step()) {
    }
    pipeline->settle();
    expect_conserved(*pipeline);
    return std::pair(panes.take(), bench.written["Save"].rows);
  };
  auto const whole = rows_of(65536);
  EXPECT_GT(whole.first.size(), 100U);
  EXPECT_GT(whole.second.size(), 10U);
  EXPECT_EQ(rows_of(1), whole);
  EXPECT_EQ(rows_of(20), whole);
}

TEST(Pipeline, KeysWhoseRowsAreAllDroppedLeaveTheDictionaryEmpty) {
  Bench bench;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.script = {{{"a,1,1"}, 0, 1000, false}};
  pipeline->step();
  constexpr int batches = 1000, keys = 10'000;
  for (int batch = 0; batch < batches; ++batch) {
    Delivery late;
    for (int i = 0; i < keys; ++i) {
      late.records.push_back("late-" + std::to_string(batch * keys + i) + ",5,1");
    }
    bench.script = {std::move(late)};
    pipeline->step();
    ASSERT_EQ(pipeline->progress().steps[0].keys, 0U);
  }
  EXPECT_EQ(pipeline->progress().steps[0].stats.dropped_late, 1U * batches * keys);
  expect_conserved(*pipeline);
}

TEST(Pipeline, TooManyBadRecordsEndTheRunWith65) {
  Graph graph = counts_per_key();
  graph.settings.max_bad_ratio = 0.25;
  graph.settings.max_bad_over = 3;
  Bench bench;
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = {{{"bad", "bad", "bad"}, 0, {}, false}, {{"a,1,1", "a,1,1"}, 0, {}, false}};
  pipeline->step();  // not over 3 yet
  try {
    pipeline->step();
    ADD_FAILURE() << "went on";
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), 65);
  }
}

TEST(Pipeline, AssertEqualComparesMultisetsWithoutNulls) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  add(graph, "Check", {{source}},
      AssertEqual{{R"({"key": "a", "ts": 1, "value": 2})", R"({"ts": 1.0, "key": "b"})",
                   R"({"key": "a", "ts": 1, "value": 2})"}},
      {});
  add(graph, "Log", {{source}}, LogForTesting{LogForTesting::Level::info, "row: "}, view_schema());
  Bench bench;
  Panes panes;
  bench.observer = &panes;
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = {{{"b,1,", "a,1,2"}, 0, {}, false}};
  pipeline->step();
  ASSERT_EQ(pipeline->summary().failures.size(), 1U);
  EXPECT_NE(pipeline->summary().failures[0].find(R"(missing 1 x {"key": "a")"), std::string::npos);
  bench.script = {{{"a,1,2"}, 0, {}, false}};
  pipeline->step();
  EXPECT_TRUE(pipeline->summary().failures.empty());
  EXPECT_EQ(panes.logged[0], R"(row: {"key": "b", "ts": 1, "value": null})");
}

}  // namespace
}  // namespace windrow::testing
