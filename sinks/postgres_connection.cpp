// One connection to a PostgreSQL server, over libpq.
#include "sinks/postgres_connection.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>

#include "host/engine/crash_point.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

// libpq's messages end in a line break, and may have more of them.
std::string one_line(char const* message) {
  std::string out = message == nullptr ? "" : message;
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) {
    out.pop_back();
  }
  for (std::size_t at = out.find('\n'); at != std::string::npos; at = out.find('\n')) {
    out[at] = ' ';
  }
  return out;
}

// A server that is silent must be noticed: libpq's own defaults wait for hours.  A later word
// counts more than an earlier one, and the URL stands where `dbname` does.
struct Words {
  explicit Words(PostgresLogin const& login)
      : names{"connect_timeout",  "keepalives_idle",  "keepalives_interval",
              "keepalives_count", "tcp_user_timeout", "fallback_application_name",
              "dbname",           "client_encoding"},
        values{"10", "10", "5", "3", "30000", "windrow", login.url.c_str(), "UTF8"} {
    auto const add = [this](char const* name, std::string const& value) {
      if (!value.empty()) {
        names.push_back(name);
        values.push_back(value.c_str());
      }
    };
    add("user", login.username);
    add("password", login.password);
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<char const*> names, values;
};

}  // namespace

Outcome postgres_outcome(std::string_view sqlstate) {
  // Goes by itself: connection, deadlock, serialization, too many clients, restart, lock timeout.
  // (A full disk does not.)
  if (sqlstate.empty() || sqlstate == "55P03" || sqlstate == "55006") {
    return Outcome::retry;
  }
  for (std::string_view const known : {"08", "40", "53", "57"}) {
    if (sqlstate.starts_with(known)) {
      return sqlstate == "53100" ? Outcome::pause : Outcome::retry;
    }
  }
  // Of some row: data, constraint, check option, size (an id too long for its index), RAISE of a
  // trigger; 21000, two rows of one id, which part ways when halved.
  for (std::string_view const known : {"21", "22", "23", "44", "54", "P0"}) {
    if (sqlstate.starts_with(known)) {
      return Outcome::split;
    }
  }
  return Outcome::pause;  // credentials, table, column, permission, read-only server, damage
}

std::optional<std::string> postgres_url_fault(std::string const& url) {
  char* message = nullptr;
  PQconninfoOption* const read = PQconninfoParse(url.c_str(), &message);
  if (read != nullptr) {
    PQconninfoFree(read);
    return std::nullopt;
  }
  std::string out = one_line(message);
  PQfreemem(message);
  if (std::size_t const at = out.find(url); at != std::string::npos) {
    out.replace(at, url.size(), "..");  // it may hold a password
  }
  return out;
}

void PostgresRows::Clear::operator()(pg_result* handle) const noexcept { PQclear(handle); }
std::size_t PostgresRows::size() const {
  return static_cast<std::size_t>(PQntuples(handle_.get()));
}
std::string_view PostgresRows::at(std::size_t row, int column) const {
  int const r = static_cast<int>(row);
  return {PQgetvalue(handle_.get(), r, column),
          static_cast<std::size_t>(PQgetlength(handle_.get(), r, column))};
}

void PostgresConnection::Close::operator()(pg_conn* handle) const noexcept { PQfinish(handle); }

PostgresConnection::PostgresConnection(PostgresLogin const& login) {
  Words const words(login);
  handle_.reset(PQconnectdbParams(words.names.data(), words.values.data(), 1));
  if (!is_open()) {
    // libpq gives no SQLSTATE of a connection that failed; whether somebody answered it does say.
    bool const answers = PQpingParams(words.names.data(), words.values.data(), 1) == PQPING_OK;
    throw PostgresError(one_line(PQerrorMessage(handle_.get())),
                        answers ? Outcome::pause : Outcome::retry);
  }
  PQsetNoticeProcessor(
      handle_.get(), [](void*, char const*) {}, nullptr);  // it prints them
  // An acknowledged batch is never sent again: the server must not lose it.
  run_script(
      "SELECT set_config('synchronous_commit', 'on', false)"
      " WHERE current_setting('synchronous_commit') = 'off'");
  for (std::string const& sql : login.init_sql) {
    run_script(sql);
  }
}

