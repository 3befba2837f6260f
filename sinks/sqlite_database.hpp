// One connection to a SQLite file, and its statements: owned handles whose errors name the file.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace windrow {

// A prepared statement.  Bound text is borrowed until it is bound again.  Text or bytes over
// SQLite's limit (1 GB) are not bound: false.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* handle) : handle_(handle) {}
  void bind(int at, std::int64_t v);
  void bind(int at, double v);
  void bind_null(int at);
  [[nodiscard]] bool bind_text(int at, std::string_view v);
  [[nodiscard]] bool bind_bytes(int at, std::string_view v);
  [[nodiscard]] int step();  // SQLITE_ROW, SQLITE_DONE or an error
  void reset();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  // until the next step; empty if null

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// WAL, so that readers and a writer do not wait for each other; synchronous = FULL, since an
// acknowledged batch is never sent again.  Not for several threads at once.
class SqliteDatabase {
 public:
  // EnvironmentError 69 if the file cannot be opened or cannot keep a write-ahead log.  `busy_ms`:
  // how long a statement waits for another writer before it answers SQLITE_BUSY.
  SqliteDatabase(std::string path, bool create, int busy_ms);
  // EnvironmentError 69 with SQLite's reason.
  void run(std::string const& sql);
  [[nodiscard]] SqliteStatement prepare(std::string const& sql);
  // As `run`, but the result code is the caller's.
  [[nodiscard]] int attempt(char const* sql);
  [[nodiscard]] std::string message() const;  // of the last error
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] std::int64_t changed_rows() const;  // by the last INSERT, UPDATE or DELETE
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  [[noreturn]] void refuse(std::string_view doing) const;
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace windrow
