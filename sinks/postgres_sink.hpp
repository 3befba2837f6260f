// Rows in a table of a PostgreSQL database (connectors.md 4.7).
//
// Idempotence: one guarded upsert per batch, INSERT .. SELECT FROM unnest(one array per column) ON
// CONFLICT (id) DO UPDATE .. WHERE the new pane_version is not lower than the stored one.  It is
// one transaction with the batch's line in `_windrow_progress`, sent in one round trip.  A commit
// whose answer is lost is sent again.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/engine/sink.hpp"
#include "sinks/postgres_connection.hpp"
#include "sinks/postgres_table.hpp"

namespace windrow {

struct PostgresSettings {
  std::string name;  // of the sink, in _windrow_progress
  PostgresLogin login;
  std::string table;  // or schema.table
  bool create_table = false;
  std::size_t request_bytes_max = 256U << 20U;  // the server takes less than 1 GiB
};

class PostgresSink final : public Sink {
 public:
  PostgresSink(PostgresSettings settings, SinkSchema schema);
  void open() override;
  [[nodiscard]] std::optional<std::int64_t> last_version() override;
  // A row that the server refuses is split off, until it is alone.
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override;

 private:
  [[noreturn]] void refuse_start(PostgresError const& error) const;
  void connect();
  // Nothing, or why all of it had no effect.
  [[nodiscard]] std::optional<PostgresError> put(SinkRowsView const& rows, bool with_rows,
                                                 std::span<Outcome> out);
  void encode(SinkRowsView const& rows);
  void tell(PostgresRows const& written, SinkRowsView const& rows, std::span<Outcome> out) const;

  PostgresSettings settings_;
  SinkSchema schema_;
  std::string progress_sql_;
  std::optional<PostgresConnection> connection_;  // none: the next write connects
  postgres::Insert insert_;
  std::vector<std::string> arrays_;    // one per column
  std::vector<std::string> progress_;  // parameters of progress_sql_
};

}  // namespace windrow
