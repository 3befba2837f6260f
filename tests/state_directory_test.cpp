// State directories: who may start in one, what a start finds, and who is fenced.
#include "host/engine/state_directory.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

GraphParts const graph{{"Views", {}, {{"topic", 1}}}, {"PerPage", {"Views"}, {{"trigger", 2}}}};

BatchPlan plan_of(std::int64_t batch_no) {
  BatchPlan plan;
  plan.batch_no = batch_no;
  plan.pane_version = batch_no * 1000;
  plan.processing_time = {batch_no * 10};
  plan.watermark_in = {T_MIN, Watermark{batch_no}};
  plan.ranges = {{{0, 5, 9, true, false, {}, "a/0"}, {1, 2, 2, false, true, T_MAX, {}}}, {}};
  plan.refuse_new_keys = batch_no % 2 == 0;
  return plan;
}
void publish(StateDirectory& state, std::int64_t batch_no, std::string const& value,
             bool drained = false) {
  state.publish(batch_no, batch_no * 1000, drained,
                [&value](StateWriter& out) { out.component("value").piece("v", 0, value); });
}
// One run that plans (from, to] and stops with a snapshot of `to`.
void run_once(std::filesystem::path const& directory, std::int64_t from, std::int64_t to,
              std::string const& value, bool drained = false) {
  StateDirectory state(directory, "app", graph);
  static_cast<void>(state.recover());
  for (std::int64_t n = from + 1; n <= to; ++n) {
    state.record(plan_of(n));
  }
  publish(state, to, value, drained);
}
std::string value_of(SnapshotFileReader& snapshot) {
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  EXPECT_TRUE(snapshot.component("value").next(name, shard, bytes));
  std::string const value(bytes);
  snapshot.finish();
  return value;
}
std::vector<std::int64_t> batches_of(Recovery const& recovery) {
  std::vector<std::int64_t> out;
  for (RecordedPlan const& plan : recovery.plans) {
    out.push_back(plan.plan.batch_no);
  }
  return out;
}
template <class Action>
void expect_refused(int exit_code, std::string const& words, Action const& action) {
  try {
    action();
    FAIL() << "not refused: " << words;
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), exit_code) << error.what();
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}
void expect_start_refused(std::filesystem::path const& directory, int exit_code,
                          std::string const& words, std::string const& application = "app",
                          GraphParts const& hash = graph) {
  expect_refused(exit_code, words, [&] {
    StateDirectory state(directory, application, hash);
    static_cast<void>(state.recover());
  });
}
std::string content_of(std::filesystem::path const& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}
void overwrite(std::filesystem::path const& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}
using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST(StateDirectoryTest, ACleanStopIsFoundByTheNextStart) {
  TemporaryDirectory top;
  std::filesystem::path const directory = top / "a/b";
  {
    StateDirectory state(directory, "app", graph);
    Recovery const nothing = state.recover();
    EXPECT_EQ(nothing.snapshot, nullptr);
    EXPECT_TRUE(nothing.plans.empty());
  }
  run_once(directory, 0, 7, "seven");
  {
    StateDirectory state(directory, "app", graph);
    Recovery const found = state.recover();
    ASSERT_NE(found.snapshot, nullptr);
    EXPECT_EQ(found.snapshot->head(), (SnapshotHead{graph, 7, 7000, false}));
    EXPECT_EQ(value_of(*found.snapshot), "seven");
    EXPECT_TRUE(found.plans.empty());
  }
  run_once(directory, 7, 7, "again");  // a run without a batch replaces its own snapshot
  EXPECT_EQ(numbers_in(directory / "snapshot"), Numbers{7});
  StateDirectory state(directory, "app", graph);
  EXPECT_EQ(value_of(*state.recover().snapshot), "again");
}

TEST(StateDirectoryTest, PlansAboveTheSnapshotComeBackAsTheyWereRecorded) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 2, "two");
  {
    StateDirectory state(top.path(), "app", graph);
    EXPECT_TRUE(state.recover().plans.empty());
    state.record(plan_of(3));
    state.record(plan_of(4));
  }
  StateDirectory state(top.path(), "app", graph);
  Recovery const found = state.recover();
  EXPECT_EQ(value_of(*found.snapshot), "two");
  ASSERT_EQ(batches_of(found), (Numbers{3, 4}));
  EXPECT_EQ(found.plans[0].plan, plan_of(3));
  EXPECT_EQ(found.plans[1].plan, plan_of(4));
  EXPECT_EQ(found.plans[1].graph_hash, graph_hash(graph));
  EXPECT_EQ(found.plans[1].epoch, 2U);
}

