// Guarded upserts into SQLite: what wins, what is set aside, what is refused (connectors.md 4.9).
#include "sinks/sqlite_sink.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <memory>
#include <thread>

#include "host/engine/snapshot.hpp"
#include "tests/sink_rows.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

using test::CountRow;
using test::SinkBatch;
using Outcomes = std::vector<Outcome>;

class SqliteSinkTest : public ::testing::Test {
 protected:
  SqliteSettings settings(bool create = true) {
    return {"counts", (scratch_ / "out.db").string(), "views 5m", create, 20};
  }
  std::unique_ptr<SqliteSink> opened(bool upsert = true) {
    auto sink = std::make_unique<SqliteSink>(settings(), test::counts_schema(upsert));
    sink->open();
    return sink;
  }
  // All rows as text, columns joined by '|', rows by ' '; NULL is '-'.
  std::string ask(std::string const& sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open((scratch_ / "out.db").string().c_str(), &db), SQLITE_OK);
    std::string out;
    char* error = nullptr;
    auto const row = [](void* to, int n, char** values, char**) {
      auto& text = *static_cast<std::string*>(to);
      text += text.empty() ? "" : " ";
      for (int i = 0; i < n; ++i) {
        text += (i == 0 ? "" : "|") + std::string(values[i] == nullptr ? "-" : values[i]);
      }
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), row, &out, &error), SQLITE_OK) << error;
    sqlite3_close(db);
    return out;
  }
  // The reason why a table made by `sql` is refused, or "" if it is taken.
  std::string refusal(std::string const& sql, bool upsert = true) {
    ask("DROP TABLE IF EXISTS \"views 5m\"; " + sql);
    SqliteSink sink(settings(false), test::counts_schema(upsert));
    try {
      sink.open();
    } catch (EnvironmentError const& error) {
      return error.what();
    }
    return "";
  }
  TemporaryDirectory scratch_;
};

TEST_F(SqliteSinkTest, ALowerVersionIsSupersededAnEqualOneReplaces) {
  auto const sink = opened();
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 10}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 2, 10}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\""), "2|10");
  EXPECT_EQ(SinkBatch(0, {{"0|a", "a", 7, 9}, {"0|b", "b", 8, 9}}).write_to(*sink),
            (Outcomes{Outcome::superseded, Outcome::ok}));
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\" ORDER BY id"), "2|10 8|9");
  EXPECT_EQ(SinkBatch(2, {{"0|a", "a", 3, 11}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\" ORDER BY id"), "3|11 8|9");
}

TEST_F(SqliteSinkTest, OfTwoRowsOfOneIdInABatchTheLaterWins) {
  auto const sink = opened();
  SinkBatch batch(1, {{"0|a", "a", 1, 10}, {"0|a", "a", 2, 10}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::ok, Outcome::ok}));
  EXPECT_EQ(ask("SELECT views FROM \"views 5m\""), "2");
}

