// Triggers and panes: the rules that a static example shows, and that asking is pure and rows add
// up.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <vector>

#include "host/model/pane_fire.hpp"
#include "host/model/trigger_eval.hpp"
#include "host/model/trigger_merge.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {
namespace {

struct State {
  std::uint32_t finished = 0;
  std::uint32_t flags = flag_open;
  std::array<std::uint32_t, 32> counter{};
  std::array<std::int64_t, 32> deadline{};
  TriggerStateRef ref() { return {&finished, &flags, counter.data(), deadline.data()}; }
  bool operator==(State const&) const = default;
};

// One (key, window) with its trigger.
struct Machine {
  explicit Machine(Trigger const& trigger, bool merging = false)
      : program(compile(trigger, merging)) {
    start(program, state.ref());
  }
  bool rows(std::uint32_t n) {
    on_elements(program, state.ref(), clock, n);
    return ask();
  }
  // Fires if ready.
  bool ask() {
    std::uint32_t const ready = ready_nodes(program, state.ref(), clock);
    if (!root_is_ready(program, ready)) {
      return false;
    }
    on_fire(program, state.ref(), clock, ready);
    return true;
  }
  bool finished() { return has_finished(program, state.ref()); }

  TriggerProgram program;
  State state;
  FiringClock clock{-1'000'000, 0, 10};
};

Trigger count(std::uint32_t n) { return {TriggerOp::element_count, n}; }
Trigger pt(std::int64_t delay) { return {TriggerOp::after_processing_time, 0, {{delay, 0, 0}}}; }
Trigger of(TriggerOp op, std::vector<Trigger> children) { return {op, 0, {}, std::move(children)}; }
Trigger rep(Trigger t) { return of(TriggerOp::repeat, {std::move(t)}); }
Trigger eow(Trigger early, Trigger late) {
  return {TriggerOp::after_end_of_window, 0, {}, {std::move(early), std::move(late)}, true, true};
}
std::vector<int> firings_by_row(Machine& machine, int rows) {
  std::vector<int> fired;
  for (int row = 1; row <= rows; ++row) {
    if (machine.rows(1)) {
      fired.push_back(row);
    }
  }
  return fired;
}

rc::Gen<Trigger> triggers(int depth) {
  auto const leaf = rc::gen::oneOf(
      rc::gen::map(rc::gen::inRange(1, 4),
                   [](int n) { return count(static_cast<std::uint32_t>(n)); }),
      rc::gen::map(rc::gen::inRange(0, 5), [](int d) { return pt(d); }),
      rc::gen::map(rc::gen::element(TriggerOp::default_, TriggerOp::never, TriggerOp::always,
                                    TriggerOp::after_end_of_window,
                                    TriggerOp::after_synchronized_processing_time),
                   [](TriggerOp op) { return Trigger{op}; }));
  if (depth == 0) {
    return leaf;
  }
  auto const inner = rc::gen::exec([depth] {
    auto const op =
        *rc::gen::element(TriggerOp::after_all, TriggerOp::after_any, TriggerOp::after_each,
                          TriggerOp::or_finally, TriggerOp::repeat, TriggerOp::after_end_of_window);
    Trigger const first = *triggers(depth - 1), second = *triggers(depth - 1);
    if (op == TriggerOp::after_end_of_window) {
      return eow(first, second);
    }
    return op == TriggerOp::repeat ? rep(first) : of(op, {first, second});
  });
  return rc::gen::oneOf(leaf, inner);
}

}  // namespace

TEST(TriggerTest, OrFinallyCountsAcrossPanesAndFinishes) {  // X15
  Machine machine(of(TriggerOp::or_finally, {rep(count(3)), count(5)}));
  EXPECT_EQ(firings_by_row(machine, 5), (std::vector{3, 5}));
  EXPECT_TRUE(machine.finished());
  Machine at_once(of(TriggerOp::or_finally, {rep(count(3)), count(5)}));
  EXPECT_TRUE(at_once.rows(7));
  EXPECT_TRUE(at_once.finished());
  Machine any(rep(of(TriggerOp::after_any, {count(3), count(5)})));
  EXPECT_EQ(firings_by_row(any, 7), (std::vector{3, 6}));
}