TEST(StateDirectoryTest, TwoSnapshotsAndThePlansAboveTheOlderOneAreKept) {
  TemporaryDirectory top;
  StateDirectory state(top.path(), "app", graph);
  static_cast<void>(state.recover());
  publish(state, 0, "begin");
  for (std::int64_t n = 1; n <= 9; ++n) {
    state.record(plan_of(n));
    if (n % 3 == 0) {
      publish(state, n, std::to_string(n));
    }
  }
  state.record(plan_of(10));
  EXPECT_EQ(numbers_in(top / "snapshot"), (Numbers{6, 9}));
  EXPECT_EQ(numbers_in(top / "plan"), (Numbers{7, 8, 9, 10}));
}

TEST(StateDirectoryTest, ADamagedSnapshotIsNamedAndTheOneBeforeItServes) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 2, "two");
  run_once(top.path(), 2, 5, "five");
  std::string const five = content_of(top / "snapshot/5");
  for (std::size_t i = 12; i < five.size(); ++i) {  // before that stand magic and format
    std::string damaged = five;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    overwrite(top / "snapshot/5", damaged);
    StateDirectory state(top.path(), "app", graph);
    Recovery const found = state.recover();
    ASSERT_EQ(found.damaged.size(), 1U);
    EXPECT_NE(found.damaged[0].find((top / "snapshot/5").string()), std::string::npos);
    EXPECT_EQ(value_of(*found.snapshot), "two");
    ASSERT_EQ(batches_of(found), (Numbers{3, 4, 5}));
  }
  overwrite(top / "snapshot/5", five.substr(0, five.size() - 1));
  {
    StateDirectory state(top.path(), "app", graph);
    static_cast<void>(state.recover());
    state.record(plan_of(6));
    publish(state, 6, "six");  // the damaged one does not count, and goes
  }
  EXPECT_EQ(numbers_in(top / "snapshot"), (Numbers{2, 6}));
  overwrite(top / "snapshot/2", "x");
  overwrite(top / "snapshot/6", "x");
  expect_start_refused(top.path(), 74, "no snapshot verifies");
}

TEST(StateDirectoryTest, WithoutAnySnapshotPlansFromTheFirstOnServe) {
  TemporaryDirectory top;
  {
    StateDirectory state(top.path(), "app", graph);
    static_cast<void>(state.recover());
    publish(state, 0, "begin");
    state.record(plan_of(1));
    state.record(plan_of(2));
  }
  overwrite(top / "snapshot/0", "x");
  StateDirectory state(top.path(), "app", graph);
  Recovery const found = state.recover();
  EXPECT_EQ(found.snapshot, nullptr);
  EXPECT_EQ(batches_of(found), (Numbers{1, 2}));
}

TEST(StateDirectoryTest, ASnapshotUnderAnotherNameIsDamage) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 3, "three");
  std::string const three = content_of(top / "snapshot/3");
  run_once(top.path(), 3, 4, "four");
  overwrite(top / "snapshot/4", three);
  StateDirectory state(top.path(), "app", graph);
  Recovery const found = state.recover();
  EXPECT_NE(found.damaged.at(0).find("another batch than its name"), std::string::npos);
  EXPECT_EQ(value_of(*found.snapshot), "three");
}

TEST(StateDirectoryTest, AMissingOrDamagedPlanIsRefusedByName) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 1, "one");
  {
    StateDirectory state(top.path(), "app", graph);
    static_cast<void>(state.recover());
    for (std::int64_t n = 2; n <= 4; ++n) {
      state.record(plan_of(n));
    }
  }
  std::string const three = content_of(top / "plan/3");
  for (std::size_t i = 0; i < three.size(); ++i) {
    std::string damaged = three;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    overwrite(top / "plan/3", damaged);
    expect_start_refused(top.path(), 74, (top / "plan/3").string());
    overwrite(top / "plan/3", three.substr(0, i));
    expect_start_refused(top.path(), 74, (top / "plan/3").string());
  }
  overwrite(top / "plan/3", content_of(top / "plan/4"));
  expect_start_refused(top.path(), 74, "another batch than its name");
  std::filesystem::remove(top / "plan/3");
  expect_start_refused(top.path(), 74, "missing=3 next=4");
}

