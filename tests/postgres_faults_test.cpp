// What PostgreSQL refuses and what the world does to it: rows set aside, batches repeated, pauses
// that end by themselves (connectors.md 3.1, 4.7).
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "host/engine/sink_writer.hpp"
#include "tests/postgres_fixture.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

using test::CountRow;
using test::PostgresClient;
using Outcomes = std::vector<Outcome>;

class PostgresFaultsTest : public test::PostgresTest {
 protected:
  // What a writer makes of one batch of `rows`.
  struct Written {
    SinkProgress progress;
    std::vector<std::string> refused, ids;  // why, and which
  };
  static Written written(std::unique_ptr<Sink> sink, std::vector<CountRow> const& rows) {
    SinkWriter writer(0, "Save", std::move(sink), test::counts_schema(true),
                      {Duration{1000}, Duration{10'000}, Duration{20'000'000}, 4});
    writer.open();
    writer.submit(batch_of(7, rows));
    EXPECT_TRUE(writer.settle(std::chrono::seconds(60)));
    Written out{writer.progress(), {}, {}};
    std::int64_t acked = 0;
    for (RefusedRows const& refused : writer.take_refused(acked)) {
      for (std::size_t i = 0; i < refused.messages.size(); ++i) {
        out.refused.push_back(refused.messages[i]);
        out.ids.emplace_back(refused.columns[0].view().text(i));
      }
    }
    EXPECT_EQ(acked, 7);
    return out;
  }
  static SinkBatch batch_of(std::int64_t batch_no, std::vector<CountRow> const& rows) {
    test::SinkBatch const made(batch_no, rows);
    SinkBatch out;
    out.batch_no = batch_no;
    out.pane_version = rows.front().version;
    out.rows = rows.size();
    for (ColumnView const& from : made.columns()) {
      Column& to = out.columns.emplace_back(from.type);
      for (std::size_t row = 0; row < rows.size(); ++row) {
        to.append(from, row);
      }
    }
    return out;
  }
  static void until(std::string const& sql, std::string const& answer) {
    for (int i = 0; i < 600 && ask(sql) != answer; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ASSERT_EQ(ask(sql), answer);
  }
  // Ends all sessions but our own.
  static void hang_up() {
    ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'web' AND pid <> "
        "pg_backend_pid()");
  }
  static constexpr char const* plain =
      "(id text PRIMARY KEY, window_start bigint, url text, views bigint, mean float8, pages "
      "jsonb, "
      "raw bytea, pane_version bigint, deleted boolean";
};

TEST_F(PostgresFaultsTest, SqlstatesMeanWhatTheDesignSays) {
  for (char const* const state :
       {"", "08006", "40001", "40P01", "53200", "53300", "55P03", "57014", "57P01", "57P03"}) {
    EXPECT_EQ(postgres_outcome(state), Outcome::retry) << state;
  }
  for (char const* const state : {"21000", "22001", "22003", "22021", "22P05", "23502", "23503",
                                  "23505", "23514", "44000", "54000", "P0001"}) {
    EXPECT_EQ(postgres_outcome(state), Outcome::split) << state;
  }
  for (char const* const state : {"25006", "28P01", "3D000", "42501", "42703", "42804", "42P01",
                                  "53100", "55000", "58030", "XX001"}) {
    EXPECT_EQ(postgres_outcome(state), Outcome::pause) << state;
  }
}

TEST_F(PostgresFaultsTest, ARowThatAConstraintRefusesIsAloneSetAside) {
  ask("CREATE TABLE owners (url text PRIMARY KEY); INSERT INTO owners VALUES ('u')");
  ask("CREATE TABLE \"views 5m\" " + std::string(plain) +
      ", CHECK (views >= 0), FOREIGN KEY (url) REFERENCES owners DEFERRABLE INITIALLY DEFERRED)");
  std::vector<CountRow> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back({"0|" + std::to_string(i), "u", i, 3});
  }
  rows[17].views = -1;
  rows[42].url = "nobody";  // seen at the commit only
  rows[99].views = -2;      // the last: the batch is noted all the same
  Written const out = written(opened(), rows);
  EXPECT_EQ(out.ids, (std::vector<std::string>{"0|17", "0|42", "0|99"}));
  ASSERT_EQ(out.refused.size(), 3U);
  EXPECT_NE(out.refused[0].find("table=views 5m: new row for relation \"views 5m\" violates check "
                                "constraint \"views 5m_views_check\" (SQLSTATE 23514)"),
            std::string::npos)
      << out.refused[0];
  EXPECT_NE(out.refused[1].find("violates foreign key constraint"), std::string::npos);
  EXPECT_EQ(out.progress.rows, 97U);
  EXPECT_EQ(out.progress.dead_letters, 3U);
  EXPECT_EQ(out.progress.retries, 0U);
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "97");
  EXPECT_EQ(ask("SELECT acked_batch FROM _windrow_progress"), "7");
}

TEST_F(PostgresFaultsTest, ATextThatPostgresCannotHoldIsADeadLetter) {
  std::string pages;
  ContainerEncoder list(Scalar::Kind::list, pages);
  list.add(Scalar::of_string(std::string_view("\0", 1)));
  list.close();
  std::vector<CountRow> rows(9);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = {"0|" + std::to_string(i), "u", 1};
  }
  rows[1].url = std::string("x\0y", 3);
  rows[3].url = "\xff";
  rows[5].pages = pages;
  // Too long for the index, though compressed.
  std::uint64_t random = 1;
  for (int i = 0; i < 9000; ++i) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    *rows[7].id += static_cast<char>('a' + (random >> 60U));
  }
  Written const out = written(opened(), rows);
  ASSERT_EQ(out.refused.size(), 4U);
  EXPECT_NE(out.refused[0].find("invalid byte sequence for encoding \"UTF8\": 0x00"),
            std::string::npos)
      << out.refused[0];
  EXPECT_NE(out.refused[1].find("0xff"), std::string::npos) << out.refused[1];
  EXPECT_NE(out.refused[2].find("unsupported Unicode escape sequence"), std::string::npos)
      << out.refused[2];
  EXPECT_NE(out.refused[3].find("index row"), std::string::npos) << out.refused[3];
  EXPECT_EQ(ask("SELECT string_agg(id, ' ' ORDER BY id) FROM \"views 5m\""), "0|0 0|2 0|4 0|6 0|8");
}

