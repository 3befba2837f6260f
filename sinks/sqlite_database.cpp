// One connection to a SQLite file, and its statements.
#include "sinks/sqlite_database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>

#include "host/engine/snapshot.hpp"
#include "host/model/portable.hpp"

namespace windrow {

void SqliteStatement::Finalize::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

void SqliteStatement::bind(int at, std::int64_t v) {
  WINDROW_ASSERT(sqlite3_bind_int64(handle_.get(), at, v) == SQLITE_OK, "a parameter of it");
}
void SqliteStatement::bind(int at, double v) {
  WINDROW_ASSERT(sqlite3_bind_double(handle_.get(), at, v) == SQLITE_OK, "a parameter of it");
}
void SqliteStatement::bind_null(int at) {
  WINDROW_ASSERT(sqlite3_bind_null(handle_.get(), at) == SQLITE_OK, "a parameter of it");
}
// A null pointer would mean NULL, and an empty view may hold one.
bool SqliteStatement::bind_text(int at, std::string_view v) {
  int const code = sqlite3_bind_text64(handle_.get(), at, v.empty() ? "" : v.data(), v.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  WINDROW_ASSERT(code == SQLITE_OK || code == SQLITE_TOOBIG, "a parameter of it");
  return code == SQLITE_OK;
}
bool SqliteStatement::bind_bytes(int at, std::string_view v) {
  int const code =
      sqlite3_bind_blob64(handle_.get(), at, v.empty() ? "" : v.data(), v.size(), SQLITE_STATIC);
  WINDROW_ASSERT(code == SQLITE_OK || code == SQLITE_TOOBIG, "a parameter of it");
  return code == SQLITE_OK;
}
int SqliteStatement::step() { return sqlite3_step(handle_.get()); }
void SqliteStatement::reset() {
  sqlite3_reset(handle_.get());  // repeats the code of the last step, which `step` has returned
}
std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}
std::string_view SqliteStatement::text(int column) const {
  auto const* const data =
      reinterpret_cast<char const*>(sqlite3_column_text(handle_.get(), column));
  auto const size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data == nullptr ? std::string_view{} : std::string_view{data, size};
}

void SqliteDatabase::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

SqliteDatabase::SqliteDatabase(std::string path, bool create, int busy_ms)
    : path_(std::move(path)) {
  int const flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* handle = nullptr;
  int const code = sqlite3_open_v2(path_.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    int const cause = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    throw EnvironmentError(fmt::format("sqlite sink: the file must open: path={}: {}", path_,
                                       cause != 0 ? std::strerror(cause) : sqlite3_errstr(code)),
                           69);
  }
  sqlite3_busy_timeout(handle, busy_ms);
  SqliteStatement mode = prepare("PRAGMA journal_mode = WAL");
  if (mode.step() != SQLITE_ROW) {
    refuse("the journal must change to WAL");
  }
  if (mode.text(0) != "wal") {
    throw EnvironmentError(fmt::format("sqlite sink: the file must keep a write-ahead log, which "
                                       "network file systems cannot: path={} journal_mode={}",
                                       path_, mode.text(0)),
                           69);
  }
  mode.reset();
  run("PRAGMA synchronous = FULL");
}

void SqliteDatabase::run(std::string const& sql) {
  if (attempt(sql.c_str()) != SQLITE_OK) {
    refuse("must run: " + sql);
  }
}
int SqliteDatabase::attempt(char const* sql) {
  return sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
}
SqliteStatement SqliteDatabase::prepare(std::string const& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    refuse("must prepare: " + sql);
  }
  return SqliteStatement(statement);
}
std::string SqliteDatabase::message() const { return sqlite3_errmsg(handle_.get()); }
bool SqliteDatabase::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
std::int64_t SqliteDatabase::changed_rows() const { return sqlite3_changes64(handle_.get()); }

void SqliteDatabase::refuse(std::string_view doing) const {
  throw EnvironmentError(fmt::format("sqlite sink: {}: path={}: {}", doing, path_, message()), 69);
}

}  // namespace windrow
