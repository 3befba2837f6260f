// Row transforms keep stamps, windows and origins; what they cannot do to a row sets it aside.
#include "host/engine/row_stage.hpp"

#include <gtest/gtest.h>

#include "host/engine/key_dictionary.hpp"
#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

Expression integer(std::int64_t v) {
  Expression e;
  e.value = v;
  e.type.kind = ValueType::integer;
  return e;
}
Expression binary(ExpressionOp op, Expression a, Expression b, ValueType type) {
  Expression e;
  e.op = op;
  e.args = {std::move(a), std::move(b)};
  e.type.kind = type;
  return e;
}

// Rows {key, ts, value} with origin = row.
EventBatch views(std::vector<std::tuple<char const*, std::int64_t, std::int64_t>> const& rows) {
  EventBatch batch;
  batch.reset(view_schema());
  for (auto const& [key, ts, value] : rows) {
    batch.event_time.push_back({ts * second});
    batch.origin.push_back(static_cast<std::uint32_t>(batch.origin.size()));
    batch.columns[0].append_text(key);
    batch.columns[1].append(ts);
    batch.columns[2].append(value);
  }
  return batch;
}

struct Stage {
  Graph graph;
  StageChunk chunk;
  std::optional<RowStage> stage;
  std::vector<WatermarkTracker> trackers;
  StageContext context;

  EventBatchView const& run(EventBatch& rows, StageRows kind = StageRows::panes) {
    stage.emplace(graph, 0, kind);
    context.wants_set_aside = true;
    for (auto const& settings : stage->shape().trackers) {
      trackers.emplace_back(settings);
    }
    context.trackers = trackers;
    stage->run(context, rows.view(), {}, {}, chunk);
    return chunk.nodes.back().in;
  }
};

std::string json(Schema const& schema, EventBatchView const& rows, std::size_t row) {
  std::string out;
  append_row_json(schema, rows, row, out);
  return out;
}

TEST(RowStage, FilterAndMapKeepStampsAndSetRowErrorsAside) {
  Stage s;
  std::size_t const source = add(s.graph, "Views", {}, scripted(), view_schema());
  std::size_t const kept = add(s.graph, "Positive", {{source}},
                               Filter{binary(ExpressionOp::greater, field(2, ValueType::integer),
                                             integer(0), ValueType::boolean)},
                               view_schema());
  Schema const mapped{
      {{"key", {ValueType::string, {}}, false}, {"share", {ValueType::number, {}}, true}}};
  std::size_t const map =
      add(s.graph, "Share", {{kept}},
          MapToFields{{field(0, ValueType::string),
                       binary(ExpressionOp::divide, integer(100),
                              binary(ExpressionOp::subtract, field(2, ValueType::integer),
                                     integer(5), ValueType::integer),
                              ValueType::number)}},
          mapped);
  add(s.graph, "Check", {{map}}, AssertEqual{}, {});
  EventBatch rows = views({{"a", 1, 7}, {"b", 2, -1}, {"c", 3, 5}, {"d", 4, 15}});
  EventBatchView const& out = s.run(rows);
  ASSERT_EQ(out.rows, 2U);
  EXPECT_EQ(json(mapped, out, 0), R"({"key": "a", "share": 50.0})");
  EXPECT_EQ(json(mapped, out, 1), R"({"key": "d", "share": 10.0})");
  EXPECT_EQ(out.event_time[1].us, 4 * second);
  EXPECT_EQ(out.origin[1], 3U);
  ASSERT_EQ(s.chunk.set_aside.size(), 1U);
  EXPECT_EQ(s.chunk.set_aside[0].message, "division by zero");
  EXPECT_EQ(s.chunk.set_aside[0].element, R"({"key": "c", "ts": 3, "value": 5})");
  EXPECT_EQ(s.chunk.faults[static_cast<std::size_t>(Fault::bad_expression)], 1U);
}