TEST(TriggerTest, AfterEachLetsALaterChildCountOnlyWhenItsTurnComes) {  // X22
  Machine machine(of(TriggerOp::after_each, {count(1), count(2), rep(count(3))}));
  EXPECT_EQ(firings_by_row(machine, 6), (std::vector{1, 3, 6}));
}

TEST(TriggerTest, AfterAllWaitsForEveryChildAndRepeatResetsThemAll) {  // X23
  Machine machine(rep(of(TriggerOp::after_all, {count(2), pt(60)})));
  EXPECT_FALSE(machine.rows(3));
  machine.clock.processing_time_us = 61;
  EXPECT_TRUE(machine.ask());
  machine.clock.processing_time_us = 62;
  EXPECT_FALSE(machine.rows(1));
  machine.clock.processing_time_us = 63;
  EXPECT_FALSE(machine.rows(1));
  EXPECT_EQ(machine.state.deadline[0], 122);
  machine.clock.processing_time_us = 200;
  EXPECT_TRUE(machine.ask());
}

TEST(TriggerTest, PartsOfEndOfWindowRepeatAndKeepAnUnfinishedPart) {  // X26, X29, X50
  Machine composite(eow(of(TriggerOp::after_any, {count(3), pt(60)}), count(1)));
  EXPECT_EQ(firings_by_row(composite, 6), (std::vector{3, 6}));
  Machine parts(eow(count(2), count(1)));
  EXPECT_TRUE(parts.rows(2));
  EXPECT_TRUE(parts.rows(2));
  EXPECT_FALSE(parts.rows(1));
  parts.clock.watermark_us = 10;
  EXPECT_TRUE(parts.ask());
  EXPECT_TRUE(parts.rows(1));
  EXPECT_TRUE(parts.rows(1));
  EXPECT_FALSE(parts.finished());
  Machine progress(eow(rep(of(TriggerOp::after_each, {count(1), count(2)})), count(1)));
  EXPECT_EQ(firings_by_row(progress, 6), (std::vector{1, 3, 4, 6}));
}

TEST(TriggerTest, DeadlinesAreStrictAndAlignedByFloorModulo) {  // X18, X39
  Machine machine(rep(pt(60)));
  machine.clock.processing_time_us = 100;
  EXPECT_FALSE(machine.rows(1));
  machine.clock.processing_time_us = 130;
  EXPECT_FALSE(machine.rows(1));
  machine.clock.processing_time_us = 160;
  EXPECT_FALSE(machine.ask());
  machine.clock.processing_time_us = 161;
  EXPECT_TRUE(machine.ask());
  TimeTransform const minute{0, 60, 0};
  EXPECT_EQ(apply(minute, 100), 120);
  EXPECT_EQ(apply(minute, 180), 180);
  EXPECT_EQ(apply(minute, -100), -60);
  EXPECT_EQ(apply({0, 60, 7}, 8), 67);
}

TEST(TriggerTest, AMergeRewindsUnlessAllSourcesAreBehindTheEnd) {  // X16, X17, R61
  TriggerProgram const program = compile(eow(count(3), count(2)), true);
  State before_end, after_end, result;
  for (State* state : {&before_end, &after_end, &result}) {
    start(program, state->ref());
  }
  before_end.counter[0] = 2;
  after_end.finished = 1;  // node 0 is the early part
  after_end.counter[1] = 1;
  TriggerSources both;
  both.add(program, before_end.ref());
  both.add(program, after_end.ref());
  on_merge(program, result.ref(), both, {50, 0, 10});
  EXPECT_EQ(result.finished, 0U);
  EXPECT_EQ(result.counter[0], 0U);  // finished in one source: its count starts over (R51)
  EXPECT_EQ(result.counter[1], 0U);
  EXPECT_EQ(result.flags & flag_armed, 0);

  TriggerSources early;
  early.add(program, before_end.ref());
  early.add(program, before_end.ref());
  start(program, result.ref());
  on_merge(program, result.ref(), early, {5, 0, 10});
  EXPECT_EQ(result.counter[0], 4U);  // X30

  TriggerSources behind;
  behind.add(program, after_end.ref());
  behind.add(program, after_end.ref());
  start(program, result.ref());
  on_merge(program, result.ref(), behind, {50, 0, 10});
  EXPECT_EQ(result.finished, 1U);
  EXPECT_EQ(result.counter[1], 2U);  // the late counters of the sources add up
  start(program, result.ref());
  on_merge(program, result.ref(), behind, {50, 0, 60});
  EXPECT_EQ(result.finished, 0U);
  EXPECT_NE(result.flags & flag_armed, 0);
}

