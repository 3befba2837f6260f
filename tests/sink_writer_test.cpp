// Outcomes of connectors.md 3.1, and what a sink gets to see: coalesced, in order, never lost.
#include "host/engine/sink_writer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>

#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

// A sink of one text column that does as it is told per row.
struct ObedientSink : Sink {
  std::function<Outcome(std::string_view, std::size_t rows)> tell;
  std::vector<std::string>& written;
  ObedientSink(std::function<Outcome(std::string_view, std::size_t)> t, std::vector<std::string>& w)
      : tell(std::move(t)), written(w) {}
  void open() override {}
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& told) override {
    told.clear();
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::string_view const text = rows.columns[0].text(row);
      out[row] = tell(text, rows.rows);
      if (out[row] == Outcome::ok) {
        written.emplace_back(text);
      } else if (out[row] != Outcome::superseded) {
        told.push_back({row, "told so"});
      }
    }
  }
};

SinkSchema text_schema() {
  SinkSchema schema;
  schema.columns.fields.push_back({"text", {ValueType::string, {}}, true});
  return schema;
}

SinkBatch batch_of(std::int64_t no, std::vector<std::string> const& rows) {
  SinkBatch batch;
  batch.batch_no = no;
  batch.rows = rows.size();
  Column& column = batch.columns.emplace_back(ValueType::string);
  for (std::string const& row : rows) {
    column.append_text(row);
  }
  return batch;
}

void settle(SinkWriter& writer) { ASSERT_TRUE(writer.settle(std::chrono::seconds(60))); }

struct Writing {
  std::vector<std::string> written;
  std::unique_ptr<SinkWriter> writer;
  explicit Writing(std::function<Outcome(std::string_view, std::size_t)> tell,
                   RetrySettings retry = {Duration{100}, Duration{1000}, Duration{10'000'000}, 4}) {
    writer = std::make_unique<SinkWriter>(
        7, "Save", std::make_unique<ObedientSink>(std::move(tell), written), text_schema(), retry);
    writer->open();
  }
};

TEST(SinkWriter, WritesBatchesInOrderAndAcknowledgesThem) {
  Writing w([](auto, auto) { return Outcome::ok; });
  for (std::int64_t no = 1; no <= 20; ++no) {
    w.writer->submit(batch_of(no, {"row " + std::to_string(no)}));
  }
  settle(*w.writer);
  ASSERT_EQ(w.written.size(), 20U);
  EXPECT_EQ(w.written[9], "row 10");
  EXPECT_EQ(w.writer->progress().acked_batch, 20);
  EXPECT_EQ(w.writer->progress().rows, 20U);
}

TEST(SinkWriter, RetriesOnlyWhatWasNotWritten) {
  int tries = 0;
  Writing w([&](std::string_view text, auto) {
    return text == "slow" && ++tries < 4 ? Outcome::retry : Outcome::ok;
  });
  w.writer->submit(batch_of(1, {"quick", "slow"}));
  settle(*w.writer);
  EXPECT_EQ(w.written, (std::vector<std::string>{"quick", "slow"}));
  EXPECT_EQ(w.writer->progress().retries, 3U);
  EXPECT_TRUE(w.writer->progress().waiting.empty());
}

TEST(SinkWriter, SplitsUntilTheBadRowIsAlone) {
  Writing w([](std::string_view text, std::size_t rows) {
    return rows > 2 || text == "bad" ? Outcome::split : Outcome::ok;
  });
  w.writer->submit(batch_of(1, {"a", "b", "c", "bad", "d", "e", "f", "g"}));
  settle(*w.writer);
  std::multiset<std::string> const got(w.written.begin(), w.written.end());
  EXPECT_EQ(got, (std::multiset<std::string>{"a", "b", "c", "d", "e", "f", "g"}));
  std::int64_t acked = 0;
  auto const refused = w.writer->take_refused(acked);
  EXPECT_EQ(acked, 1);
  ASSERT_EQ(refused.size(), 1U);
  ASSERT_EQ(refused[0].messages.size(), 1U);
  EXPECT_EQ(refused[0].columns[0].view().text(0), "bad");
  EXPECT_EQ(w.writer->progress().dead_letters, 1U);
}

// A sink notes its progress with the last row of a batch: none may come behind that.
TEST(SinkWriter, OnlyTheLastHalfOfASplitBatchIsItsLast) {
  struct LastSink : Sink {
    std::vector<std::pair<std::string, bool>> seen;
    void open() override {}
    void write(SinkRowsView const& rows, std::span<Outcome> out,
               std::vector<SinkFault>& told) override {
      told.assign(1, {0, "too large"});
      std::fill(out.begin(), out.end(), rows.rows > 1 ? Outcome::split : Outcome::ok);
      if (rows.rows == 1) {
        told.clear();
        seen.emplace_back(rows.columns[0].text(0), rows.is_last);
      }
    }
  };
  auto owned = std::make_unique<LastSink>();
  auto const& seen = owned->seen;
  SinkWriter writer(7, "Save", std::move(owned), text_schema(),
                    {Duration{100}, Duration{1000}, Duration{10'000'000}, 4});
  writer.open();
  writer.submit(batch_of(1, {"a", "b", "c"}));
  SinkBatch part = batch_of(2, {"d", "e"});
  part.is_last = false;
  writer.submit(std::move(part));
  settle(writer);
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, bool>>{
                      {"a", false}, {"b", false}, {"c", true}, {"d", false}, {"e", false}}));
}

