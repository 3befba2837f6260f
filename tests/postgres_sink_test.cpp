// Guarded upserts into PostgreSQL: what wins, what a value becomes, what is refused at the start
// (connectors.md 4.7).
#include "sinks/postgres_sink.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <thread>

#include "host/engine/snapshot.hpp"
#include "tests/postgres_fixture.hpp"

namespace windrow {
namespace {

using test::CountRow;
using test::SinkBatch;
using Outcomes = std::vector<Outcome>;

class PostgresSinkTest : public test::PostgresTest {
 protected:
  // The reason why a table made by `sql` is refused, or "" if it is taken.
  static std::string refusal(std::string const& sql, bool upsert = true) {
    ask("DROP TABLE IF EXISTS \"views 5m\"; " + sql);
    try {
      opened(settings(false), upsert);
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), 69);
      return error.what();
    }
    return "";
  }
};

TEST_F(PostgresSinkTest, ALowerVersionIsSupersededAnEqualOneReplaces) {
  auto const sink = opened();
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 10}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 2, 10}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\""), "2|10");
  EXPECT_EQ(
      SinkBatch(0, {{"0|b", "b", 8, 9}, {"0|a", "a", 7, 9}, {"0|c", "c", 8, 9}}).write_to(*sink),
      (Outcomes{Outcome::ok, Outcome::superseded, Outcome::ok}));
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\" ORDER BY id"), "2|10 8|9 8|9");
  EXPECT_EQ(SinkBatch(2, {{"0|a", "a", 3, 11}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\" ORDER BY id"), "3|11 8|9 8|9");
  // All of a batch that is late.
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 0, 8}, {"0|b", "b", 0, 8}}).write_to(*sink),
            Outcomes(2, Outcome::superseded));
}

TEST_F(PostgresSinkTest, ATombstoneReplacesAndIsReplaced) {
  auto const sink = opened();
  SinkBatch(1, {{"0|a", "a", 1, 10}}).write_to(*sink);
  CountRow gone{"0|a", "a", std::nullopt, 11};
  gone.deleted = true;
  EXPECT_EQ(SinkBatch(2, {gone}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, deleted FROM \"views 5m\""), "-|t");
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 10}}).write_to(*sink), Outcomes{Outcome::superseded});
  EXPECT_EQ(SinkBatch(3, {{"0|a", "a", 5, 12}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, deleted FROM \"views 5m\""), "5|f");
}

TEST_F(PostgresSinkTest, NullEmptyAndOddTextKeysAreStoredRaw) {
  auto const sink = opened();
  SinkBatch batch(1, {{"0|%~", std::nullopt, 1},
                      {"0|", "", 2},
                      {"0|n", "x\ny\\\"{,}", 3},
                      {"0|'", "';--", 4},
                      {"0|u", "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x99\x82", 5}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes(5, Outcome::ok));
  EXPECT_EQ(ask("SELECT id, url IS NULL, encode(convert_to(url, 'UTF8'), 'hex'), views "
                "FROM \"views 5m\" ORDER BY views"),
            "0|%~|t|-|1 0||f||2 0|n|f|780a795c227b2c7d|3 0|'|f|273b2d2d|4 "
            "0|u|f|c3a9e6bca2f09f9982|5");
}

TEST_F(PostgresSinkTest, ValuesKeepTheirTypeAndDigits) {
  auto const sink = opened();
  std::string pages;
  ContainerEncoder list(Scalar::Kind::list, pages);
  list.add(Scalar::of_string("a\"b"));
  list.add(Scalar::null());
  list.add(Scalar::of(INT64_MIN));
  list.add(Scalar::of(std::nan("")));
  list.close();
  SinkBatch batch(1, {{"a", "", INT64_MAX, 1, 0.1, pages, std::string("\0\xff", 2)},
                      {"b", "", INT64_MIN, 1, std::numeric_limits<double>::infinity()},
                      {"c", "", 0, 1, std::nan("")},
                      {"d", "", 0, 1, -0.0},
                      {"e"}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes(5, Outcome::ok));
  EXPECT_EQ(ask("SELECT id, window_start, views, mean, pages, raw, deleted FROM \"views 5m\" "
                "ORDER BY id"),
            "a|-300000000|9223372036854775807|0.1|[\"a\\\"b\", null, -9223372036854775808, "
            "\"NaN\"]|\\x00ff|f "
            "b|-300000000|-9223372036854775808|Infinity|-|\\x|f "
            "c|-300000000|0|NaN|-|\\x|f "
            "d|-300000000|0|-0|-|\\x|f "
            "e|-300000000|-|-|-|\\x|f");
  EXPECT_EQ(ask("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid "
                "= '\"views 5m\"'::regclass AND attnum > 0 ORDER BY attnum"),
            "id|text window_start|bigint url|text views|bigint mean|double precision pages|jsonb "
            "raw|bytea pane_version|bigint deleted|boolean");
}

TEST_F(PostgresSinkTest, ATableOfOnesOwnMayHaveOtherTypes) {
  ask("CREATE DOMAIN document AS json; CREATE TABLE \"views 5m\" (raw bytea, id varchar(9) UNIQUE, "
      "window_start timestamptz, url varchar(3), views smallint, mean numeric, pages document, "
      "pane_version numeric, deleted boolean, written timestamptz NOT NULL DEFAULT now(), "
      "n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)");
  auto const sink = opened(settings(false));
  std::string pages;
  ContainerEncoder list(Scalar::Kind::list, pages);
  list.add(Scalar::of_string("a"));
  list.close();
  EXPECT_EQ(SinkBatch(1, {{"a", "abc", 7, 1, 0.5, pages, "x"}}).write_to(*sink),
            Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT id, extract(epoch FROM window_start), url, views, mean, pages FROM "
                "\"views 5m\""),
            "a|-300.000000|abc|7|0.5|[\"a\"]");
  for (CountRow const& beyond :
       {CountRow{"b", "abcd"}, CountRow{"c", "", 40'000}, CountRow{"too long an id"}}) {
    SinkBatch batch(1, {beyond});
    EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::dead_letter});
  }
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "1");
}