TEST_F(SqliteSinkTest, NullEmptyAndOddTextKeysAreStoredRaw) {
  auto const sink = opened();
  std::string const nul("x\0y", 3);
  SinkBatch batch(1,
                  {{"0|%~", std::nullopt, 1}, {"0|", "", 2}, {"0|n", nul, 3}, {"0|'", "';--", 4}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes(4, Outcome::ok));
  EXPECT_EQ(ask("SELECT id, url IS NULL, hex(url), views FROM \"views 5m\" ORDER BY views"),
            "0|%~|1||1 0||0||2 0|n|0|780079|3 0|'|0|273B2D2D|4");
}

TEST_F(SqliteSinkTest, ValuesKeepTheirTypeAndDigits) {
  auto const sink = opened();
  std::string pages;
  ContainerEncoder list(Scalar::Kind::list, pages);
  list.add(Scalar::of_string("a\"b"));
  list.add(Scalar::null());
  list.close();
  SinkBatch batch(1, {{"a", "", INT64_MAX, 1, 0.1, pages, std::string("\0\xff", 2)},
                      {"b", "", INT64_MIN, 1, std::numeric_limits<double>::infinity()},
                      {"c", "", 0, 1, std::nan("")}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes(3, Outcome::ok));
  EXPECT_EQ(ask("SELECT id, window_start, views, mean, typeof(mean), pages, hex(raw), typeof(raw), "
                "typeof(deleted) FROM \"views 5m\" ORDER BY id"),
            "a|-300000000|9223372036854775807|0.1|real|[\"a\\\"b\",null]|00FF|blob|integer "
            "b|-300000000|-9223372036854775808|Inf|real|-||blob|integer "
            "c|-300000000|0|NaN|text|-||blob|integer");
  EXPECT_EQ(ask("SELECT name || ' ' || type FROM pragma_table_info('views 5m')"),
            "id TEXT window_start INTEGER url TEXT views INTEGER mean REAL pages TEXT raw BLOB "
            "pane_version INTEGER deleted INTEGER");
}

TEST_F(SqliteSinkTest, ABadRowIsSetAsideAndItsNeighboursAreStored) {
  ask("CREATE TABLE \"views 5m\" (id TEXT PRIMARY KEY, window_start, url TEXT NOT NULL, "
      "views INTEGER CHECK (views >= 0), mean, pages, raw, pane_version INTEGER, deleted)");
  auto const sink = opened();
  SinkBatch batch(3, {{"0|a", "a", 1},
                      {"0|b", "b", -1},
                      {"0|c", "c", 2},
                      {"0|d", std::nullopt, 3},
                      {"0|e", "e", 4}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::ok, Outcome::dead_letter, Outcome::ok,
                                             Outcome::dead_letter, Outcome::ok}));
  ASSERT_EQ(batch.faults.size(), 2U);
  EXPECT_EQ(batch.faults[0].row, 1U);
  EXPECT_NE(batch.faults[0].message.find("CHECK constraint failed: views >= 0"), std::string::npos)
      << batch.faults[0].message;
  EXPECT_EQ(batch.faults[1].row, 3U);
  EXPECT_NE(batch.faults[1].message.find("NOT NULL constraint failed"), std::string::npos);
  EXPECT_EQ(ask("SELECT id FROM \"views 5m\" ORDER BY id"), "0|a 0|c 0|e");
}

TEST_F(SqliteSinkTest, AConstraintThatRollsBackPausesTheWholeBatch) {
  ask("CREATE TABLE \"views 5m\" (id TEXT PRIMARY KEY, window_start, url TEXT NOT NULL ON CONFLICT "
      "ROLLBACK, views, mean, pages, raw, pane_version INTEGER, deleted)");
  auto const sink = opened();
  SinkBatch batch(3, {{"0|a", "a", 1}, {"0|b", std::nullopt, 1}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes(2, Outcome::pause));
  EXPECT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "0");
  EXPECT_EQ(SinkBatch(3, {{"0|a", "a", 1}}).write_to(*sink), Outcomes{Outcome::ok});
}

TEST_F(SqliteSinkTest, ARowNobodyVersionedGivesWay) {
  ask("CREATE TABLE \"views 5m\" (id TEXT PRIMARY KEY, window_start, url, views, mean, pages, raw, "
      "pane_version INTEGER, deleted); INSERT INTO \"views 5m\" (id, views) VALUES ('0|a', 99)");
  auto const sink = opened();
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 5}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\""), "1|5");
}

TEST_F(SqliteSinkTest, AppendingKeepsEveryRow) {
  auto const sink = opened(false);
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 10}, {std::nullopt, "a", 2, 9}}).write_to(*sink),
            Outcomes(2, Outcome::ok));
  EXPECT_EQ(SinkBatch(2, {{"0|a", "a", 3, 9}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views FROM \"views 5m\" ORDER BY views"), "1 2 3");
}

TEST_F(SqliteSinkTest, ProgressSharesTheTransaction) {
  auto const sink = opened();
  SinkBatch first(7, {{"0|a", "a", 1, 10}});
  first.view().watermark = Watermark{-5};
  first.write_to(*sink);
  EXPECT_EQ(ask("SELECT * FROM _windrow_progress"), "counts|7|-5|10");
  SinkBatch(6, {{"0|a", "a", 1, 9}}).write_to(*sink);  // a late retry takes nothing back
  EXPECT_EQ(ask("SELECT * FROM _windrow_progress"), "counts|7|-5|10");
  ask("CREATE TRIGGER stop BEFORE INSERT ON _windrow_progress BEGIN SELECT RAISE(ABORT, 'no'); "
      "END");
  SinkBatch stopped(8, {{"0|b", "b", 1, 11}});
  EXPECT_EQ(stopped.write_to(*sink), Outcomes{Outcome::pause});
  ASSERT_EQ(stopped.faults.size(), 1U);
  EXPECT_NE(stopped.faults[0].message.find(": no"), std::string::npos) << stopped.faults[0].message;
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "1");
}

