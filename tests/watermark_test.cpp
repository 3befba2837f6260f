// The watermark of a source: the examples of semantics.md 15 and what always holds.
#include "host/engine/watermark.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/memory_pieces.hpp"

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;
EventTime at(double s) { return EventTime{static_cast<std::int64_t>(s * second)}; }
ProcessingTime p(double s) { return ProcessingTime{static_cast<std::int64_t>(s * second)}; }
Duration seconds(std::int64_t s) { return Duration{s * second}; }

struct Row {
  std::uint32_t partition;
  EventTime ts;
};
Range range(std::uint32_t partition, bool caught_up = true, bool ended = false) {
  return {partition, 0, 0, caught_up, ended, std::nullopt};
}
// One batch, as the pipeline runs it; each row is a record.
Watermark batch(WatermarkTracker& tracker, std::vector<Range> ranges, std::vector<Row> const& rows,
                ProcessingTime now) {
  for (Range& range : ranges) {
    range.to += std::count_if(rows.begin(), rows.end(),
                              [&](Row const& row) { return row.partition == range.partition; });
  }
  tracker.begin(ranges, now);
  for (Row const& row : rows) {
    if (row.ts > tracker.newest_allowed(now) && !tracker.clamps_future()) {
      continue;
    }
    tracker.observe(row.partition, row.ts, now);
  }
  return tracker.finish(now);
}
WatermarkSettings settings(std::int64_t b, std::int64_t idle) {
  WatermarkSettings s;
  s.max_out_of_orderness = seconds(b);
  s.idle_timeout = seconds(idle);
  return s;
}

}  // namespace

TEST(WatermarkTest, S1_ItIsTheMinimumOverPartitions) {
  WatermarkTracker tracker(settings(5, 30));
  EXPECT_EQ(batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000)), at(35));
  EXPECT_EQ(tracker.holder(), 1U);
}

TEST(WatermarkTest, S2_AnIdlePartitionIsIgnoredFromTheTimeoutOn) {
  WatermarkTracker tracker(settings(5, 30));
  batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000));
  EXPECT_FALSE(tracker.would_move(std::vector{range(0, false), range(1)}, p(1029.999999)));
  EXPECT_EQ(batch(tracker, {range(0, false), range(1)}, {}, p(1029.999999)), at(35));
  EXPECT_TRUE(tracker.would_move(std::vector{range(0, false), range(1)}, p(1030)));
  EXPECT_EQ(batch(tracker, {range(0, false), range(1)}, {}, p(1030)), at(95));
  EXPECT_EQ(tracker.holder(), 0U);
}

TEST(WatermarkTest, APartitionWithBacklogIsNeverIdle) {
  WatermarkTracker tracker(settings(5, 30));
  batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000));
  EXPECT_EQ(batch(tracker, {range(0), range(1, false)}, {}, p(5000)), at(35));
}

TEST(WatermarkTest, S3_AnEmptyPartitionHoldsNoLongerThanTheTimeout) {
  WatermarkTracker tracker(settings(5, 30));
  EXPECT_EQ(batch(tracker, {range(0), range(2)}, {{0, at(100)}}, p(1000)), T_MIN);
  EXPECT_EQ(tracker.holder(), 2U);
  EXPECT_EQ(batch(tracker, {range(0), range(2)}, {{0, at(120)}}, p(1029.999999)), T_MIN);
  EXPECT_EQ(batch(tracker, {range(0), range(2)}, {}, p(1030)), at(115));
}

TEST(WatermarkTest, ANewPartitionIsRecordedByATick) {
  WatermarkTracker tracker(settings(5, 30));
  std::vector const ranges{range(0)};
  EXPECT_TRUE(tracker.would_move(ranges, p(1000)));
  batch(tracker, ranges, {}, p(1000));
  EXPECT_FALSE(tracker.would_move(ranges, p(1000)));
}

TEST(WatermarkTest, S4_AReturnMakesActiveAtOnceAndIsARegression) {
  WatermarkTracker tracker(settings(5, 30));
  batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000));
  batch(tracker, {range(0, false), range(1)}, {}, p(1030));
  EXPECT_EQ(tracker.regressions(), 0U);
  EXPECT_EQ(batch(tracker, {range(0, false), range(1)}, {{1, at(50)}}, p(1031)), at(95));
  EXPECT_EQ(tracker.regressions(), 1U);
  EXPECT_EQ(tracker.holder(), 1U);
}