TEST(SinkWriter, CountsSupersededRowsAsSuccessAndSetsDeadLettersAside) {
  Writing w([](std::string_view text, auto) {
    return text == "old"     ? Outcome::superseded
           : text == "never" ? Outcome::dead_letter
                             : Outcome::ok;
  });
  w.writer->submit(batch_of(1, {"old", "never", "new"}));
  settle(*w.writer);
  EXPECT_EQ(w.writer->progress().superseded, 1U);
  EXPECT_EQ(w.writer->progress().rows, 1U);
  EXPECT_EQ(w.writer->progress().taken, 3U);
  EXPECT_EQ(w.writer->progress().queued, 0U);
  std::int64_t acked = 0;
  auto const refused = w.writer->take_refused(acked);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].messages, std::vector<std::string>{"told so"});
}

// "z" is refused at once and "a" after two tries, but "a" stands first.
TEST(SinkWriter, GivesRefusedRowsInTheOrderOfTheirBatch) {
  int tries = 0;
  Writing w([&](std::string_view text, auto) {
    return text == "a" && ++tries < 3   ? Outcome::retry
           : text == "a" || text == "z" ? Outcome::dead_letter
                                        : Outcome::ok;
  });
  w.writer->submit(batch_of(1, {"a", "m", "z"}));
  settle(*w.writer);
  std::int64_t acked = 0;
  auto const refused = w.writer->take_refused(acked);
  ASSERT_EQ(refused.size(), 1U);
  ASSERT_EQ(refused[0].messages.size(), 2U);
  EXPECT_EQ(refused[0].columns[0].view().text(0), "a");
  EXPECT_EQ(refused[0].columns[0].view().text(1), "z");
  EXPECT_TRUE(w.writer->take_refused(acked).empty());
}

TEST(SinkWriter, KeepsWhatAPartRefusedUntilItsBatchIsAcknowledged) {
  Writing w([](auto, auto) { return Outcome::dead_letter; });
  SinkBatch part = batch_of(2, {"x"});
  part.is_last = false;
  w.writer->submit(batch_of(1, {"w"}));
  w.writer->submit(std::move(part));
  settle(*w.writer);
  std::int64_t acked = 0;
  auto refused = w.writer->take_refused(acked);
  EXPECT_EQ(acked, 1);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].batch_no, 1);
  w.writer->submit(batch_of(2, {"y"}));
  settle(*w.writer);
  refused = w.writer->take_refused(acked);
  EXPECT_EQ(acked, 2);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].columns[0].view().text(0), "x");
  EXPECT_EQ(refused[1].columns[0].view().text(0), "y");
}

TEST(SinkWriter, GivesUpWithStatus69AndStopsOnFatalWith76) {
  for (auto const& [outcome, status] :
       {std::pair{Outcome::retry, 69}, std::pair{Outcome::pause, 69},
        std::pair{Outcome::fatal, 76}}) {
    Writing w([outcome = outcome](auto, auto) { return outcome; },
              {Duration{100}, Duration{500}, Duration{2000}, 4});
    w.writer->submit(batch_of(1, {"row"}));
    try {
      settle(*w.writer);
      ADD_FAILURE() << "settled";
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), status) << error.what();
    }
    EXPECT_EQ(w.writer->progress().acked_batch, 0);
  }
}

// Panes of one step with string keys, as SinkRows gets them.
struct Panes {
  EventBatch rows;
  explicit Panes() { rows.reset(count_and_sum_schema()); }
  void add(std::string_view key, std::int64_t start_s, std::int64_t count, std::uint32_t place,
           bool deleted = false) {
    rows.event_time.push_back({(start_s + 10) * second - 1});
    rows.window.push_back({{start_s * second}, {(start_s + 10) * second}});
    rows.info.push_back({PaneTiming::on_time, true, false, 0, 0});
    rows.deleted.push_back(deleted);
    rows.overflowed.push_back(0);
    rows.origin.push_back(place);
    rows.columns[0].append_text(key);
    rows.columns[1].append(count);
    rows.columns[2].append_null();
  }
};

Graph graph_with(Upsert upsert) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  std::size_t const step =
      add(graph, "Counts", {{source}}, count_and_sum(10, 5), count_and_sum_schema());
  WriteToJson sink;
  sink.upsert = std::move(upsert);
  add(graph, "Save", {{step}}, sink, {});
  return graph;
}

