// Rows in a table of a PostgreSQL database: one guarded upsert per batch.
#include "sinks/postgres_sink.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/engine/snapshot.hpp"
#include "host/model/portable.hpp"

namespace windrow {

PostgresSink::PostgresSink(PostgresSettings settings, SinkSchema schema)
    : settings_(std::move(settings)),
      schema_(std::move(schema)),
      progress_sql_(
          fmt::format("INSERT INTO {} AS stored (sink, acked_batch, watermark, pane_version)"
                      " VALUES ($1, $2::bigint, nullif($3, '')::bigint, $4::bigint)"
                      " ON CONFLICT (sink) DO UPDATE SET acked_batch = excluded.acked_batch,"
                      " watermark = excluded.watermark, pane_version = excluded.pane_version"
                      " WHERE excluded.pane_version >= stored.pane_version",
                      postgres::progress_table(settings_.table))),
      arrays_(schema_.columns.fields.size()) {
  WINDROW_ASSERT(
      !schema_.upsert || (schema_.id < arrays_.size() && schema_.version < arrays_.size()),
      "an upsert needs an id and a version");
}

void PostgresSink::open() {
  try {
    if (settings_.create_table) {
      PostgresConnection connection(settings_.login);
      postgres::create_if_missing(connection, postgres::quoted_table(settings_.table),
                                  postgres::create_table_sql(settings_.table, schema_));
    }
    connect();
  } catch (PostgresError const& error) {
    refuse_start(error);
  }
}

void PostgresSink::refuse_start(PostgresError const& error) const {
  throw EnvironmentError(fmt::format("postgres sink: {}: table={}", error.what(), settings_.table),
                         69);
}

std::optional<std::int64_t> PostgresSink::last_version() {
  std::string const sql = fmt::format("SELECT pane_version FROM {} WHERE sink = $1",
                                      postgres::progress_table(settings_.table));
  try {
    PostgresRows const rows = connection_->run({sql, {&settings_.name, 1}});
    return rows.size() == 0 ? std::nullopt : std::optional(std::stoll(std::string(rows.at(0, 0))));
  } catch (PostgresError const& error) {
    refuse_start(error);
  }
}

// Also after a fault, so that a table that was mended meanwhile is looked at anew; but nothing is
// created then in the place of a table that is gone with its rows.
void PostgresSink::connect() {
  PostgresConnection connection(settings_.login);
  insert_ = postgres::make_insert(connection, settings_.table, schema_);
  std::string const progress = postgres::progress_table(settings_.table);
  postgres::create_if_missing(
      connection, progress,
      fmt::format("CREATE TABLE {} (sink text PRIMARY KEY, acked_batch bigint NOT NULL,"
                  " watermark bigint, pane_version bigint NOT NULL)",
                  progress));
  connection_.emplace(std::move(connection));
}

void PostgresSink::write(SinkRowsView const& rows, std::span<Outcome> out,
                         std::vector<SinkFault>& faults) {
  WINDROW_ASSERT(out.size() == rows.rows && rows.columns.size() == arrays_.size(),
                 "one outcome per row, one column per field");
  faults.clear();
  std::optional<PostgresError> error = put(rows, true, out);
  if (error && error->outcome() == Outcome::split && rows.rows == 1) {
    faults.push_back({0, fmt::format("postgres sink: the row must fit: table={}: {}",
                                     settings_.table, error->what())});
    error = put(rows, false, out);  // its batch goes on without it
    if (!error) {
      out[0] = Outcome::dead_letter;
      return;
    }
  }
  if (error) {
    std::fill(out.begin(), out.end(), error->outcome());
    faults.assign(1, {0, fmt::format("postgres sink: the batch must be written: table={}: {}",
                                     settings_.table, error->what())});
  }
}

// One transaction: the rows, if they are to be there, and the progress behind the last of a batch.
std::optional<PostgresError> PostgresSink::put(SinkRowsView const& rows, bool with_rows,
                                               std::span<Outcome> out) {
  if (!with_rows && !rows.is_last) {
    return std::nullopt;
  }
  try {
    if (!connection_) {
      connect();
    }
    std::vector<PostgresStatement> statements;
    if (with_rows) {
      encode(rows);
      statements.push_back({insert_.sql, arrays_, true, true});
    }
    if (rows.is_last) {
      progress_ = {settings_.name, std::to_string(rows.batch_no),
                   rows.watermark ? std::to_string(rows.watermark->us) : "",
                   std::to_string(rows.pane_version)};
      statements.push_back({progress_sql_, progress_});
    }
    std::vector<PostgresRows> const written = connection_->transact(statements);
    if (with_rows) {
      tell(written.front(), rows, out);
    }
    return std::nullopt;
  } catch (PostgresError const& error) {
    if (connection_ && (error.outcome() == Outcome::pause || !connection_->is_open())) {
      connection_.reset();
    }
    return error;
  }
}

void PostgresSink::encode(SinkRowsView const& rows) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    encode_array(rows.columns[i], rows.rows, insert_.types[i], arrays_[i]);
    bytes += arrays_[i].size();
  }
  if (bytes > settings_.request_bytes_max) {
    throw PostgresError(fmt::format("a request must not be larger than {} bytes: bytes={}",
                                    settings_.request_bytes_max, bytes),
                        Outcome::split);
  }
}

// `written` are the ids that were, in the order of the rows.
void PostgresSink::tell(PostgresRows const& written, SinkRowsView const& rows,
                        std::span<Outcome> out) const {
  std::fill(out.begin(), out.end(), Outcome::ok);
  if (!schema_.upsert) {
    return;
  }
  std::size_t next = 0;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if (next < written.size() && written.at(next, 0) == rows.columns[schema_.id].text(row)) {
      ++next;
    } else {
      out[row] = Outcome::superseded;
    }
  }
}

}  // namespace windrow