TEST(WatermarkTest, R85_AllIdleHoldsAtTheFurthestOrFollowsTheClock) {
  for (auto const mode : {WatermarkSettings::AllIdle::hold, WatermarkSettings::AllIdle::clock}) {
    WatermarkSettings s = settings(5, 30);
    s.all_idle = mode;
    WatermarkTracker tracker(s);
    batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000));
    bool const hold = mode == WatermarkSettings::AllIdle::hold;
    EXPECT_EQ(batch(tracker, {range(0), range(1)}, {}, p(1030)), hold ? at(95) : at(1025));
    EXPECT_EQ(tracker.holder(), std::nullopt);
    EXPECT_EQ(batch(tracker, {range(0), range(1)}, {}, p(9000)), hold ? at(95) : at(8995));
    EXPECT_EQ(tracker.would_move(std::vector{range(0), range(1)}, p(9001)), !hold);
  }
}

TEST(WatermarkTest, R85_AClockBehindTheRowsDoesNotPullBack) {
  WatermarkSettings s = settings(5, 30);
  s.all_idle = WatermarkSettings::AllIdle::clock;
  WatermarkTracker tracker(s);
  batch(tracker, {range(0)}, {{0, at(100)}}, p(10));
  EXPECT_EQ(batch(tracker, {range(0)}, {}, p(40)), at(95));
}

TEST(WatermarkTest, S5_ARowOfTheFutureMovesNothing) {
  WatermarkSettings s = settings(0, 30);
  s.max_future_skew = seconds(60);
  WatermarkTracker tracker(s);
  EXPECT_LE(at(1060), tracker.newest_allowed(p(1000)));
  EXPECT_GT(at(1060.000001), tracker.newest_allowed(p(1000)));
  EXPECT_EQ(batch(tracker, {range(0)}, {{0, at(7)}, {0, at(1060.000001)}}, p(1000)), at(7));
  EXPECT_EQ(batch(tracker, {range(0)}, {{0, at(1060)}}, p(1000)), at(1060));
}

TEST(WatermarkTest, R86_UnderClampAFutureRowCountsAsTheLimit) {
  WatermarkSettings s = settings(0, 30);
  s.max_future_skew = seconds(60);
  s.on_future = WatermarkSettings::OnFuture::clamp;
  WatermarkTracker tracker(s);
  EXPECT_EQ(batch(tracker, {range(0)}, {{0, at(5000)}}, p(1000)), at(1060));
}

TEST(WatermarkTest, NoFutureLimitWithoutSkew) {
  WatermarkSettings s = settings(0, 30);
  s.max_future_skew = std::nullopt;
  EXPECT_LT(EventTime{T_END.us - 1}, WatermarkTracker(s).newest_allowed(p(0)));
  EXPECT_LT(EventTime{T_END.us - 1}, WatermarkTracker(std::nullopt).newest_allowed(p(0)));
}

TEST(WatermarkTest, S6_ANewPartitionHoldsWhereItIs) {
  WatermarkTracker tracker(settings(5, 30));
  batch(tracker, {range(0)}, {{0, at(100)}}, p(1000));
  EXPECT_EQ(batch(tracker, {range(0), range(3)}, {{0, at(200)}}, p(1001)), at(95));
  EXPECT_EQ(tracker.regressions(), 1U);
}

TEST(WatermarkTest, R87_ATickCountsNoRegression) {
  WatermarkTracker tracker(settings(5, 30));
  batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000));
  batch(tracker, {range(0, false), range(1)}, {}, p(1030));  // 1 is idle: W = 95
  std::vector const backlog{range(0, false), range(1, false)};
  EXPECT_EQ(batch(tracker, backlog, {}, p(1031)), at(95));  // 1 is back, but brings nothing
  EXPECT_EQ(tracker.regressions(), 0U);
  batch(tracker, backlog, {{0, at(110)}}, p(1032));
  batch(tracker, backlog, {}, p(1033));
  EXPECT_EQ(tracker.regressions(), 1U);
}

TEST(WatermarkTest, R89_EndedPartitionsNoLongerCountAndAllEndedIsInfinity) {
  WatermarkTracker tracker(settings(5, 30));
  batch(tracker, {range(0), range(1)}, {{0, at(100)}, {1, at(40)}}, p(1000));
  EXPECT_EQ(batch(tracker, {range(0), range(1, true, true)}, {}, p(1000)), at(95));
  EXPECT_EQ(batch(tracker, {range(0, true, true), range(1, true, true)}, {}, p(1000)), T_MAX);
  EXPECT_EQ(tracker.regressions(), 0U);
}

TEST(WatermarkTest, R89_WithoutSettingsItWaitsForTheEnd) {
  WatermarkTracker tracker(std::nullopt);
  EXPECT_EQ(batch(tracker, {range(0)}, {{0, at(100)}}, p(1000)), T_MIN);
  EXPECT_FALSE(tracker.would_move(std::vector{range(0)}, p(99999)));
  EXPECT_TRUE(tracker.would_move(std::vector{range(0, true, true)}, p(1000)));
  EXPECT_EQ(batch(tracker, {range(0, true, true)}, {}, p(1000)), T_MAX);
}