TEST_F(PostgresFaultsTest, OfTwoRowsOfOneIdInABatchTheLaterWins) {
  Written const out = written(opened(), {{"0|a", "a", 1}, {"0|b", "b", 1}, {"0|a", "a", 2}});
  EXPECT_EQ(out.progress.rows, 3U);
  EXPECT_EQ(ask("SELECT id, views FROM \"views 5m\" ORDER BY id"), "0|a|2 0|b|1");
}

TEST_F(PostgresFaultsTest, ARequestThatIsTooLargeIsSplit) {
  PostgresSettings mine = settings();
  mine.request_bytes_max = 1000;
  std::vector<CountRow> rows;
  for (int i = 0; i < 20; ++i) {
    rows.push_back({"0|" + std::to_string(i), std::string(i == 5 ? 1000 : 50, 'u'), i});
  }
  Written const out = written(opened(mine), rows);
  ASSERT_EQ(out.refused.size(), 1U);
  EXPECT_NE(out.refused[0].find("not be larger than 1000 bytes: bytes="), std::string::npos)
      << out.refused[0];
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\""), "19");
}

TEST_F(PostgresFaultsTest, ADeadlockMeansRetry) {
  auto const sink = opened();
  test::SinkBatch(1, {{"0|a", "a", 1}, {"0|b", "b", 1}}).write_to(*sink);
  PostgresClient other(url());
  other.ask(
      "SET deadlock_timeout = '60s'; BEGIN; UPDATE \"views 5m\" SET views = 0 WHERE id = '0|b'");
  test::SinkBatch batch(2, {{"0|a", "a", 2, 2}, {"0|b", "b", 2, 2}});
  Outcomes outcomes;
  std::jthread writing([&] { outcomes = batch.write_to(*sink); });
  until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1");
  other.ask(
      "UPDATE \"views 5m\" SET views = 0 WHERE id = '0|a'");  // waits for the sink, which gives up
  writing.join();
  EXPECT_EQ(outcomes, Outcomes(2, Outcome::retry));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_NE(batch.faults[0].message.find("deadlock detected (SQLSTATE 40P01)"), std::string::npos)
      << batch.faults[0].message;
  other.ask("COMMIT");
  EXPECT_EQ(batch.write_to(*sink), Outcomes(2, Outcome::ok));
  EXPECT_EQ(ask("SELECT sum(views) FROM \"views 5m\""), "4");
}