TEST_F(SqliteSinkTest, ALockedFileMeansRetryAndHasNoEffect) {
  auto const sink = opened();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((scratch_ / "out.db").string().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  SinkBatch batch(1, {{"0|a", "a", 1}, {"0|b", "b", 1}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes(2, Outcome::retry));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_NE(batch.faults[0].message.find("database is locked"), std::string::npos);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(batch.write_to(*sink), Outcomes(2, Outcome::ok));
  EXPECT_TRUE(batch.faults.empty());
}

TEST_F(SqliteSinkTest, AFullDiskPausesAndTheBatchGoesInLater) {
  auto const sink = opened();
  ask("PRAGMA wal_checkpoint(TRUNCATE)");
  std::vector<CountRow> rows;
  for (int i = 0; i < 5000; ++i) {
    rows.push_back({"0|" + std::to_string(i), std::string(200, 'u'), i});
  }
  SinkBatch batch(1, rows);
  rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  auto const old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit const small{100'000, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Outcomes const outcomes = batch.write_to(*sink);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(outcomes, Outcomes(rows.size(), Outcome::pause));
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "0");
  EXPECT_EQ(batch.write_to(*sink), Outcomes(rows.size(), Outcome::ok));
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "5000");
}

TEST_F(SqliteSinkTest, ATableDroppedWhileRunningPauses) {
  auto const sink = opened();
  ask("ALTER TABLE \"views 5m\" RENAME TO aside");
  SinkBatch batch(1, {{"0|a", "a", 1}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});
  ask("ALTER TABLE aside RENAME TO \"views 5m\"");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
}

TEST_F(SqliteSinkTest, ATableThatCannotTakeTheRowsIsRefusedByName) {
  SqliteSink nowhere(settings(false), test::counts_schema(true));
  EXPECT_THROW(nowhere.open(), EnvironmentError);  // no file, and none is made
  EXPECT_FALSE(std::filesystem::exists((scratch_ / "out.db").string()));

  std::string const rest = ", window_start, url, mean, pages, raw, deleted";
  auto const contains = [](std::string const& text, char const* part) {
    return text.find(part) != std::string::npos ? "" : text + " lacks " + part;
  };
  EXPECT_EQ(contains(refusal(""), "the table must exist"), "");
  EXPECT_EQ(contains(refusal("CREATE TABLE \"views 5m\" (id TEXT PRIMARY KEY" + rest + ")"),
                     "missing: views, pane_version"),
            "");
  EXPECT_EQ(
      contains(refusal("CREATE TABLE \"views 5m\" (id TEXT, pane_version INT, views" + rest + ")"),
               "'id' must be the primary key or unique"),
      "");
  EXPECT_EQ(contains(refusal("CREATE TABLE \"views 5m\" (id TEXT, pane_version INT, views" + rest +
                             ", PRIMARY KEY (id, url))"),
                     "'id' must be the primary key or unique"),
            "");
  EXPECT_EQ(contains(refusal("CREATE TABLE \"views 5m\" (id TEXT COLLATE NOCASE UNIQUE, "
                             "pane_version INT, views" +
                             rest + ")"),
                     "'id' must be the primary key or unique"),
            "");
  EXPECT_EQ(contains(refusal("CREATE TABLE \"views 5m\" (id INTEGER PRIMARY KEY, pane_version INT, "
                             "views" +
                             rest + ")"),
                     "'id' must hold text, not INTEGER"),
            "");
  EXPECT_EQ(contains(refusal("CREATE TABLE \"views 5m\" (id TEXT PRIMARY KEY, pane_version TEXT, "
                             "views" +
                             rest + ")"),
                     "'pane_version' must hold integers"),
            "");
  EXPECT_EQ(contains(refusal("CREATE TABLE \"views 5m\" (id TEXT PRIMARY KEY, pane_version INT, "
                             "views, owner TEXT NOT NULL" +
                             rest + ")"),
                     "nullable or have a default: owner"),
            "");
  EXPECT_EQ(refusal("CREATE TABLE \"views 5m\" (ID TEXT UNIQUE, n INTEGER PRIMARY KEY, "
                    "Pane_Version BIGINT, views, owner TEXT NOT NULL DEFAULT 'x'" +
                    rest + ")"),
            "");
  EXPECT_EQ(
      refusal("CREATE TABLE \"views 5m\" (id TEXT, pane_version INT, views" + rest + ")", false),
      "");
}

TEST_F(SqliteSinkTest, SinksOfOneFileOpenAndWriteSideBySide) {
  auto const run = [&](std::string const& table) {
    SqliteSettings mine = settings();
    mine.table = table;
    mine.name = table;
    mine.busy_ms = 10'000;
    SqliteSink sink(mine, test::counts_schema(true));
    sink.open();
    for (int i = 0; i < 50; ++i) {
      SinkBatch batch(i, {{"0|a", "a", i, i}});
      EXPECT_EQ(batch.write_to(sink), Outcomes{Outcome::ok});
    }
  };
  { std::jthread const a(run, "a"), b(run, "b"), c(run, "c"); }
  EXPECT_EQ(ask("SELECT sink, acked_batch FROM _windrow_progress ORDER BY 1"), "a|49 b|49 c|49");
}

}  // namespace
}  // namespace windrow
