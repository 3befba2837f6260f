// State directories: who may start in one, and what a clean stop leaves.
#include "host/engine/state_directory.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

constexpr std::uint64_t graph = 0xabc;

// One run that stops cleanly after `batch_no`, with `value` as its state.
void run_once(std::filesystem::path const& directory, std::int64_t batch_no,
              std::string const& value, bool drained = false) {
  StateDirectory state(directory, "app", graph);
  state.begin();
  state.end(batch_no, batch_no * 1000, drained,
            [&value](StateWriter& out) { out.component("value").piece("v", 0, value); });
}
std::string value_of(SnapshotFileReader& snapshot) {
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  EXPECT_TRUE(snapshot.component("value").next(name, shard, bytes));
  std::string const value(bytes);
  snapshot.finish();
  return value;
}
void expect_refused(std::filesystem::path const& directory, int exit_code, std::string const& words,
                    std::string const& application = "app", std::uint64_t hash = graph) {
  try {
    StateDirectory const state(directory, application, hash);
    FAIL() << "started";
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), exit_code) << error.what();
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(directory.string()), std::string::npos)
        << error.what();
  }
}
std::string content_of(std::filesystem::path const& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}
std::size_t files_in(std::filesystem::path const& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), {}));
}

}  // namespace

TEST(StateDirectoryTest, ACleanStopIsFoundByTheNextStart) {
  TemporaryDirectory top;
  std::filesystem::path const directory = top / "a/b";
  EXPECT_EQ(StateDirectory(directory, "app", graph).open_snapshot(), nullptr);
  run_once(directory, 7, "seven");
  {
    StateDirectory const state(directory, "app", graph);
    auto const snapshot = state.open_snapshot();
    ASSERT_NE(snapshot, nullptr);
    EXPECT_EQ(snapshot->head(), (SnapshotHead{graph, 7, 7000, false}));
    EXPECT_EQ(value_of(*snapshot), "seven");
  }
  run_once(directory, 9, "nine");
  EXPECT_EQ(value_of(*StateDirectory(directory, "app", graph).open_snapshot()), "nine");
  EXPECT_EQ(files_in(directory / "snapshot"), 1U);
  // A run without a batch replaces its own snapshot.
  run_once(directory, 9, "again");
  EXPECT_EQ(value_of(*StateDirectory(directory, "app", graph).open_snapshot()), "again");
}

TEST(StateDirectoryTest, AnotherProcessIsRefusedWhileOneHoldsIt) {
  TemporaryDirectory top;
  ::pid_t child = 0;
  int ready[2], leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  child = ::fork();
  if (child == 0) {
    StateDirectory state(top.path(), "app", graph);
    state.begin();
    char c = 'x';
    if (::write(ready[1], &c, 1) != 1) {
      ::_exit(1);
    }
    ::close(leave[1]);
    if (::read(leave[0], &c, 1) != 0) {
      ::_exit(1);
    }
    ::_exit(0);  // a crash: the mark stays
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  expect_refused(top.path(), 75, "another one holds it");
  ::close(leave[0]);
  ::close(leave[1]);
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_refused(top.path(), 74, "the last run crashed");
  expect_refused(top.path(), 74, "empty directory at start_from");
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(StateDirectoryTest, AStartThatNeverBeganMayBeRepeated) {
  TemporaryDirectory top;
  { StateDirectory const state(top.path(), "app", graph); }
  run_once(top.path(), 1, "one");
  { StateDirectory const state(top.path(), "app", graph); }
  EXPECT_EQ(value_of(*StateDirectory(top.path(), "app", graph).open_snapshot()), "one");
}

TEST(StateDirectoryTest, AStopThatFailsIsACrashAndKeepsTheOldSnapshot) {
  TemporaryDirectory top;
  run_once(top.path(), 1, "one");
  {
    StateDirectory state(top.path(), "app", graph);
    state.begin();
    EXPECT_THROW(state.end(2, 2, false, [](StateWriter&) { throw std::runtime_error("disk"); }),
                 std::runtime_error);
  }
  EXPECT_EQ(files_in(top / "snapshot"), 1U);
  expect_refused(top.path(), 74, "crashed");
}

TEST(StateDirectoryTest, AnotherGraphOrApplicationIsRefusedWithBothNamed) {
  TemporaryDirectory top;
  run_once(top.path(), 1, "one");
  expect_refused(top.path(), 78, "snapshot=0000000000000abc file=0000000000000def", "app", 0xdef);
  expect_refused(top.path(), 78, "has=app application_id=other", "other");
}

TEST(StateDirectoryTest, ADrainedStateDoesNotResume) {
  TemporaryDirectory top;
  run_once(top.path(), 1, "one", true);
  expect_refused(top.path(), 78, "drained");
}

TEST(StateDirectoryTest, DamageIsRefused) {
  TemporaryDirectory top;
  run_once(top.path(), 3, "three");
  std::string const lock = content_of(top / "LOCK");
  for (std::size_t i = 0; i < lock.size(); i += 3) {
    std::string damaged = lock;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    for (std::string const& content : {damaged, lock.substr(0, i)}) {
      std::filesystem::remove(top / "LOCK");
      std::ofstream(top / "LOCK", std::ios::binary) << content;
      expect_refused(top.path(), 74, "LOCK is damaged");
    }
  }
  std::ofstream(top / "LOCK", std::ios::binary) << lock;
  std::string const snapshot = content_of(top / "snapshot/3");
  std::ofstream(top / "snapshot/3", std::ios::binary) << snapshot.substr(0, snapshot.size() - 1);
  expect_refused(top.path(), 74, "cut short");
  std::filesystem::rename(top / "snapshot/3", top / "snapshot/4");
  expect_refused(top.path(), 74, "No such file");
  std::filesystem::remove(top / "LOCK");
  expect_refused(top.path(), 74, "snapshots without LOCK");
}

TEST(StateDirectoryTest, ASnapshotUnderAnotherNameIsRefused) {
  TemporaryDirectory top;
  run_once(top.path(), 3, "three");
  std::string const three = content_of(top / "snapshot/3");
  run_once(top.path(), 4, "four");
  std::ofstream(top / "snapshot/4", std::ios::binary) << three;
  expect_refused(top.path(), 74, "another batch than its name");
}

TEST(StateDirectoryTest, APathThatIsNoDirectoryIsRefused) {
  TemporaryDirectory top;
  std::ofstream(top / "file") << "x";
  expect_refused(top / "file", 74, "cannot create the directory");
}

}  // namespace windrow
