// What a sink refuses for good: rows of its error output, batch by batch, whatever the world does
// (host/engine/sink_errors.cpp, pipeline_sinks.cpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

using Lines = std::vector<std::string>;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
Answer refuses(std::string part) {
  return [part = std::move(part)](std::string_view row) {
    return has(row, part) ? Outcome::dead_letter : Outcome::ok;
  };
}
// The text of a field of rows that are JSON; a field that is text without quotes.
std::string field_of(std::string const& row, std::string const& name) {
  std::string const start = "\"" + name + "\": ";
  std::size_t const at = row.find(start) + start.size();
  return row[at] == '"' ? row.substr(at + 1, row.find('"', at + 1) - at - 1)
                        : row.substr(at, row.find_first_of(",}", at) - at);
}
Lines fields_of(Lines const& rows, std::string const& name) {
  Lines out;
  for (std::string const& row : rows) {
    out.push_back(field_of(row, name));
  }
  return out;
}

std::size_t add_sink(Graph& graph, std::string name, std::vector<Edge> inputs) {
  WriteToJson sink;
  sink.upsert.append = true;
  return add(graph, std::move(name), std::move(inputs), sink, {});
}
std::size_t add_upsert(Graph& graph, std::string name, std::size_t step) {
  WriteToJson sink;
  sink.upsert.key = {"window_start", "key"};
  return add(graph, std::move(name), {{step}}, sink, {});
}

// Views, counted per key, into Save; `Bad` takes what Save refuses.
struct Counts {
  Graph graph;
  std::size_t source = add(graph, "Views", {}, scripted(), view_schema());
  std::size_t step = add(graph, "Counts", {{source}}, count_and_sum(10, 0), count_and_sum_schema());
  std::size_t save = add_upsert(graph, "Save", step);
  std::size_t bad = add_sink(graph, "Bad", {{save, true}});
};

void expect_conserved(Pipeline const& pipeline) {
  for (std::string const& law : pipeline.summary().broken_laws) {
    ADD_FAILURE() << law;
  }
}

void run_all(Bench& bench, Pipeline& pipeline) {
  while (!bench.script.empty()) {
    pipeline.step();
  }
  pipeline.settle();
  expect_conserved(pipeline);
}

TEST(SinkErrors, ARefusedRowIsARowOfTheErrorOutput) {
  Counts counts;
  Bench bench;
  bench.answers["Save"] = refuses(R"("key": "b")");
  auto pipeline = bench.make(counts.graph);
  pipeline->open();
  bench.script = {{{"a,1,1", "b,2,5"}, 0, 10, false}};
  run_all(bench, *pipeline);
  EXPECT_EQ(bench.written["Save"].rows.size(), 1U);
  Lines const expected{
      R"({"element": "{\"id\": \"0|b\", \"window_start\": 0, \"window_end\": 10000000, )"
      R"(\"key\": \"b\", \"rows\": 1, \"total\": 5, \"pane_version\": 1000, \"pane_index\": 0, )"
      R"(\"pane_timing\": \"ON_TIME\", \"is_last\": true, \"deleted\": false, )"
      R"(\"drained\": false}", "msg": "told so", "reason": "dead_letter", "source": null, )"
      R"("partition": null, "offset": null, "line": null, "window_start": 0, )"
      R"("window_end": 10000000, "pane_version": 1000, "id": "Save|0|b|1000"})"};
  EXPECT_EQ(bench.written["Bad"].rows, expected);
  SinkProgress const save = pipeline->progress().sinks[0];
  EXPECT_EQ(save.taken, 2U);
  EXPECT_EQ(save.rows, 1U);
  EXPECT_EQ(save.dead_letters, 1U);
  EXPECT_EQ(pipeline->progress().sinks[1].taken, 1U);
}

