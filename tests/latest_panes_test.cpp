// The rows that panes and tombstones mean to a consumer with `input_panes: replace` (R78).
#include "host/engine/latest_panes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "tests/memory_pieces.hpp"

namespace windrow {
namespace {

Schema const schema{{{"n", {ValueType::integer, {}}, true}, {"s", {ValueType::string, {}}, true}}};
std::vector<ValueType> const types{ValueType::integer, ValueType::string};

struct Input {
  EventBatch panes;
  std::vector<KeyId> key;
  Input() { panes.reset(schema); }
  Input& pane(KeyId k, Window window, std::int64_t n, std::uint32_t index = 0) {
    panes.columns[0].append(n);
    panes.columns[1].append_text("v" + std::to_string(n));
    return end_row(k, window, false, index);
  }
  Input& tombstone(KeyId k, Window window) {
    panes.columns[0].append_null();
    panes.columns[1].append_null();
    return end_row(k, window, true, 0);
  }

 private:
  Input& end_row(KeyId k, Window window, bool deleted, std::uint32_t index) {
    panes.event_time.push_back(last_of(window));
    panes.window.push_back(window);
    panes.info.push_back({PaneTiming::late, false, false, index, 7});
    panes.deleted.push_back(static_cast<std::uint8_t>(deleted));
    panes.overflowed.push_back(static_cast<std::uint8_t>(index % 2));
    key.push_back(k);
    return *this;
  }
};
// (weight, key, start, end, n, index): what tests compare
using Row = std::tuple<int, KeyId, std::int64_t, std::int64_t, std::int64_t, std::uint32_t>;
std::vector<Row> run(LatestPanes& latest, Input input) {
  EventBatch out;
  out.reset(schema);
  std::vector<KeyId> out_key;
  latest.replace(input.key, input.panes.view(), out, out_key);
  EventBatchView const view = out.view();
  std::vector<Row> rows;
  for (std::size_t i = 0; i < view.rows; ++i) {
    std::int64_t const n = view.columns[0].integers()[i];
    EXPECT_EQ(view.columns[1].text(i), "v" + std::to_string(n));
    EXPECT_EQ(view.event_time[i], last_of(view.window[i]));
    EXPECT_EQ(view.overflowed[i], view.info[i].index % 2);
    EXPECT_EQ(view.deleted[i], 0);
    rows.emplace_back(view.weight[i], out_key[i], view.window[i].start.us, view.window[i].end.us, n,
                      view.info[i].index);
  }
  return rows;
}
Window window(std::int64_t start, std::int64_t end) { return {EventTime{start}, EventTime{end}}; }

}  // namespace

TEST(LatestPanesTest, AFirstPaneAddsAndTheNextReplacesIt) {
  LatestPanes latest(0, types, false);
  EXPECT_EQ(run(latest, Input().pane(1, window(1, 11), 1)),
            (std::vector<Row>{{1, 1, 1, 11, 1, 0}}));
  // The session grew to the right: the row id stays, the old row goes with its old end and stamp.
  EXPECT_EQ(run(latest, Input().pane(1, window(1, 18), 2, 1)),
            (std::vector<Row>{{-1, 1, 1, 11, 1, 0}, {1, 1, 1, 18, 2, 1}}));
  EXPECT_EQ(latest.size(), 1U);
}

TEST(LatestPanesTest, TwoPanesOfOneRowIdInOneBatchAreLiteral) {
  LatestPanes latest(0, types, false);
  run(latest, Input().pane(1, window(0, 10), 1));
  EXPECT_EQ(
      run(latest, Input().pane(1, window(0, 10), 2).pane(1, window(0, 10), 3)),
      (std::vector<Row>{
          {-1, 1, 0, 10, 1, 0}, {1, 1, 0, 10, 2, 0}, {-1, 1, 0, 10, 2, 0}, {1, 1, 0, 10, 3, 0}}));
}

// Equal panes of two row ids, or of two steps, are told apart; a withdrawn row names its own pane.
TEST(LatestPanesTest, RowsNameTheirPane) {
  auto const names = [](LatestPanes& latest, Input input) {
    EventBatch out;
    out.reset(schema);
    std::vector<KeyId> out_key;
    latest.replace(input.key, input.panes.view(), out, out_key);
    return out.pane;
  };
  LatestPanes first(0, types, false), second(1, types, false);
  auto const panes = [] {
    return Input().pane(1, window(0, 10), 5).pane(2, window(0, 10), 5).pane(1, window(10, 20), 5);
  };
  std::vector<std::uint64_t> const out = names(first, panes());
  std::vector<std::uint64_t> all = out;
  for (std::uint64_t const name : names(second, panes())) {
    all.push_back(name);
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());

  MemoryPieces pieces;
  first.snapshot(pieces);
  LatestPanes again(0, types, false);
  again.restore(pieces);
  std::vector<std::uint64_t> const next = names(again, Input().pane(2, window(0, 10), 5, 1));
  ASSERT_EQ(next.size(), 2U);
  EXPECT_EQ(next[0], out[1]);
  EXPECT_NE(next[1], out[1]);
}

TEST(LatestPanesTest, ATombstoneOnlyWithdraws) {
  LatestPanes latest(0, types, false);
  run(latest, Input().pane(1, window(1, 11), 1).pane(1, window(14, 24), 2));
  EXPECT_EQ(run(latest, Input().tombstone(1, window(14, 24)).pane(1, window(1, 24), 3)),
            (std::vector<Row>{{-1, 1, 14, 24, 2, 0}, {-1, 1, 1, 11, 1, 0}, {1, 1, 1, 24, 3, 0}}));
  EXPECT_EQ(latest.size(), 1U);
  // After it the row id begins anew.
  EXPECT_EQ(run(latest, Input().pane(1, window(14, 30), 4)),
            (std::vector<Row>{{1, 1, 14, 30, 4, 0}}));
}

TEST(LatestPanesTest, EndedRowIdsAreForgottenWithoutARow) {
  LatestPanes latest(0, types, false);
  std::size_t const empty = latest.bytes();
  run(latest, Input().pane(1, window(0, 10), 1).pane(2, window(0, 10), 2));
  latest.end(std::vector<EndedWindow>{{1, window(0, 10)}, {3, window(0, 10)}});
  EXPECT_EQ(latest.size(), 1U);
  EXPECT_EQ(run(latest, Input().pane(1, window(0, 10), 5)),
            (std::vector<Row>{{1, 1, 0, 10, 5, 0}}));
  latest.end(std::vector<EndedWindow>{{1, window(0, 10)}, {2, window(0, 10)}});
  EXPECT_EQ(latest.size(), 0U);
  EXPECT_LT(latest.bytes(), empty + 1000);
}

TEST(LatestPanesTest, ByEndWindowsThatShareAStartAreTwoRows) {
  LatestPanes latest(0, types, true);
  EXPECT_EQ(run(latest, Input().pane(1, window(0, 10), 1).pane(1, window(0, 20), 2)),
            (std::vector<Row>{{1, 1, 0, 10, 1, 0}, {1, 1, 0, 20, 2, 0}}));
  EXPECT_EQ(latest.size(), 2U);
}

TEST(LatestPanesDeathTest, ATombstoneOfNothingIsABug) {
  LatestPanes latest(0, types, false);
  EXPECT_DEATH(run(latest, Input().tombstone(1, window(0, 10))), "broken contract");
}

// P10 in small: the weighted rows always sum to the panes that are out; snapshots change nothing.
RC_GTEST_PROP(LatestPanesTest, WeightedRowsSumToTheLatestPanes, ()) {
  bool const by_end = *rc::gen::arbitrary<bool>();
  auto latest = std::make_unique<LatestPanes>(0, types, by_end);
  std::map<std::tuple<KeyId, std::int64_t, std::int64_t>, Row> live;
  std::map<Row, int> sum;
  for (int batch = 0; batch < 12; ++batch) {
    Input input;
    auto id_of = [by_end](KeyId key, Window w) {
      return std::tuple(key, w.start.us, by_end ? w.end.us : 0);
    };
    int const panes = *rc::gen::inRange(0, 12);
    for (int i = 0; i < panes; ++i) {
      auto const key = static_cast<KeyId>(*rc::gen::inRange(0, 3));
      Window const w = window(*rc::gen::inRange(0, 3), *rc::gen::inRange(5, 8));
      if (live.contains(id_of(key, w)) && *rc::gen::inRange(0, 3) == 0) {
        input.tombstone(key, w);
        live.erase(id_of(key, w));
      } else {
        auto const n = std::int64_t{*rc::gen::inRange(0, 100)};
        auto const index = static_cast<std::uint32_t>(*rc::gen::inRange(0, 5));
        input.pane(key, w, n, index);
        live[id_of(key, w)] = {1, key, w.start.us, w.end.us, n, index};
      }
    }
    for (Row row : run(*latest, std::move(input))) {
      int const weight = std::exchange(std::get<0>(row), 1);
      if ((sum[row] += weight) == 0) {
        sum.erase(row);
      }
    }
    std::map<Row, int> expected;
    for (auto const& [id, row] : live) {
      expected[row] = 1;
    }
    RC_ASSERT(sum == expected);
    RC_ASSERT(latest->size() == live.size());
    if (batch % 4 == 3) {
      MemoryPieces pieces;
      latest->snapshot(pieces);
      latest = std::make_unique<LatestPanes>(0, types, by_end);
      latest->restore(pieces);
    }
  }
}

}  // namespace windrow