TEST(WatermarkTest, WithoutSettingsTheSourceMaySayIt) {
  WatermarkTracker tracker(std::nullopt);
  Range own = range(0);
  own.own_watermark = at(10);
  EXPECT_EQ(batch(tracker, {own}, {{0, at(100)}}, p(0)), at(10));
  own.own_watermark = at(4);
  EXPECT_EQ(batch(tracker, {own}, {}, p(0)), at(10));
  EXPECT_EQ(tracker.regressions(), 1U);
  EXPECT_EQ(batch(tracker, {own, range(1)}, {}, p(0)), at(10));
}

TEST(WatermarkTest, TheEndsOfTimeDoNotWrap) {
  WatermarkSettings s = settings(5, 30);
  s.max_future_skew = std::nullopt;
  WatermarkTracker tracker(s);
  EXPECT_EQ(batch(tracker, {range(0)}, {{0, EventTime{T_MIN.us + 1}}}, p(0)), T_MIN);
  EXPECT_EQ(batch(tracker, {range(0)}, {{0, EventTime{T_END.us - 1}}}, p(0)),
            EventTime{T_END.us - 1 - 5 * second});
}

// Against a direct reading of the rules over random batches; a snapshot at any cut changes nothing.
RC_GTEST_PROP(WatermarkTest, ItIsMonotoneMatchesTheRulesAndSurvivesSnapshots, ()) {
  WatermarkSettings s = settings(*rc::gen::inRange(0, 4), *rc::gen::inRange(1, 5));
  s.max_future_skew = std::nullopt;
  WatermarkTracker tracker(s);
  struct Model {
    std::int64_t max = INT64_MIN, seen = 0;
    bool known = false, ended = false, caught_up = false;
  };
  std::array<Model, 3> model;
  std::int64_t w = INT64_MIN, now = 0;
  std::uint64_t regressions = 0;
  int const batches = *rc::gen::inRange(1, 25);
  for (int i = 0; i < batches; ++i) {
    now += *rc::gen::inRange(0, 3);
    std::vector<Range> ranges;
    std::vector<Row> rows;
    bool discovered = false;
    for (std::uint32_t id = 0; id < model.size(); ++id) {
      Model& m = model[id];
      if (!m.known && *rc::gen::inRange(0, 2) == 0) {
        continue;
      }
      if (!m.known) {
        m.seen = now;
        discovered = true;
      }
      m.known = true;
      m.caught_up = *rc::gen::inRange(0, 3) != 0;
      bool const had_ended = m.ended;
      m.ended = m.ended || *rc::gen::inRange(0, 20) == 0;
      ranges.push_back(range(id, m.caught_up, m.ended));
      if (!had_ended && *rc::gen::inRange(0, 2) == 0) {
        std::int64_t const ts = *rc::gen::inRange(-20, 20);
        rows.push_back({id, EventTime{ts * second}});
        m.max = std::max(m.max, ts);
        m.seen = now;
      }
    }
    if (rows.empty()) {
      WatermarkTracker copy = tracker;
      bool const moves = batch(copy, ranges, {}, ProcessingTime{now * second}) > tracker.current();
      if (moves) {
        RC_ASSERT(tracker.would_move(ranges, ProcessingTime{now * second}));
      }
    }
    Watermark const got = batch(tracker, ranges, rows, ProcessingTime{now * second});
    bool any = false, all_ended = true, active = false;
    std::int64_t least = INT64_MAX, furthest = INT64_MIN;
    for (Model const& m : model) {
      if (!m.known) {
        continue;
      }
      any = true;
      if (m.ended) {
        continue;
      }
      all_ended = false;
      std::int64_t const wp =
          m.max == INT64_MIN ? INT64_MIN : m.max - s.max_out_of_orderness.us / second;
      if (m.caught_up && now - m.seen >= s.idle_timeout->us / second) {
        furthest = std::max(furthest, wp);
      } else {
        active = true;
        least = std::min(least, wp);
      }
    }
    if (any) {
      std::int64_t const candidate = all_ended ? INT64_MAX : active ? least : furthest;
      regressions += (discovered || !rows.empty()) && candidate < w ? 1 : 0;
      w = std::max(w, candidate);
    }
    Watermark const expected = w == INT64_MIN   ? T_MIN
                               : w == INT64_MAX ? T_MAX
                                                : EventTime{w * second};
    RC_ASSERT(got == expected);
    RC_ASSERT(tracker.regressions() == regressions);
    if (*rc::gen::inRange(0, 4) == 0) {
      MemoryPieces pieces;
      tracker.snapshot(pieces);
      WatermarkTracker fresh(s);
      fresh.restore(pieces);
      RC_ASSERT(fresh.regressions() == tracker.regressions());
      tracker = fresh;
    }
  }
}

}  // namespace windrow