TEST(SinkErrors, ARowOfASourceKeepsItsPlaceAndRowsOfOneRecordDiffer) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  // Both ways of a record, so that it gives two rows.
  std::size_t const twice = add(graph, "Twice", {{source}, {source}}, Flatten{}, view_schema());
  std::size_t const save = add_sink(graph, "Sa|ve", {{twice}});
  add_sink(graph, "Bad", {{save, true}});
  Bench bench;
  bench.answers["Sa|ve"] = refuses(R"("key": "b")");
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = {{{"a,1,1", "b,2,5"}, 3, {}, false}, {{"b,3,7"}, 3, {}, false}};
  run_all(bench, *pipeline);
  Lines const& rows = bench.written["Bad"].rows;
  EXPECT_EQ(fields_of(rows, "id"),
            (Lines{"Sa%7Cve|script|3|1|%~|%~", "Sa%7Cve|script|3|1|%~|%~|1",
                   "Sa%7Cve|script|3|2|%~|%~", "Sa%7Cve|script|3|2|%~|%~|1"}));
  EXPECT_EQ(fields_of(rows, "offset"), (Lines{"1", "1", "2", "2"}));
  EXPECT_EQ(fields_of(rows, "partition"), (Lines{"3", "3", "3", "3"}));
}

TEST(SinkErrors, ASinkBelowMayRefuseTooAndItsRowsHaveIdsOfTheirOwn) {
  Counts counts;
  add_sink(counts.graph, "Worst", {{counts.bad, true}});
  Bench bench;
  bench.answers["Save"] = refuses("key");
  bench.answers["Bad"] = refuses("element");
  auto pipeline = bench.make(counts.graph);
  pipeline->open();
  bench.script = {{{"a,1,1", "b,2,5"}, 0, 10, false}};
  run_all(bench, *pipeline);
  EXPECT_TRUE(bench.written["Save"].rows.empty());
  EXPECT_TRUE(bench.written["Bad"].rows.empty());
  Lines const& rows = bench.written["Worst"].rows;
  EXPECT_EQ(fields_of(rows, "id"), (Lines{"Bad|1000", "Bad|1000|1"}));
  EXPECT_TRUE(has(rows[0], R"(\"id\": \"Save|0|a|1000\")"));
  EXPECT_EQ(pipeline->progress().sinks[2].rows, 2U);
}

// Eight batches of five rows, one or two of which Save refuses.
std::deque<Delivery> eight_batches() {
  std::deque<Delivery> script;
  for (int batch = 0; batch < 8; ++batch) {
    Delivery& delivery = script.emplace_back();
    for (int row = 0; row < 5; ++row) {
      delivery.records.push_back(std::string(row % 2 == 0 ? "a" : "b") + std::to_string(row) + "," +
                                 std::to_string(batch * 10 + row) + ",1");
    }
    delivery.records.emplace_back("bad");
    delivery.watermark_s = (batch + 1) * 10;
  }
  return script;
}

// Bad reads what Save and Raw refuse and what the source could not read; Other reads no refused
// rows.
struct FanIn : Counts {
  std::size_t raw = add_sink(graph, "Raw", {{source}});
  std::size_t all =
      add(graph, "All", {{save, true}, {raw, true}, {source, true}}, Flatten{}, error_schema());
  std::size_t every = add_sink(graph, "Every", {{all}});
  std::size_t other = add_upsert(graph, "Other", step);
};

struct FanInRows {
  Lines every, bad;
  std::vector<std::int64_t> batches;
  bool operator==(FanInRows const&) const = default;
};
FanInRows fan_in(std::function<void(Bench&)> const& prepare, bool restarts = false) {
  FanIn shape;
  Bench bench;
  bench.answers["Save"] = refuses(R"("key": "b)");
  bench.answers["Raw"] = refuses(R"("key": "a0)");
  prepare(bench);
  auto pipeline = bench.make(shape.graph);
  pipeline->open();
  for (Delivery const& delivery : eight_batches()) {
    bench.script = {delivery};
    pipeline->step();
    if (restarts) {
      bench.restart(pipeline, shape.graph);
    }
  }
  run_all(bench, *pipeline);
  EXPECT_EQ(pipeline->progress().sinks[0].dead_letters, 16U);
  EXPECT_EQ(bench.written["Other"].rows.size(), 40U);
  return {bench.written["Every"].rows, bench.written["Bad"].rows, bench.written["Every"].batches};
}