TEST(RowStage, TombstonesPassThroughEveryTransform) {
  Stage s;
  std::size_t const step = add(s.graph, "Views", {}, scripted(), view_schema());
  AssignTimestamps assign;
  assign.timestamp = field(2, ValueType::integer);
  std::size_t const stamped = add(s.graph, "Stamps", {{step}}, assign, view_schema());
  std::size_t const kept = add(s.graph, "Positive", {{stamped}},
                               Filter{binary(ExpressionOp::greater, field(2, ValueType::integer),
                                             integer(0), ValueType::boolean)},
                               view_schema());
  std::size_t const map =
      add(s.graph, "More", {{kept}},
          MapToFields{{field(0, ValueType::string), field(1, ValueType::integer),
                       binary(ExpressionOp::add, field(2, ValueType::integer), integer(1),
                              ValueType::integer)}},
          view_schema());
  add(s.graph, "Check", {{map}}, AssertEqual{}, {});
  EventBatch rows = views({{"a", 1, 7}});
  rows.origin.clear();
  rows.event_time.push_back({5});
  rows.columns[0].append_text("gone");
  rows.columns[1].append(std::int64_t{2});
  rows.columns[2].append_null();
  rows.deleted = {0, 1};
  EventBatchView const& out = s.run(rows);
  ASSERT_EQ(out.rows, 2U);
  EXPECT_EQ(json(view_schema(), out, 1), R"({"key": "gone", "ts": 2, "value": null})");
  EXPECT_EQ(out.event_time[0].us, 7 * second);
  EXPECT_EQ(out.event_time[1].us, 5);
  EXPECT_EQ(out.deleted[1], 1);
  EXPECT_TRUE(s.chunk.set_aside.empty());
}

TEST(RowStage, FlattenJoinsBranchesAndExplodeGivesARowPerMember) {
  Stage s;
  Schema const list{{{"key", {ValueType::string, {}}, false},
                     {"tags", {ValueType::list, {{"", {ValueType::integer, {}}, true}}}, true}}};
  Schema const one{
      {{"key", {ValueType::string, {}}, false}, {"tags", {ValueType::integer, {}}, true}}};
  std::size_t const source = add(s.graph, "Views", {}, scripted(), list);
  std::size_t const both = add(s.graph, "Both", {{source}, {source}}, Flatten{}, list);
  std::size_t const each = add(s.graph, "Each", {{both}}, Explode{1}, one);
  add(s.graph, "Check", {{each}}, AssertEqual{}, {});
  EventBatch rows;
  rows.reset(list);
  for (char const* key : {"a", "b"}) {
    rows.event_time.push_back({1});
    rows.columns[0].append_text(key);
    ContainerEncoder encoder(Scalar::Kind::list, rows.columns[1].open_text());
    for (std::int64_t i = 0; i < (*key == 'a' ? 2 : 0); ++i) {
      encoder.add(Scalar::of(i));
    }
    encoder.close();
    rows.columns[1].end_text();
  }
  EventBatchView const& out = s.run(rows);
  ASSERT_EQ(out.rows, 4U);
  EXPECT_EQ(json(one, out, 1), R"({"key": "a", "tags": 1})");
  EXPECT_EQ(json(one, out, 2), R"({"key": "a", "tags": 0})");
}