TEST_F(PostgresSinkTest, TheGlobalWindowIsInfiniteInATimestamp) {
  ask("CREATE TABLE t (start timestamptz, finish timestamptz, early timestamptz)");
  SinkSchema schema;
  schema.columns.fields = {test::field("start", ValueType::integer),
                           test::field("finish", ValueType::integer),
                           test::field("early", ValueType::integer)};
  schema.times = {0, 1, 2};
  PostgresSettings mine = settings(false);
  mine.table = "t";
  PostgresSink sink(mine, schema);
  sink.open();
  Column start, finish, early;
  start.append(T_MIN.us);
  finish.append(T_END.us);
  early.append(std::int64_t{-1});
  std::vector<ColumnView> const columns{start.view(), finish.view(), early.view()};
  Outcomes out(1);
  std::vector<SinkFault> faults;
  sink.write({1, 1, 1, columns}, out, faults);
  EXPECT_EQ(out, Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT start, finish, early AT TIME ZONE 'UTC' FROM t"),
            "-infinity|infinity|1969-12-31 23:59:59.999999");
}

TEST_F(PostgresSinkTest, ARowNobodyVersionedGivesWay) {
  ask("CREATE TABLE \"views 5m\" (id text PRIMARY KEY, window_start bigint, url text, views "
      "bigint, "
      "mean float8, pages jsonb, raw bytea, pane_version bigint, deleted boolean); "
      "INSERT INTO \"views 5m\" (id, views) VALUES ('0|a', 99)");
  auto const sink = opened();
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 5}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views, pane_version FROM \"views 5m\""), "1|5");
}

TEST_F(PostgresSinkTest, AppendingKeepsEveryRow) {
  auto const sink = opened(false);
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1, 10}, {std::nullopt, "a", 2, 9}}).write_to(*sink),
            Outcomes(2, Outcome::ok));
  EXPECT_EQ(SinkBatch(2, {{"0|a", "a", 3, 9}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views FROM \"views 5m\" ORDER BY views"), "1 2 3");
}