bool PostgresConnection::is_open() const { return PQstatus(handle_.get()) == CONNECTION_OK; }

// What was sent no longer says which answer belongs to what.
void PostgresConnection::lose() {
  PostgresError const error(one_line(PQerrorMessage(handle_.get())), postgres_outcome({}));
  handle_.reset();
  throw error;
}

void PostgresConnection::check(pg_result const* result, bool of_rows) const {
  ExecStatusType const status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    return;
  }
  char const* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  char const* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr || message == nullptr) {
    throw PostgresError(one_line(PQerrorMessage(handle_.get())), postgres_outcome({}));
  }
  // Without its details: they repeat the row.
  Outcome const outcome = postgres_outcome(state);
  throw PostgresError(fmt::format("{} (SQLSTATE {})", one_line(message), state),
                      outcome == Outcome::split && !of_rows ? Outcome::pause : outcome);
}

void PostgresConnection::run_script(std::string const& script) {
  PostgresRows const rows(PQexec(handle_.get(), script.c_str()));
  check(rows.handle(), false);
}

PostgresRows PostgresConnection::run(PostgresStatement const& statement) {
  return std::move(transact({&statement, 1}).front());
}

std::vector<PostgresRows> PostgresConnection::transact(
    std::span<PostgresStatement const> statements) {
  static std::string const begin = "BEGIN", commit = "COMMIT";
  std::vector<PostgresRows> out;
  try {
    if (PQenterPipelineMode(handle_.get()) == 0) {
      lose();
    }
    send({begin});
    for (PostgresStatement const& statement : statements) {
      send(statement);
    }
    bool const of_rows = statements.front().of_rows;
    if (of_rows) {
      PQflush(handle_.get());
      WINDROW_CRASH_POINT("sink.partial");
    }
    send({commit});
    if (PQpipelineSync(handle_.get()) == 0) {
      lose();
    }
    if (of_rows) {
      WINDROW_CRASH_POINT("sink.sent");
    }
    static_cast<void>(receive(false));
    for (PostgresStatement const& statement : statements) {
      out.push_back(receive(statement.of_rows));
    }
    static_cast<void>(receive(true));  // constraints may be deferred to the commit
  } catch (PostgresError const&) {
    roll_back();
    throw;
  }
  leave_pipeline();
  return out;
}

// That the server is gone shows when its answer is read, with what it said last.
void PostgresConnection::send(PostgresStatement const& statement) {
  std::vector<char const*> values;
  std::vector<int> lengths;
  std::vector<int> const formats(statement.parameters.size(), statement.binary ? 1 : 0);
  for (std::string const& parameter : statement.parameters) {
    values.push_back(parameter.c_str());
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  if (PQsendQueryParams(handle_.get(), statement.sql.c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), lengths.data(), formats.data(), 0) == 0) {
    lose();
  }
}

PostgresRows PostgresConnection::receive(bool of_rows) {
  PostgresRows rows(PQgetResult(handle_.get()));
  check(rows.handle(), of_rows);
  PQclear(PQgetResult(handle_.get()));  // null: its end
  return rows;
}

// Reads to the end of what was sent.
void PostgresConnection::leave_pipeline() {
  for (bool at_end = false; !at_end && is_open();) {
    PostgresRows const rows(PQgetResult(handle_.get()));
    at_end = PQresultStatus(rows.handle()) == PGRES_PIPELINE_SYNC;
  }
  PQexitPipelineMode(handle_.get());
}

void PostgresConnection::roll_back() {
  leave_pipeline();
  if (is_open() && PQtransactionStatus(handle_.get()) != PQTRANS_IDLE) {
    PQclear(PQexec(handle_.get(), "ROLLBACK"));
  }
}

}  // namespace windrow