TEST_F(PostgresFaultsTest, ASerializationFailureMeansRetry) {
  PostgresSettings mine = settings();
  mine.login.init_sql = {"SET default_transaction_isolation = 'repeatable read'"};
  auto const sink = opened(mine);
  test::SinkBatch(1, {{"0|a", "a", 1}}).write_to(*sink);
  PostgresClient other(url());
  other.ask("BEGIN; UPDATE \"views 5m\" SET views = 0");
  test::SinkBatch batch(2, {{"0|a", "a", 2, 2}});
  Outcomes outcomes;
  std::jthread writing([&] { outcomes = batch.write_to(*sink); });
  until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1");
  other.ask("COMMIT");
  writing.join();
  EXPECT_EQ(outcomes, Outcomes{Outcome::retry});
  EXPECT_NE(batch.faults.at(0).message.find("40001"), std::string::npos);
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
}

TEST_F(PostgresFaultsTest, ALockThatIsHeldMeansRetryWhereATimeoutIsSet) {
  PostgresSettings mine = settings();
  mine.login.init_sql = {"SET lock_timeout = '50ms'"};
  auto const sink = opened(mine);
  PostgresClient other(url());
  other.ask("BEGIN; LOCK TABLE \"views 5m\"");
  test::SinkBatch batch(1, {{"0|a", "a", 1}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::retry});
  other.ask("COMMIT");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
}

TEST_F(PostgresFaultsTest, ATableThatIsGonePausesUntilItIsThere) {
  auto const sink = opened();
  ask("DROP TABLE \"views 5m\"");
  test::SinkBatch batch(1, {{"0|a", "a", 1}});
  for (char const* const why : {"relation \"views 5m\" does not exist", "the table must exist"}) {
    EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});
    ASSERT_EQ(batch.faults.size(), 1U);
    EXPECT_NE(batch.faults[0].message.find(why), std::string::npos) << batch.faults[0].message;
  }
  ask("CREATE TABLE \"views 5m\" " + std::string(plain) + ")");
  ask("ALTER TABLE \"views 5m\" ALTER window_start TYPE timestamptz USING NULL");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(ask("SELECT extract(epoch FROM window_start) FROM \"views 5m\""), "-300.000000");
}

TEST_F(PostgresFaultsTest, ARightThatIsTakenPausesUntilItIsGiven) {
  opened();
  ask("GRANT USAGE ON SCHEMA public TO keeper; "
      "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO keeper");
  PostgresSettings mine = settings(false);
  mine.login.username = "keeper";
  mine.login.password = "secret";
  auto const sink = opened(mine);
  test::SinkBatch batch(1, {{"0|a", "a", 1}});
  ask("REVOKE INSERT ON \"views 5m\" FROM keeper");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});
  ask("GRANT INSERT ON \"views 5m\" TO keeper; ALTER ROLE keeper PASSWORD 'other'");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});  // it connects anew
  EXPECT_NE(batch.faults.at(0).message.find("password authentication failed"), std::string::npos)
      << batch.faults[0].message;
  ask("ALTER ROLE keeper PASSWORD 'secret'");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
}

TEST_F(PostgresFaultsTest, AReadOnlyServerAndAFullDiskPause) {
  auto const sink = opened();
  test::SinkBatch batch(1, {{"0|a", "a", 1}});
  ask("ALTER DATABASE web SET default_transaction_read_only = on");
  hang_up();
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::retry});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});
  EXPECT_NE(batch.faults.at(0).message.find("read-only transaction"), std::string::npos)
      << batch.faults[0].message;
  PostgresClient mending(url());
  mending.ask("SET default_transaction_read_only = off");
  mending.ask("ALTER DATABASE web RESET default_transaction_read_only");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
  ask("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$; CREATE TRIGGER full_disk BEFORE "
      "INSERT ON \"views 5m\" FOR EACH ROW EXECUTE FUNCTION full_disk()");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause});
  ask("DROP TRIGGER full_disk ON \"views 5m\"");
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
}