TEST_F(PostgresSinkTest, ProgressSharesTheTransaction) {
  auto const sink = opened();
  SinkBatch first(7, {{"0|a", "a", 1, 10}});
  first.view().watermark = Watermark{-5};
  first.write_to(*sink);
  EXPECT_EQ(ask("SELECT * FROM _windrow_progress"), "counts|7|-5|10");
  SinkBatch(6, {{"0|a", "a", 1, 9}}).write_to(*sink);  // a late retry takes nothing back
  EXPECT_EQ(ask("SELECT * FROM _windrow_progress"), "counts|7|-5|10");
  SinkBatch part(8, {{"0|a", "a", 2, 11}});
  part.view().is_last = false;
  part.write_to(*sink);
  EXPECT_EQ(ask("SELECT * FROM _windrow_progress"), "counts|7|-5|10");
  ask("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; "
      "CREATE TRIGGER stop BEFORE INSERT ON _windrow_progress FOR EACH ROW EXECUTE FUNCTION "
      "stop()");
  SinkBatch stopped(9, {{"0|b", "b", 1, 12}});
  EXPECT_EQ(stopped.write_to(*sink), Outcomes{Outcome::pause});  // no row is to blame
  ASSERT_EQ(stopped.faults.size(), 1U);
  EXPECT_NE(stopped.faults[0].message.find(": no (SQLSTATE P0001)"), std::string::npos)
      << stopped.faults[0].message;
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "1");
  ask("DROP TABLE _windrow_progress");  // made anew, unlike the table of rows
  EXPECT_EQ(stopped.write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT * FROM _windrow_progress"), "counts|9|-|12");
  EXPECT_EQ(opened()->last_version(), 12);
  PostgresSettings other = settings();
  other.name = "other";
  EXPECT_EQ(opened(other)->last_version(), std::nullopt);
}

TEST_F(PostgresSinkTest, ABatchIsOneStatement) {
  auto const sink = opened();
  std::vector<CountRow> rows;
  for (int i = 0; i < 5000; ++i) {
    rows.push_back({"0|" + std::to_string(i), "u", i});
  }
  ask("SELECT stats.pg_stat_statements_reset()");
  for (std::int64_t batch = 1; batch <= 3; ++batch) {
    EXPECT_EQ(SinkBatch(batch, rows).write_to(*sink), Outcomes(rows.size(), Outcome::ok));
  }
  EXPECT_EQ(ask("SELECT calls, rows FROM stats.pg_stat_statements WHERE query LIKE "
                "'INSERT INTO \"views 5m\"%'"),
            "3|15000");
  // And nothing else but the transaction and the progress.
  EXPECT_EQ(ask("SELECT sum(calls) FROM stats.pg_stat_statements WHERE query NOT LIKE "
                "'%pg_stat_statements%'"),
            "12");
}

TEST_F(PostgresSinkTest, NamesAreQuotedAndASchemaMayStandBefore) {
  ask("DROP SCHEMA IF EXISTS \"We\"\"b\" CASCADE; CREATE SCHEMA \"We\"\"b\"");
  PostgresSettings mine = settings();
  mine.table = "We\"b.Views\"; DROP TABLE x";
  auto const sink = opened(mine);
  EXPECT_EQ(SinkBatch(1, {{"0|a", "a", 1}}).write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT views FROM \"We\"\"b\".\"Views\"\"; DROP TABLE x\""), "1");
  EXPECT_EQ(ask("SELECT acked_batch FROM \"We\"\"b\"._windrow_progress"), "1");
  ask("DROP SCHEMA \"We\"\"b\" CASCADE");
}

TEST_F(PostgresSinkTest, ATableThatCannotTakeTheRowsIsRefusedByName) {
  std::string const rest =
      ", window_start bigint, url text, mean float8, pages jsonb, raw bytea, deleted boolean";
  std::string const table = "CREATE TABLE \"views 5m\" (";
  auto const contains = [](std::string const& text, char const* part) {
    return text.find(part) != std::string::npos ? "" : text + " lacks " + part;
  };
  EXPECT_EQ(contains(refusal(""), "the table must exist"), "");
  EXPECT_EQ(contains(refusal(""), "table=views 5m"), "");
  EXPECT_EQ(
      contains(refusal(table + "id text PRIMARY KEY" + rest + ")"), "missing: views, pane_version"),
      "");
  EXPECT_EQ(contains(refusal(table + "id text, pane_version bigint, views bigint" + rest + ")"),
                     "'id' must be the primary key or unique"),
            "");
  EXPECT_EQ(contains(refusal(table + "id text, pane_version bigint, views bigint" + rest +
                             ", PRIMARY KEY (id, url))"),
                     "'id' must be the primary key or unique"),
            "");
  EXPECT_EQ(contains(refusal("CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', "
                             "deterministic = false); " +
                             table +
                             "id text COLLATE folded UNIQUE, pane_version bigint, "
                             "views bigint" +
                             rest + ")"),
                     "'id' must have a deterministic collation"),
            "");
  EXPECT_EQ(contains(refusal(table + "id bigint PRIMARY KEY, pane_version bigint, views bigint" +
                             rest + ")"),
                     "'id' must hold text, not bigint"),
            "");
  EXPECT_EQ(contains(refusal(table + "id text PRIMARY KEY, pane_version integer, views bigint" +
                             rest + ")"),
                     "'pane_version' must be bigint"),
            "");
  EXPECT_EQ(contains(refusal(table +
                             "id text PRIMARY KEY, pane_version bigint, views bigint, "
                             "owner text NOT NULL" +
                             rest + ")"),
                     "nullable or have a default: owner"),
            "");
  EXPECT_EQ(contains(refusal(table + "id text PRIMARY KEY, pane_version bigint, views boolean" +
                             rest + ")"),
                     "column \"views\" is of type boolean but expression is of type bigint"),
            "");
  EXPECT_EQ(contains(refusal(table +
                             "id text PRIMARY KEY, pane_version bigint, views bigint "
                             "GENERATED ALWAYS AS (1) STORED" +
                             rest + ")"),
                     "cannot insert a non-DEFAULT value into column \"views\""),
            "");
  EXPECT_EQ(refusal(table + "id text, pane_version bigint, views bigint" + rest + ")", false), "");
  PostgresSettings misnamed = settings();
  misnamed.table = "nowhere.views";
  EXPECT_THROW(opened(misnamed), EnvironmentError);
}

