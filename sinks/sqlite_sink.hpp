// Rows in a table of a SQLite file (connectors.md 4.9).
//
// Idempotence: one guarded upsert per row, INSERT .. ON CONFLICT (id) DO UPDATE .. WHERE the new
// pane_version is not lower than the stored one; one transaction per batch, so that a batch is in
// the file whole or not at all, together with its line in `_windrow_progress`.
#pragma once
#include <optional>
#include <string>

#include "host/engine/sink.hpp"
#include "sinks/sqlite_database.hpp"

namespace windrow {

struct SqliteSettings {
  std::string name;  // of the sink, in _windrow_progress
  std::string path, table;
  bool create_table = false;  // the file too
  int busy_ms = 5000;         // how long to wait for another writer before the batch is retried
};

class SqliteSink final : public Sink {
 public:
  SqliteSink(SqliteSettings settings, SinkSchema schema);
  void open() override;
  [[nodiscard]] std::optional<std::int64_t> last_version() override;
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override;

 private:
  // Empty, or why the cells of `row` cannot be bound.
  [[nodiscard]] std::string_view bind(SinkRowsView const& rows, std::size_t row);
  [[nodiscard]] int note_progress(SinkRowsView const& rows);
  void undo(int code, std::span<Outcome> out, std::vector<SinkFault>& faults);

  SqliteSettings settings_;
  SinkSchema schema_;
  std::optional<SqliteDatabase> database_;  // before its statements: they go first
  std::optional<SqliteStatement> insert_, progress_;
  std::vector<std::string> json_;  // one per column: text of a list or structure while it is bound
};

}  // namespace windrow