TEST(TriggerTest, AnExistingResultKeepsTheDeadlineOfANodeThatTheMergeSkips) {  // X49
  TriggerProgram const program = compile(eow(pt(5), count(1)), true);
  State existing;
  start(program, existing.ref());
  existing.finished = 1;
  existing.deadline[0] = 5;
  TriggerSources self;
  self.add(program, existing.ref());
  on_merge(program, existing.ref(), self, {21, 0, 18});
  EXPECT_EQ(existing.deadline[0], 5);
  State fresh;
  start(program, fresh.ref());
  on_merge(program, fresh.ref(), self, {21, 0, 18});
  EXPECT_EQ(fresh.deadline[0], no_deadline);
  EXPECT_EQ(fresh.finished, 1U);
}

TEST(TriggerTest, NRowsAtOnceEqualNRowsAndAskingChangesNothing) {
  EXPECT_TRUE(rc::check([] {
    Trigger const trigger = *triggers(3);
    RC_PRE(node_count(trigger) <= trigger_nodes_max);
    bool const merging = *rc::gen::arbitrary<bool>();
    Machine one(trigger, merging), many(trigger, merging);
    for (int step = 0; step < 8 && !one.finished(); ++step) {
      auto const n = *rc::gen::inRange<std::uint32_t>(0, 4);
      one.clock.processing_time_us += *rc::gen::inRange(0, 4);
      one.clock.watermark_us =
          *rc::gen::element(one.clock.watermark_us, std::int64_t{9}, std::int64_t{10});
      many.clock = one.clock;
      for (std::uint32_t i = 0; i < n; ++i) {
        on_elements(one.program, one.state.ref(), one.clock, 1);
      }
      on_elements(many.program, many.state.ref(), many.clock, n);
      RC_ASSERT(one.state == many.state);
      State const asked = one.state;
      std::uint32_t const ready = ready_nodes(one.program, one.state.ref(), one.clock);
      RC_ASSERT(one.state == asked);
      // R60: rows never turn ready into not ready.
      State more = one.state;
      on_elements(one.program, more.ref(), one.clock, 1);
      if (root_is_ready(one.program, ready)) {
        RC_ASSERT(root_is_ready(one.program, ready_nodes(one.program, more.ref(), one.clock)));
      }
      RC_ASSERT(one.ask() == many.ask());
      RC_ASSERT(one.state == many.state);
    }
  }));
}

TEST(PaneFireTest, TimingsAndIndexesFollowR30ToR34) {
  EventTime const end{10};
  auto const at = [&](PaneRecord record, std::int64_t w, std::int64_t w_out, bool fresh = true) {
    return fire(record, fresh, false, EventTime{w}, EventTime{w_out}, end, OnTime::fire_if_nonempty,
                Closing::emit_if_nonempty);
  };
  Firing const early = at({}, 9, 9);
  EXPECT_EQ(early.info, (PaneInfo{PaneTiming::early, true, false, 0, -1}));
  Firing const on_time = at(early.record, 10, 9);
  EXPECT_EQ(on_time.info, (PaneInfo{PaneTiming::on_time, false, false, 1, 0}));
  Firing const late = at(on_time.record, 10, 9);
  EXPECT_EQ(late.info, (PaneInfo{PaneTiming::late, false, false, 2, 1}));
  Firing const silent = at(early.record, 10, 9, false);
  EXPECT_FALSE(silent.emit);
  EXPECT_EQ(silent.record, early.record);
  EXPECT_EQ(at(silent.record, 12, 12).info,
            (PaneInfo{PaneTiming::late, false, false, 1, 0}));  // X10
  EXPECT_TRUE(fire({}, false, false, EventTime{10}, EventTime{9}, end, OnTime::fire_always,
                   Closing::emit_if_nonempty)
                  .emit);
  EXPECT_TRUE(fire({1, 1}, false, true, EventTime{12}, EventTime{12}, end, OnTime::fire_if_nonempty,
                   Closing::emit_always)
                  .info.last);
  EXPECT_FALSE(fire({1, 1}, false, true, EventTime{12}, EventTime{12}, end, OnTime::fire_always,
                    Closing::emit_if_nonempty)
                   .emit);
}

}  // namespace windrow