TEST_F(PostgresSinkTest, WhoMayNotWriteIsRefusedAtTheStart) {
  ask("GRANT USAGE ON SCHEMA public TO keeper");
  opened();
  PostgresSettings mine = settings(false);
  mine.login.username = "keeper";
  mine.login.password = "secret";
  auto const reason = [&] {
    try {
      opened(mine);
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), 69);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(reason().find("permission denied for table views 5m"), std::string::npos) << reason();
  ask("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO keeper");
  EXPECT_EQ(reason(), "");  // with no right to create, which it does not need
  mine.create_table = true;
  EXPECT_EQ(reason(), "");
  mine.login.password = "hunter2";
  EXPECT_NE(reason().find("password authentication failed for user \"keeper\""), std::string::npos)
      << reason();
  EXPECT_EQ(reason().find("hunter2"), std::string::npos);
  mine.login.url = "postgresql:///elsewhere?host=/nowhere";
  EXPECT_NE(reason().find("/nowhere"), std::string::npos) << reason();
}

TEST_F(PostgresSinkTest, ConnectionInitSqlIsRunAndCommitsAreDurable) {
  ask("ALTER DATABASE web SET synchronous_commit = off");
  ask("CREATE TABLE said (what text); CREATE TABLE \"views 5m\" (id text, window_start bigint, url "
      "text, views bigint, mean float8, pages jsonb, raw bytea, pane_version bigint, deleted "
      "boolean, durable text DEFAULT current_setting('synchronous_commit'))");
  PostgresSettings mine = settings(false);
  mine.login.init_sql = {"SET lock_timeout = '50ms'",
                         "INSERT INTO said VALUES (current_setting('lock_timeout'))"};
  auto const sink = opened(mine, false);
  SinkBatch(1, {{"a"}}).write_to(*sink);
  ask("ALTER DATABASE web RESET synchronous_commit");
  EXPECT_EQ(ask("SELECT * FROM said"), "50ms");
  EXPECT_EQ(ask("SELECT durable FROM \"views 5m\""), "on");
  mine.login.init_sql = {"SELECT 1/0"};
  EXPECT_THROW(opened(mine, false), EnvironmentError);
}

TEST_F(PostgresSinkTest, SinksOfOneDatabaseOpenAndWriteSideBySide) {
  auto const run = [&](std::string const& name) {
    PostgresSettings mine = settings();
    mine.name = name;
    auto const sink = opened(mine);
    for (int i = 0; i < 50; ++i) {
      SinkBatch batch(i, {{"0|" + name, name, i, i}});
      EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
    }
  };
  { std::jthread const a(run, "a"), b(run, "b"), c(run, "c"), d(run, "d"); }
  EXPECT_EQ(ask("SELECT sink, acked_batch FROM _windrow_progress ORDER BY 1"),
            "a|49 b|49 c|49 d|49");
  EXPECT_EQ(ask("SELECT count(*), min(views) FROM \"views 5m\""), "4|49");
}

}  // namespace
}  // namespace windrow