TEST(StateDirectoryTest, AnotherProcessIsRefusedWhileOneHoldsItAndItsPlansAreFoundBehindIt) {
  TemporaryDirectory top;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  ::pid_t const child = ::fork();
  if (child == 0) {
    StateDirectory state(top.path(), "app", graph);
    static_cast<void>(state.recover());
    state.record(plan_of(1));
    char const c = 'x';
    if (::write(ready[1], &c, 1) == 1) {
      ::pause();
    }
    ::_exit(1);
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  expect_start_refused(top.path(), 75, "another one holds it");
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  StateDirectory state(top.path(), "app", graph);
  EXPECT_EQ(batches_of(state.recover()), Numbers{1});
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(StateDirectoryTest, WhatIsTakenOverEndsAtItsNextPlanOrSnapshot) {
  TemporaryDirectory top;
  StateDirectory old(top.path(), "app", graph);
  static_cast<void>(old.recover());
  old.record(plan_of(1));
  StateDirectory next(top.path(), "app", graph, true);
  EXPECT_EQ(batches_of(next.recover()), Numbers{1});
  expect_refused(76, "taken it over", [&] { old.record(plan_of(2)); });
  expect_refused(76, "taken it over", [&] { publish(old, 1, "late"); });
  next.record(plan_of(2));
  EXPECT_EQ(open_plan(top.path(), 2).epoch, 2U);
  EXPECT_TRUE(numbers_in(top / "snapshot").empty());
}

// 1.8: it looked at LOCK before it was taken over, and created its plan behind that.
TEST(StateDirectoryTest, AZombiesPlanThatCameFirstIsAdopted) {
  TemporaryDirectory top;
  StateDirectory state(top.path(), "app", graph);
  static_cast<void>(state.recover());
  state.record(plan_of(1));
  RecordedPlan zombie{graph_hash(graph), 0, "zombie", plan_of(2)};
  overwrite(top / "plan/2", plan_bytes(zombie));
  EXPECT_THROW(state.record(plan_of(2)), PlanTakenError);
  EXPECT_EQ(open_plan(top.path(), 2), zombie);
  zombie.epoch = 9;  // of a newer owner
  overwrite(top / "plan/2", plan_bytes(zombie));
  expect_refused(76, "taken it over", [&] { state.record(plan_of(2)); });
}

TEST(StateDirectoryTest, AnotherGraphOrApplicationIsRefusedWithBothNamed) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 1, "one");
  GraphParts other = graph;
  other[1].parts[0].hash = 7;
  expect_start_refused(top.path(), 78, "differs=PerPage: trigger", "app", other);
  std::swap(other[0], other[1]);
  other[0] = graph[1];
  expect_start_refused(top.path(), 78, "differs=the order of the transforms", "app", other);
  expect_start_refused(top.path(), 78, "has=app application_id=other", "other");
  {
    StateDirectory state(top.path(), "app", graph);
    static_cast<void>(state.recover());
    state.record(plan_of(2));
  }
  std::filesystem::remove(top / "snapshot/1");
  std::filesystem::rename(top / "plan/2", top / "plan/1");
  overwrite(top / "plan/1", plan_bytes({7, 1, "w", plan_of(1)}));
  expect_start_refused(top.path(), 78, "differs=plan 1");
}

TEST(StateDirectoryTest, ADrainedStateDoesNotResume) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 1, "one", true);
  expect_start_refused(top.path(), 78, "drained");
}

TEST(StateDirectoryTest, ADamagedLockIsRefusedAndAMissingOneTakesItsEpochFromThePlans) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 3, "three");
  std::string const lock = content_of(top / "LOCK");
  for (std::size_t i = 0; i < lock.size(); i += 3) {
    std::string damaged = lock;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    for (std::string const& content : {damaged, lock.substr(0, i)}) {
      overwrite(top / "LOCK", content);
      expect_start_refused(top.path(), 74, "LOCK is damaged");
    }
  }
  std::filesystem::remove(top / "LOCK");
  StateDirectory const state(top.path(), "app", graph);
  EXPECT_EQ(read_owner(top.path())->epoch, 2U);
}

TEST(StateDirectoryTest, ASnapshotThatFailsLeavesTheOldOne) {
  TemporaryDirectory top;
  run_once(top.path(), 0, 1, "one");
  {
    StateDirectory state(top.path(), "app", graph);
    static_cast<void>(state.recover());
    state.record(plan_of(2));
    EXPECT_THROW(state.publish(2, 2, false, [](StateWriter&) { throw std::runtime_error("disk"); }),
                 std::runtime_error);
  }
  overwrite(top / "snapshot/2.tmp.killed", "half");
  overwrite(top / "plan/3.tmp.killed", "half");
  StateDirectory state(top.path(), "app", graph);
  Recovery const found = state.recover();
  EXPECT_EQ(value_of(*found.snapshot), "one");
  EXPECT_EQ(batches_of(found), Numbers{2});
  EXPECT_FALSE(std::filesystem::exists(top / "snapshot/2.tmp.killed"));
  EXPECT_FALSE(std::filesystem::exists(top / "plan/3.tmp.killed"));
}

TEST(StateDirectoryTest, APathThatIsNoDirectoryIsRefused) {
  TemporaryDirectory top;
  overwrite(top / "file", "x");
  expect_start_refused(top / "file", 74, "cannot create the directory");
}

}  // namespace windrow
