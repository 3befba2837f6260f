// The demo's comparison: equal tables match, and each kind of difference is seen.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <functional>

#include "host/cli/demo.hpp"
#include "sinks/sqlite_database.hpp"

namespace windrow::cli {
namespace {

class DemoCompareTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::path(testing::TempDir()) / "demo_compare_test.db").string();
    for (char const* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(path_ + end);
    }
    truth_.views = {{{0, "/"}, 3}, {{0, "/a"}, 1}};
    truth_.top = {{0, {{"/", 3}, {"/a", 1}}}};
    truth_.sessions = {{{1000, "u1"}, {1'801'000, 1}}, {{2000, "u2"}, {1'803'000, 3}}};
    truth_.sessions_5m = {{1'800'000, {2, 4}}};
    SqliteDatabase database(path_, true, 1000);
    database.run("CREATE TABLE views_5m (window_start, url, views, deleted)");
    database.run("CREATE TABLE top_pages_5m (window_start, pages, deleted)");
    database.run("CREATE TABLE sessions (window_start, window_end, user_id, views, deleted)");
    database.run("CREATE TABLE sessions_5m (window_start, sessions, mean_views, deleted)");
    database.run("INSERT INTO views_5m VALUES (0, '/', 3, 0), (0, '/a', 1, 0)");
    database.run(R"(INSERT INTO top_pages_5m VALUES (0, '[{"rank":1,"url":"/","views":3},)"
                 R"({"rank":2,"url":"/a","views":1}]', 0))");
    database.run(
        "INSERT INTO sessions VALUES (1000000, 1801000000, 'u1', 1, 0), "
        "(2000000, 1803000000, 'u2', 3, 0), (2500000, NULL, 'u2', NULL, 1)");
    database.run("INSERT INTO sessions_5m VALUES (1800000000, 2, 2.0, 0)");
  }

  // Differences per table after `change`.
  std::vector<std::uint64_t> after(std::string const& change) {
    if (!change.empty()) {
      SqliteDatabase(path_, false, 1000).run(change);
    }
    std::vector<std::uint64_t> differences;
    for (Comparison const& table : compare_with_truth(path_, truth_)) {
      differences.push_back(table.differences);
      EXPECT_EQ(table.examples.size(), table.differences);
    }
    return differences;
  }

  std::string path_;
  pageviews::Tables truth_;
};

using Differences = std::vector<std::uint64_t>;

}  // namespace

TEST_F(DemoCompareTest, EqualTablesMatchAndWithdrawnRowsDoNotCount) {
  EXPECT_EQ(after(""), (Differences{0, 0, 0, 0}));
  EXPECT_EQ(compare_with_truth(path_, truth_)[2].withdrawn, 1U);
}
TEST_F(DemoCompareTest, AWrongCountIsSeen) {
  EXPECT_EQ(after("UPDATE views_5m SET views = 2 WHERE url = '/'"), (Differences{1, 0, 0, 0}));
}
TEST_F(DemoCompareTest, AMissingRowIsSeen) {
  EXPECT_EQ(after("DELETE FROM sessions WHERE user_id = 'u1'"), (Differences{0, 0, 1, 0}));
}
TEST_F(DemoCompareTest, ARowTooManyIsSeen) {
  EXPECT_EQ(after("UPDATE sessions SET deleted = 0, views = 1, window_end = 2 WHERE deleted"),
            (Differences{0, 0, 1, 0}));
}
TEST_F(DemoCompareTest, AWithdrawnRowThatIsTrueIsMissing) {
  EXPECT_EQ(after("UPDATE views_5m SET deleted = 1 WHERE url = '/a'"), (Differences{1, 0, 0, 0}));
}
TEST_F(DemoCompareTest, TwoPagesInTheWrongOrderAreTwoDifferences) {
  EXPECT_EQ(after(R"(UPDATE top_pages_5m SET pages = '[{"rank":1,"url":"/a","views":1},)"
                  R"({"rank":2,"url":"/","views":3}]')"),
            (Differences{0, 2, 0, 0}));
}
TEST_F(DemoCompareTest, AMeanOffByOneViewIsSeen) {
  EXPECT_EQ(after("UPDATE sessions_5m SET mean_views = 2.5"), (Differences{0, 0, 0, 1}));
}

}  // namespace windrow::cli