TEST(SinkErrors, RowsOfSeveralSinksComeBatchByBatchAndSinkBySink) {
  FanInRows const rows = fan_in([](Bench&) {});
  ASSERT_EQ(rows.every.size(), 8U * 4);  // of the source, two of Save, one of Raw
  EXPECT_EQ(rows.batches, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
  Lines reasons, sinks;
  for (std::size_t i = 0; i < 4; ++i) {
    std::string const id = field_of(rows.every[i], "id");
    reasons.push_back(field_of(rows.every[i], "reason"));
    sinks.push_back(id.substr(0, id.find('|')));
  }
  EXPECT_EQ(reasons, (Lines{"bad_json", "dead_letter", "dead_letter", "dead_letter"}));
  EXPECT_EQ(sinks, (Lines{"script", "Save", "Save", "Raw"}));
  EXPECT_EQ(rows.bad.size(), 16U);
}

TEST(SinkErrors, ARestartBetweenAnyTwoBatchesChangesNothing) {
  EXPECT_EQ(fan_in([](Bench&) {}, true), fan_in([](Bench&) {}));
}

TEST(SinkErrors, SlowAndLockedSinksChangeNothing) {
  FanInRows const quick = fan_in([](Bench&) {});
  for (char const* const slow : {"Save", "Raw"}) {
    int rows = 0;
    EXPECT_EQ(fan_in([&](Bench& bench) {
                bench.answers[slow] = [answer = bench.answers[slow], &rows](std::string_view row) {
                  return ++rows % 7 < 3 ? Outcome::retry : answer(row);
                };
              }),
              quick)
        << slow;
  }
}

TEST(SinkErrors, OnlyReadersOfRefusedRowsWaitForASink) {
  FanIn shape;
  Bench bench;
  std::atomic<bool> locked{true};
  bench.answers["Save"] = [&](std::string_view row) {
    return locked ? Outcome::retry : refuses(R"("key": "b)")(row);
  };
  bench.answers["Raw"] = refuses(R"("key": "a0)");
  auto pipeline = bench.make(shape.graph);
  pipeline->open();
  bench.script = eight_batches();
  bench.script.resize(3);
  while (!bench.script.empty()) {
    pipeline->step();
  }
  auto const acked = [&](std::size_t sink) { return pipeline->progress().sinks[sink].acked_batch; };
  while (acked(2) < 3 || acked(4) < 3) {  // Raw and Other
    std::this_thread::yield();
  }
  pipeline->step();
  EXPECT_EQ(acked(0), 0);
  EXPECT_EQ(acked(1), 0);
  EXPECT_EQ(acked(3), 0);
  EXPECT_EQ(pipeline->progress().sinks[3].taken, 0U);
  locked = false;
  while (acked(3) < 3) {  // an idle loop hands on, too
    pipeline->step();
  }
  EXPECT_EQ(pipeline->progress().batch_no, 3);
  pipeline->settle();
  Lines sinks;
  for (std::string const& id : fields_of(bench.written["Every"].rows, "id")) {
    sinks.push_back(id.substr(0, id.find('|')));
  }
  EXPECT_EQ(sinks, (Lines{"script", "Save", "Save", "Raw", "script", "Save", "Save", "Raw",
                          "script", "Save", "Save", "Raw"}));
  EXPECT_EQ(bench.written["Bad"].rows.size(), 3U * 2);
  expect_conserved(*pipeline);
}

TEST(SinkErrors, ASinkThatGivesUpEndsAnIdleRunAndTakesNothingBelowItAlong) {
  Counts counts;
  Bench bench;
  bench.answers["Save"] = [](std::string_view) { return Outcome::fatal; };
  auto pipeline = bench.make(counts.graph);
  pipeline->open();
  bench.script = {{{"a,1,1"}, 0, 10, false}};
  EXPECT_THROW(
      {
        while (pipeline->progress().batch_no < 2) {  // there is no second one
          pipeline->step();
        }
      },
      EnvironmentError);
  EXPECT_THROW(pipeline->settle(), EnvironmentError);
  EXPECT_TRUE(bench.written["Bad"].batches.empty());
}

// More panes in one batch than a sink gets at once, all refused or every third.
TEST(SinkErrors, PartsOfAVeryLargeBatchLoseNothing) {
  for (bool const all : {true, false}) {
    std::size_t const keys = all ? 150'000 : 80'000;
    Counts counts;
    add_sink(counts.graph, "Late", {{counts.step, true}, {counts.save, true}});
    Bench bench;
    bench.cells_per_part = 20'000;
    bench.answers["Save"] = refuses(all ? "key" : R"(0", "rows")");
    auto pipeline = bench.make(counts.graph);
    pipeline->open();
    Delivery big{{}, 0, {}, false};
    for (std::size_t i = 0; i < keys; ++i) {
      big.records.push_back("k" + std::to_string(i) + ",1,1");
    }
    bench.script = {std::move(big), {{"late,1,1"}, 0, 10, false}, {{"late,2,1"}, 0, {}, false}};
    run_all(bench, *pipeline);
    Lines const& rows = bench.written["Bad"].rows;
    EXPECT_EQ(rows.size(), all ? keys + 1 : keys / 10);
    Lines ids = fields_of(rows, "id");
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
    EXPECT_EQ(bench.written["Late"].rows.size(), rows.size() + 1);  // and the late row
    auto const& batches = bench.written["Bad"].batches;
    EXPECT_TRUE(std::is_sorted(batches.begin(), batches.end()));
    EXPECT_EQ(std::count(batches.begin(), batches.end(), 2), all ? 3 : 1);
  }
}

struct Told : Observer {
  Lines aside, logged;
  void on_set_aside(std::size_t transform, std::string_view reason, std::string_view message,
                    std::string_view element) override {
    aside.push_back(std::to_string(transform) + " " + std::string(reason) + " " +
                    std::string(message) + " " + std::string(element));
  }
  void on_log(LogForTesting::Level, std::string_view line) override { logged.emplace_back(line); }
  [[nodiscard]] bool wants_set_aside() const override { return true; }
};

TEST(SinkErrors, RowTransformsLogsAndChecksMayReadThem) {
  Counts counts;
  MapToFields map;
  Expression sum;  // of a text: a fault of each row
  sum.op = ExpressionOp::negate;
  sum.args = {field(10, ValueType::string)};
  sum.type.kind = ValueType::integer;
  map.columns = {sum};
  std::size_t const faulty = add(counts.graph, "Faulty", {{counts.save, true}}, map,
                                 {{{"x", {ValueType::integer, {}}, true}}});
  add_sink(counts.graph, "Nothing", {{faulty}});
  add_sink(counts.graph, "Why", {{faulty, true}});
  MapToFields ids;
  ids.columns = {field(10, ValueType::string)};
  std::size_t const short_rows = add(counts.graph, "Ids", {{counts.save, true}}, ids,
                                     {{{"id", {ValueType::string, {}}, true}}});
  add(counts.graph, "Log", {{short_rows}}, LogForTesting{LogForTesting::Level::info, "refused "},
      {{{"id", {ValueType::string, {}}, true}}});
  add(counts.graph, "Check", {{short_rows}}, AssertEqual{{R"({"id": "Save|0|b|1000"})"}}, {});
  Bench bench;
  Told told;
  bench.observer = &told;
  bench.answers["Save"] = refuses(R"("key": "b")");
  auto pipeline = bench.make(counts.graph);
  pipeline->open();
  bench.script = {{{"a,1,1", "b,2,5"}, 0, 10, false}};
  run_all(bench, *pipeline);
  EXPECT_EQ(told.logged, Lines{R"(refused {"id": "Save|0|b|1000"})"});
  EXPECT_TRUE(pipeline->summary().failures.empty());
  ASSERT_EQ(told.aside.size(), 2U);
  EXPECT_EQ(told.aside[0].rfind(R"(2 dead_letter told so {"id": "0|b", )", 0), 0U);
  EXPECT_EQ(told.aside[1].rfind("4 bad_expression ", 0), 0U);
  EXPECT_TRUE(bench.written["Nothing"].rows.empty());
  EXPECT_EQ(fields_of(bench.written["Why"].rows, "reason"), Lines{"bad_expression"});
  FaultCounts const aside = pipeline->progress().sinks[0].set_aside;
  EXPECT_EQ(aside[static_cast<std::size_t>(Fault::bad_expression)], 1U);
}

TEST(SinkErrors, AnObserverIsToldWhereNothingReadsThem) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  add_sink(graph, "Save", {{source}});
  Bench bench;
  Told told;
  bench.observer = &told;
  bench.answers["Save"] = refuses(R"("key": "b")");
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = {{{"a,1,1", "b,2,5"}, 0, 10, false}};
  run_all(bench, *pipeline);
  EXPECT_EQ(told.aside, Lines{R"(1 dead_letter told so {"key": "b", "ts": 2, "value": 5})"});
}

}  // namespace
}  // namespace windrow::testing
