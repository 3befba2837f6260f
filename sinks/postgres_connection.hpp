// One connection to a PostgreSQL server: statements, transactions of one round trip, and what each
// error of the server means for the rows in hand.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/sink.hpp"

struct pg_conn;
struct pg_result;

namespace windrow {

// connectors.md 4.7: what an error of this SQLSTATE means; empty: the connection is lost.
[[nodiscard]] Outcome postgres_outcome(std::string_view sqlstate);

// Why `url` is no URI of PostgreSQL, in libpq's words; nothing is asked of a server.
[[nodiscard]] std::optional<std::string> postgres_url_fault(std::string const& url);

// A statement, a connection or a table is not what it must be.
class PostgresError : public std::runtime_error {
 public:
  PostgresError(std::string const& what, Outcome outcome)
      : runtime_error(what), outcome_(outcome) {}
  [[nodiscard]] Outcome outcome() const { return outcome_; }

 private:
  Outcome outcome_;
};

// What the environment (PGHOST, PGSSLMODE, PGPASSFILE, ..) and `url` say, unless named here.
struct PostgresLogin {
  std::string url;                 // postgresql://..
  std::string username, password;  // empty: those of the URL
  std::vector<std::string> init_sql;
};

// What it refers to is borrowed until it has run.
struct PostgresStatement {
  std::string const& sql;
  std::span<std::string const> parameters = {};
  bool binary = false;   // the parameters; else they are text
  bool of_rows = false;  // a row may be at fault; else `split` is `pause`
};

// Rows that a statement gave, as text.
class PostgresRows {
 public:
  explicit PostgresRows(pg_result* handle) : handle_(handle) {}
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::string_view at(std::size_t row, int column) const;  // empty if null
  [[nodiscard]] pg_result const* handle() const { return handle_.get(); }

 private:
  struct Clear {
    void operator()(pg_result* handle) const noexcept;
  };
  std::unique_ptr<pg_result, Clear> handle_;
};

// Not for several threads at once.  What throws is PostgresError; what it was about has had no
// effect then, but that of a COMMIT whose answer was lost is not known.
class PostgresConnection {
 public:
  // Connects and runs `init_sql`.  A server that does not answer is `retry`, one that refuses us
  // `pause`.
  explicit PostgresConnection(PostgresLogin const& login);
  // Runs all of `script`, statements with a semicolon between, as one transaction.
  void run_script(std::string const& script);
  // Runs `statements` as one transaction in one round trip and returns the rows of each.
  std::vector<PostgresRows> transact(std::span<PostgresStatement const> statements);
  PostgresRows run(PostgresStatement const& statement);  // as a transaction of its own
  [[nodiscard]] bool is_open() const;

 private:
  void send(PostgresStatement const& statement);
  [[nodiscard]] PostgresRows receive(bool of_rows);
  [[noreturn]] void lose();
  void leave_pipeline();
  void roll_back();
  void check(pg_result const* result, bool of_rows) const;
  struct Close {
    void operator()(pg_conn* handle) const noexcept;
  };
  std::unique_ptr<pg_conn, Close> handle_;
};

}  // namespace windrow