TEST(RowStage, TheTrackerThatCountsJudgesTheFuture) {
  for (bool const restarts :
       {false, true}) {  // R88: the stamps of AssignTimestamps, not the source's
    Stage s;
    ReadFromKafka config;
    config.watermark.emplace();
    config.watermark->max_future_skew = Duration{60 * second};
    std::size_t at = add(s.graph, "Views", {}, config, view_schema());
    if (restarts) {
      AssignTimestamps assign;
      assign.timestamp = field(2, ValueType::integer);
      assign.tracks = true;
      assign.watermark = config.watermark;
      at = add(s.graph, "Stamps", {{at}}, assign, view_schema());
    }
    add(s.graph, "Counts", {{at}}, count_and_sum(10, 0), count_and_sum_schema());
    // by ts: the second row is in the future; by value: the first
    EventBatch rows = views({{"a", 1000, 5000}, {"b", 5000, 1000}});
    s.context.stamp.processing_time = {1000 * second};
    RawBatch raw;
    raw.records.resize(2);
    std::deque<Delivery> nothing;
    ScriptedSource const source(nothing, false);
    RecordsView const records{&source, &raw};
    s.context.records = &records;
    EventBatchView const& out = s.run(rows, StageRows::plain);
    ASSERT_EQ(out.rows, 1U);
    EXPECT_EQ(out.columns[0].text(0), restarts ? "b" : "a");
    EXPECT_EQ(s.chunk.faults[static_cast<std::size_t>(Fault::future_timestamp)], 1U);
    ASSERT_EQ(s.chunk.keyed[0].latest.size(), 1U);
    EXPECT_EQ(s.chunk.keyed[0].latest[0].second.us, 1000 * second);
    EXPECT_EQ(s.stage->shape().keyed[0].trackers, std::vector<std::size_t>{restarts ? 1U : 0U});
  }
}

TEST(RowStage, KeysAreGroupedByShardInRowOrder) {
  Stage s;
  std::size_t const source = add(s.graph, "Views", {}, scripted(), view_schema());
  add(s.graph, "Counts", {{source}}, count_and_sum(10, 0), count_and_sum_schema());
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) {
    names.push_back("key" + std::to_string(i % 70));
  }
  std::vector<std::tuple<char const*, std::int64_t, std::int64_t>> cells;
  for (std::string const& name : names) {
    cells.emplace_back(name.c_str(), 1, 1);
  }
  EventBatch rows = views(cells);
  s.run(rows);
  KeyedRows const& keyed = s.chunk.keyed[0];
  ASSERT_EQ(keyed.by_shard.size(), 200U);
  EXPECT_EQ(keyed.shard_begin[shards], 200U);
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    for (std::uint32_t i = keyed.shard_begin[shard]; i < keyed.shard_begin[shard + 1]; ++i) {
      std::uint32_t const row = keyed.by_shard[i];
      EXPECT_EQ(shard_of_hash(hash_of(names[row])), shard);
      EXPECT_EQ(keyed.keys[i], names[row]);
      EXPECT_EQ(keyed.hashes[i], hash_of(names[row]));
      EXPECT_TRUE(i == keyed.shard_begin[shard] || keyed.by_shard[i - 1] < row);
    }
  }
}

TEST(RowStage, ReplacedRowsReachTheReplacingStepOnlyAndPanesTheOthers) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  std::size_t const step =
      add(graph, "Counts", {{source}}, count_and_sum(10, 0), count_and_sum_schema());
  std::size_t const map =
      add(graph, "Same", {{step}},
          MapToFields{{field(0, ValueType::string), field(1, ValueType::integer),
                       field(2, ValueType::integer)}},
          count_and_sum_schema());
  Combine next = count_and_sum(20, 0);
  next.input_panes = Combine::InputPanes::replace;
  std::size_t const consumer = add(graph, "All", {{map}}, next, count_and_sum_schema());
  add(graph, "Save", {{map}}, WriteToJson{}, {});
  StageGraph const panes = stage_graph(graph, step, StageRows::panes);
  StageGraph const replaced = stage_graph(graph, step, StageRows::replaced);
  EXPECT_TRUE(panes.keyed.empty());
  EXPECT_EQ(panes.sinks.size(), 1U);
  ASSERT_EQ(replaced.keyed.size(), 1U);
  EXPECT_EQ(replaced.keyed[0].transform, consumer);
  EXPECT_TRUE(replaced.sinks.empty());
  EXPECT_TRUE(panes.nodes[1].reports);
  EXPECT_FALSE(replaced.nodes[1].reports);  // a row error is told once
}

}  // namespace
}  // namespace windrow::testing
