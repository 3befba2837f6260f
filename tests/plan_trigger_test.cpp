// Triggers before they run: compiled form, continuation, which of them finish (semantics.md 9.1,
// 10).
#include <gtest/gtest.h>

#include "host/plan/windowing.hpp"

namespace windrow {
namespace {

Trigger leaf(TriggerOp op) { return Trigger{op}; }
Trigger count(std::uint32_t n) { return Trigger{TriggerOp::element_count, n}; }
Trigger pt(std::int64_t seconds) {
  return Trigger{.op = TriggerOp::after_processing_time,
                 .transforms = {{seconds * 1'000'000, 0, 0}}};
}
Trigger of(TriggerOp op, std::vector<Trigger> children) {
  return Trigger{.op = op, .children = std::move(children)};
}
Trigger eow_early(Trigger early) {
  return Trigger{
      .op = TriggerOp::after_end_of_window, .children = {std::move(early)}, .has_early = true};
}
Trigger eow_late(Trigger late) {
  return Trigger{
      .op = TriggerOp::after_end_of_window, .children = {std::move(late)}, .has_late = true};
}
Trigger eow(Trigger early, Trigger late) {
  return Trigger{.op = TriggerOp::after_end_of_window,
                 .children = {std::move(early), std::move(late)},
                 .has_early = true,
                 .has_late = true};
}

}  // namespace

TEST(PlanTriggerTest, NodesStandInPostOrderWithTheirChildrenAsBits) {
  TriggerProgram const program =
      compile(eow(pt(60), of(TriggerOp::after_any, {count(3), pt(5)})), true);
  ASSERT_EQ(program.nodes, 5);
  EXPECT_TRUE(program.merging);
  EXPECT_EQ(program.counters, 1);
  EXPECT_EQ(program.deadlines, 2);
  EXPECT_EQ(program.node[0].op, TriggerOp::after_processing_time);
  EXPECT_EQ(program.node[0].slot, 0);
  EXPECT_EQ(program.node[0].transform_end, 1);
  EXPECT_EQ(program.node[1].count, 3U);
  EXPECT_EQ(program.node[2].slot, 1);
  EXPECT_EQ(program.node[2].transform_begin, 1);
  EXPECT_EQ(program.transform[1].delay_us, 5'000'000);
  EXPECT_EQ(program.node[3].op, TriggerOp::after_any);
  EXPECT_EQ(program.node[3].size, 3);
  EXPECT_EQ(program.node[3].children, 0b110U);
  EXPECT_EQ(program.node[4].size, 5);
  EXPECT_EQ(program.node[4].children, 0b1001U);
  EXPECT_TRUE(program.node[4].parts && program.node[4].late);
}

TEST(PlanTriggerTest, AMissingEarlyPartIsNeverWhenALatePartIsGiven) {
  EXPECT_EQ(node_count(eow_late(count(1))), 3U);
  TriggerProgram const late = compile(eow_late(count(1)), false);
  ASSERT_EQ(late.nodes, 3);
  EXPECT_EQ(late.node[0].op, TriggerOp::never);
  EXPECT_EQ(late.node[2].children, 0b11U);
  TriggerProgram const early = compile(eow_early(count(1)), false);
  ASSERT_EQ(early.nodes, 2);
  EXPECT_TRUE(early.node[1].parts);
  EXPECT_FALSE(early.node[1].late);
  TriggerProgram const bare = compile(leaf(TriggerOp::after_end_of_window), false);
  EXPECT_FALSE(bare.node[0].parts);
}

TEST(PlanTriggerTest, AsManyNodesAsTheLimitCompile) {
  std::vector<Trigger> many;
  for (std::uint32_t i = 0; i < 31; ++i) {
    many.push_back(count(i + 1));
  }
  Trigger const all = of(TriggerOp::after_all, many);
  ASSERT_EQ(node_count(all), trigger_nodes_max);
  TriggerProgram const program = compile(all, false);
  EXPECT_EQ(program.nodes, 32);
  EXPECT_EQ(program.node[31].children, 0x7FFFFFFFU);
  EXPECT_EQ(program.node[30].slot, 30);
}

TEST(PlanTriggerTest, ContinuationIsRule63) {
  for (TriggerOp const op :
       {TriggerOp::default_, TriggerOp::never, TriggerOp::always, TriggerOp::after_end_of_window,
        TriggerOp::after_synchronized_processing_time}) {
    EXPECT_EQ(continuation(leaf(op)), leaf(op));
  }
  EXPECT_EQ(continuation(count(7)), count(1));
  Trigger const spt = leaf(TriggerOp::after_synchronized_processing_time);
  EXPECT_EQ(continuation(pt(60)), spt);
  EXPECT_EQ(continuation(eow(pt(60), count(5))), eow(spt, count(1)));
  EXPECT_EQ(continuation(eow_late(count(5))), eow_late(count(1)));
  EXPECT_EQ(continuation(of(TriggerOp::after_all, {pt(1), count(2)})),
            of(TriggerOp::after_all, {spt, count(1)}));
  EXPECT_EQ(continuation(of(TriggerOp::after_each, {pt(1), count(2)})),
            of(TriggerOp::repeat, {of(TriggerOp::after_any, {spt, count(1)})}));
  EXPECT_EQ(continuation(of(TriggerOp::or_finally, {pt(1), count(2)})),
            of(TriggerOp::repeat, {of(TriggerOp::or_finally, {spt, count(1)})}));
  EXPECT_EQ(continuation(of(TriggerOp::repeat, {count(2)})), of(TriggerOp::repeat, {count(1)}));
}

TEST(PlanTriggerTest, MayFinishIsRule64) {
  Trigger const rep = of(TriggerOp::repeat, {count(2)});
  EXPECT_FALSE(may_finish(leaf(TriggerOp::default_)));
  EXPECT_FALSE(may_finish(leaf(TriggerOp::never)));
  EXPECT_FALSE(may_finish(leaf(TriggerOp::always)));
  EXPECT_FALSE(may_finish(rep));
  EXPECT_TRUE(may_finish(count(2)));
  EXPECT_TRUE(may_finish(pt(1)));
  EXPECT_TRUE(may_finish(leaf(TriggerOp::after_synchronized_processing_time)));
  EXPECT_TRUE(may_finish(of(TriggerOp::after_all, {rep, rep})));
  EXPECT_TRUE(may_finish(of(TriggerOp::after_any, {rep, rep})));
  EXPECT_TRUE(may_finish(leaf(TriggerOp::after_end_of_window)));
  EXPECT_TRUE(may_finish(eow_early(count(1))));
  EXPECT_FALSE(may_finish(eow_late(count(1))));
  EXPECT_TRUE(may_finish(of(TriggerOp::after_each, {count(1), count(2)})));
  EXPECT_FALSE(may_finish(of(TriggerOp::after_each, {count(1), rep})));
  EXPECT_TRUE(may_finish(of(TriggerOp::or_finally, {rep, count(2)})));
  EXPECT_FALSE(may_finish(of(TriggerOp::or_finally, {rep, rep})));
}

TEST(PlanTriggerTest, AnEndOfWindowTriggerIsSafeOnlyWithoutLateness) {
  EXPECT_TRUE(is_safe(eow_early(count(1)), Duration{0}));
  EXPECT_FALSE(is_safe(eow_early(count(1)), Duration{1}));
  EXPECT_TRUE(is_safe(leaf(TriggerOp::after_end_of_window), Duration{0}));
  EXPECT_FALSE(is_safe(leaf(TriggerOp::after_end_of_window), Duration{1}));
  EXPECT_FALSE(is_safe(count(2), Duration{0}));
  EXPECT_TRUE(is_safe(eow(pt(1), count(1)), Duration{5}));
}

TEST(PlanTriggerTest, ManyPanesIsRule67) {
  Windowing windowing;
  windowing.windows = {.kind = WindowKind::fixed, .size_us = 10, .period_us = 10};
  EXPECT_FALSE(many_panes(windowing));
  windowing.lateness = Duration{1};
  EXPECT_TRUE(many_panes(windowing));
  windowing.windows = {};
  EXPECT_FALSE(many_panes(windowing));
  windowing.trigger = count(1);
  EXPECT_TRUE(many_panes(windowing));
}

}  // namespace windrow
