// Rows in a table of a SQLite file: one transaction per batch, one guarded upsert per row.
#include "sinks/sqlite_sink.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>

#include "host/engine/crash_point.hpp"
#include "host/model/portable.hpp"
#include "sinks/sqlite_table.hpp"

namespace windrow {
namespace {

// The row itself can never be stored; nothing else about the batch is wrong.
bool is_fault_of_row(int code) {
  int const primary = code & 0xff;
  return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG;
}

// Another writer, and memory, are only waited for; every other fault (disk full, read-only, table
// dropped, damaged file) stays until a person mends it.
Outcome outcome_of_batch(int code) {
  int const primary = code & 0xff;
  bool const passes = primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_NOMEM;
  return passes ? Outcome::retry : Outcome::pause;
}

}  // namespace

SqliteSink::SqliteSink(SqliteSettings settings, SinkSchema schema)
    : settings_(std::move(settings)),
      schema_(std::move(schema)),
      json_(schema_.columns.fields.size()) {
  WINDROW_ASSERT(!schema_.upsert || (schema_.id < json_.size() && schema_.version < json_.size()),
                 "an upsert needs an id and a version");
}

void SqliteSink::open() {
  SqliteDatabase database(settings_.path, settings_.create_table, settings_.busy_ms);
  if (settings_.create_table) {
    database.run(create_table_sql(settings_.table, schema_));
  }
  check_table(database, settings_.table, schema_);
  database.run(
      "CREATE TABLE IF NOT EXISTS _windrow_progress (sink TEXT NOT NULL PRIMARY KEY,"
      " acked_batch INTEGER NOT NULL, watermark INTEGER, pane_version INTEGER NOT NULL) WITHOUT "
      "ROWID");
  insert_.emplace(database.prepare(insert_sql(settings_.table, schema_)));
  progress_.emplace(database.prepare(
      "INSERT INTO _windrow_progress AS stored (sink, acked_batch, watermark, pane_version)"
      " VALUES (?, ?, ?, ?) ON CONFLICT (sink) DO UPDATE SET acked_batch = excluded.acked_batch,"
      " watermark = excluded.watermark, pane_version = excluded.pane_version"
      " WHERE excluded.pane_version >= stored.pane_version"));
  database_.emplace(std::move(database));
}

std::optional<std::int64_t> SqliteSink::last_version() {
  SqliteStatement query =
      database_->prepare("SELECT pane_version FROM _windrow_progress WHERE sink = ?");
  static_cast<void>(query.bind_text(1, settings_.name));
  return query.step() == SQLITE_ROW ? std::optional(query.integer(0)) : std::nullopt;
}

void SqliteSink::write(SinkRowsView const& rows, std::span<Outcome> out,
                       std::vector<SinkFault>& faults) {
  WINDROW_ASSERT(database_.has_value(), "open comes before write");
  WINDROW_ASSERT(out.size() == rows.rows && rows.columns.size() == json_.size(),
                 "one outcome per row, one column per field");
  faults.clear();
  // IMMEDIATE: a transaction that starts as a reader and writes later is refused, not made to wait,
  // when another writer was faster.
  if (int const code = database_->attempt("BEGIN IMMEDIATE"); code != SQLITE_OK) {
    return undo(code, out, faults);
  }
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if (std::string_view const why = bind(rows, row); !why.empty()) {
      out[row] = Outcome::dead_letter;
      faults.push_back(
          {row, fmt::format("sqlite sink: the row must fit: table={}: {}", settings_.table, why)});
      continue;
    }
    int const code = insert_->step();
    if (code == SQLITE_DONE) {
      out[row] = database_->changed_rows() == 0 ? Outcome::superseded : Outcome::ok;
    } else if (is_fault_of_row(code) && database_->in_transaction()) {
      out[row] = Outcome::dead_letter;
      faults.push_back({row, fmt::format("sqlite sink: the row must fit: table={}: {}",
                                         settings_.table, database_->message())});
    } else {  // also a constraint that rolls the whole transaction back (ON CONFLICT ROLLBACK)
      return undo(code, out, faults);
    }
    insert_->reset();
    if (row == 0) {
      WINDROW_CRASH_POINT("sink.partial");
    }
  }
  WINDROW_CRASH_POINT("sink.sent");
  if (int const code = rows.is_last ? note_progress(rows) : SQLITE_DONE; code != SQLITE_DONE) {
    return undo(code, out, faults);
  }
  if (int const code = database_->attempt("COMMIT"); code != SQLITE_OK) {
    return undo(code, out, faults);
  }
}

// NaN is bound as text, as in JSON: SQLite has no NaN and would store NULL, another value.
std::string_view SqliteSink::bind(SinkRowsView const& rows, std::size_t row) {
  constexpr std::string_view too_big = "text or bytes over SQLite's limit of length";
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    ColumnView const& column = rows.columns[i];
    int const at = static_cast<int>(i) + 1;
    if (!column.is_valid(row)) {
      insert_->bind_null(at);
      continue;
    }
    switch (column.type) {
      case ValueType::boolean:
        insert_->bind(at, std::int64_t{column.booleans()[row] != 0});
        break;
      case ValueType::integer:
        insert_->bind(at, column.integers()[row]);
        break;
      case ValueType::number:
        if (std::isnan(column.numbers()[row])) {
          static_cast<void>(insert_->bind_text(at, "NaN"));
        } else {
          insert_->bind(at, column.numbers()[row]);
        }
        break;
      case ValueType::string:
        if (!insert_->bind_text(at, column.text(row))) {
          return too_big;
        }
        break;
      case ValueType::bytes:
        if (!insert_->bind_bytes(at, column.text(row))) {
          return too_big;
        }
        break;
      case ValueType::list:
      case ValueType::structure:
        json_[i].clear();
        append_json(column.at(row), json_[i]);
        if (!insert_->bind_text(at, json_[i])) {
          return too_big;
        }
        break;
    }
  }
  return {};
}

// Returns SQLITE_DONE, or what went wrong.
int SqliteSink::note_progress(SinkRowsView const& rows) {
  static_cast<void>(progress_->bind_text(1, settings_.name));
  progress_->bind(2, rows.batch_no);
  if (rows.watermark.has_value()) {
    progress_->bind(3, rows.watermark->us);
  } else {
    progress_->bind_null(3);
  }
  progress_->bind(4, rows.pane_version);
  int const code = progress_->step();
  if (code == SQLITE_DONE) {
    progress_->reset();  // not after an error: `undo` reads its message first
  }
  return code;
}

// Takes the whole batch back and says so for every row.
void SqliteSink::undo(int code, std::span<Outcome> out, std::vector<SinkFault>& faults) {
  std::string const why = database_->message();
  insert_->reset();
  progress_->reset();
  if (database_->in_transaction()) {
    // Nothing to do about its own failure: the transaction is never committed, so it has no effect.
    static_cast<void>(database_->attempt("ROLLBACK"));
  }
  std::fill(out.begin(), out.end(), outcome_of_batch(code));
  faults.clear();
  faults.push_back({0, fmt::format("sqlite sink: the batch must be written: path={} table={}: {}",
                                   settings_.path, settings_.table, why)});
}

}  // namespace windrow