TEST_F(PostgresFaultsTest, AServerThatIsRestartedUnderALoadLosesNothing) {
  auto const reconnecting = [](std::string const& sql) -> std::string {
    for (int i = 0; i < 300; ++i) {
      try {
        return ask(sql);
      } catch (std::runtime_error const&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
    return "the server did not come back";
  };
  SinkWriter writer(0, "Save", opened(), test::counts_schema(true),
                    {Duration{1000}, Duration{100'000}, Duration{60'000'000}, 4});
  writer.open();
  std::jthread restarting([&] {
    for (int const signal : {SIGINT, SIGQUIT, SIGKILL}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      std::string const pid =
          reconnecting("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
      EXPECT_EQ(kill(std::stoi(pid), signal), 0);
    }
  });
  std::int64_t batch = 0;
  for (auto const begin = std::chrono::steady_clock::now();
       std::chrono::steady_clock::now() - begin < std::chrono::seconds(4);) {
    ++batch;
    std::vector<CountRow> rows;
    for (std::int64_t i = 0; i < 200; ++i) {
      rows.push_back({std::to_string(i % 2 == 0 ? i : batch * 1000 + i), "u", batch, batch});
    }
    writer.submit(batch_of(batch, rows));
  }
  restarting.join();
  ASSERT_TRUE(writer.settle(std::chrono::seconds(60)));
  SinkProgress const progress = writer.progress();
  EXPECT_GE(progress.retries, 3U);
  EXPECT_EQ(progress.acked_batch, batch);
  EXPECT_EQ(progress.rows, static_cast<std::uint64_t>(batch) * 200);
  EXPECT_EQ(progress.dead_letters + progress.superseded, 0U);
  std::string const last = std::to_string(batch);
  EXPECT_EQ(reconnecting("SELECT count(*), count(*) FILTER (WHERE views = " + last +
                         "), min(pane_version) FROM \"views 5m\" WHERE length(id) <= 3"),
            "100|100|" + last);
  EXPECT_EQ(ask("SELECT count(*) FROM \"views 5m\" WHERE length(id) > 3"),
            std::to_string(batch * 100));
  EXPECT_EQ(ask("SELECT acked_batch FROM _windrow_progress"), last);
}

// Stands between a client and the server; cuts the line once the client has sent `word`, which
// still reaches the server, but no answer comes back.
class CuttingProxy {
 public:
  CuttingProxy(std::filesystem::path const& directory, std::string server)
      : server_(std::move(server)), listening_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = address_of((directory / ".s.PGSQL.5432").string());
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening_, 8), 0);
    thread_ = std::thread([this] { serve(); });
  }
  CuttingProxy(CuttingProxy const&) = delete;  // owns a thread
  CuttingProxy& operator=(CuttingProxy const&) = delete;
  ~CuttingProxy() {
    shutdown(listening_, SHUT_RDWR);
    thread_.join();
    close(listening_);
  }
  std::atomic<bool> armed = false;

 private:
  static sockaddr_un address_of(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    return address;
  }
  void serve() {
    for (int client = accept(listening_, nullptr, nullptr); client >= 0;
         client = accept(listening_, nullptr, nullptr)) {
      sockaddr_un address = address_of(server_ + "/.s.PGSQL.5432");
      int const server = socket(AF_UNIX, SOCK_STREAM, 0);
      EXPECT_EQ(connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      carry(client, server);
      close(client);
      close(server);
    }
  }
  void carry(int client, int server) {
    std::string buffer(65536, '\0');
    while (true) {
      pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      poll(ends, 2, -1);
      for (int from = 0; from < 2; ++from) {
        if (ends[from].revents == 0) {
          continue;
        }
        ssize_t const size = read(ends[from].fd, buffer.data(), buffer.size());
        if (size <= 0 ||
            write(ends[1 - from].fd, buffer.data(), static_cast<std::size_t>(size)) != size) {
          return;
        }
        if (from == 0 && armed &&
            std::string_view(buffer.data(), static_cast<std::size_t>(size)).find("COMMIT") !=
                std::string_view::npos) {
          armed = false;
          // Its answer says that it is done.
          while (read(server, buffer.data(), 1) > 0 && buffer[0] != 'Z') {
          }
          return;
        }
      }
    }
  }
  std::string server_;
  int listening_;
  std::thread thread_;
};

TEST_F(PostgresFaultsTest, ACommitWhoseAnswerIsLostIsSentAgain) {
  TemporaryDirectory scratch;
  std::string const server =
      url().substr(url().find("host=") + 5, url().find("&user") - url().find("host=") - 5);
  CuttingProxy proxy(scratch.path(), server);
  PostgresSettings mine = settings();
  mine.login.url = "postgresql:///web?user=postgres&host=" + scratch.path().string();
  auto sink = opened(mine);
  test::SinkBatch batch(1, {{"0|a", "a", 1}, {"0|b", "b", 1}});
  proxy.armed = true;
  EXPECT_EQ(batch.write_to(*sink), Outcomes(2, Outcome::retry));
  until("SELECT count(*) FROM \"views 5m\"", "2");  // it was done
  EXPECT_EQ(batch.write_to(*sink), Outcomes(2, Outcome::ok));
  EXPECT_EQ(ask("SELECT count(*), sum(views) FROM \"views 5m\""), "2|2");
  sink.reset();  // before the proxy, which waits for it
}

}  // namespace
}  // namespace windrow