std::vector<std::string> ids_of(SinkBatch const& batch) {
  std::vector<std::string> ids;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    ids.emplace_back(batch.columns[0].view().text(row));
  }
  return ids;
}

TEST(SinkRows, TheLastPanePerIdWinsAndAnyPaneBeatsATombstone) {
  SinkRows rows(sink_layout(graph_with({false, {"window_start", "key"}, {}, ""}), 2));
  Panes panes;
  panes.add("a", 0, 1, 0);
  panes.add("b", 0, 2, 2);
  panes.add("a", 0, 3, 1);  // phase B of the same row id
  panes.add("c", 0, 4, 3);
  panes.add("c", 0, 0, 4, true);  // a tombstone after the write
  panes.add("d", 0, 0, 5, true);  // only a tombstone
  rows.add(panes.rows.view(), {1, 77, {}, std::nullopt});
  SinkBatch const batch = rows.take({1, 77, {}, std::nullopt}, true);
  EXPECT_EQ(ids_of(batch), (std::vector<std::string>{"0|a", "0|b", "0|c", "0|d"}));
  auto const at = *rows.layout().schema.columns.index_of("rows");
  EXPECT_EQ(batch.columns[at].view().integers()[0], 3);
  EXPECT_EQ(batch.columns[at].view().integers()[2], 4);
  EXPECT_EQ(batch.tombstones, 1U);
}

TEST(SinkRows, RowsOfASinkWithAnErrorOutputKeepWhereTheyComeFrom) {
  Graph graph = graph_with({false, {"window_start", "key"}, {}, ""});
  graph.transforms[2].has_errors = true;
  SinkRows rows(sink_layout(graph, 2));
  Panes panes;
  panes.add("a", 10, 1, 1);
  panes.add("b", 0, 2, 0);
  panes.add("a", 10, 3, 1);
  rows.add(panes.rows.view(), {1, 77, {}, std::nullopt});
  SinkBatch const batch = rows.take({1, 77, {}, std::nullopt}, true);
  EXPECT_EQ(ids_of(batch), (std::vector<std::string>{"0|b", "10000000|a"}));
  ASSERT_EQ(batch.origins.size(), 2U);
  EXPECT_EQ(batch.origins[0].window->start.us, 0);
  EXPECT_EQ(batch.origins[1].window->start.us, 10 * second);
  EXPECT_EQ(batch.origins[1].event_time.us, 20 * second - 1);
  EXPECT_FALSE(batch.origins[1].record);
  EXPECT_TRUE(rows.take({2, 78, {}, std::nullopt}, true).origins.empty());
}

TEST(SinkRows, AppendedPanesKeepThemAllUnderIdsOfTheirOwn) {
  SinkRows rows(sink_layout(graph_with({true, {"window_start", "key"}, {}, "web"}), 2));
  Panes panes;
  panes.add("a", 0, 1, 0);
  panes.add("a", 0, 3, 1);
  rows.add(panes.rows.view(), {1, 77, {}, std::nullopt});
  SinkBatch const batch = rows.take({1, 77, {}, std::nullopt}, true);
  EXPECT_EQ(ids_of(batch), (std::vector<std::string>{"web/0|a|77|0", "web/0|a|77|1"}));
}

TEST(SinkRows, ColumnsRenamesAndAddsPaneColumns) {
  SinkSchema const schema =
      sink_schema(graph_with({false,
                              {"window_start", "key"},
                              {{"window_start", "from"}, {"is_first", "is_first"}},
                              ""}),
                  2);
  std::vector<std::string> names;
  for (Field const& f : schema.columns.fields) {
    names.push_back(f.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"id", "from", "window_end", "key", "rows", "total",
                                             "pane_version", "pane_index", "pane_timing", "is_last",
                                             "deleted", "drained", "is_first"}));
  EXPECT_EQ(schema.key, (std::vector<std::size_t>{1, 3}));
  EXPECT_TRUE(schema.upsert);
}

TEST(SinkRows, AFieldNamedLikeAPaneColumnThatIsNotWrittenUnaskedIsAField) {
  Graph graph = graph_with({false, {"window_start", "timestamp"}, {}, ""});
  graph.transforms[1].output.fields[0].name = "timestamp";
  SinkRows rows(sink_layout(graph, 2));
  Panes panes;
  panes.add("a", 0, 1, 0);
  rows.add(panes.rows.view(), {1, 77, {}, std::nullopt});
  SinkBatch const batch = rows.take({1, 77, {}, std::nullopt}, true);
  EXPECT_EQ(ids_of(batch), std::vector<std::string>{"0|a"});
  auto const at = rows.layout().schema.columns.index_of("timestamp");
  ASSERT_TRUE(at);
  EXPECT_EQ(batch.columns[*at].view().text(0), "a");
}

}  // namespace
}  // namespace windrow::testing
