// The table of a PostgreSQL sink: its SQL text from the columns of the sink, and the check of a
// table that exists.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/sink.hpp"
#include "sinks/postgres_array.hpp"
#include "sinks/postgres_connection.hpp"

namespace windrow::postgres {

// `table` or `schema.table`, each part quoted; and the table of readers beside it.
[[nodiscard]] std::string quoted_table(std::string_view table);
[[nodiscard]] std::string progress_table(std::string_view table);

// CREATE TABLE.  Types by schema: boolean, bigint, double precision, text, bytea; lists and
// structures jsonb.  Upserting, `id` is the primary key, as in SQLite, and pages keep room for
// rows that are overwritten.
[[nodiscard]] std::string create_table_sql(std::string_view table, SinkSchema const& schema);

// The statement of a batch: INSERT with one array per column, in order, of these types.  Upserting,
// a stored row gives way to one of the same id whose version is not lower, or if it has none
// (nobody versioned it); the ids of the rows written come back, in order.
struct Insert {
  std::string sql;
  std::vector<PostgresType> types;
};

// Makes the statement for the table as it is.  PostgresError (pause) unless every row of `schema`
// can go into it: it exists, has all columns, demands no other, `id` is unique by itself, holds
// text and tells all texts apart, the version holds 64 bits, and the server would run the
// statement.
[[nodiscard]] Insert make_insert(PostgresConnection& connection, std::string_view table,
                                 SinkSchema const& schema);

// Creates `table` by `create` unless there is one of that name, whoever else does so at this time.
void create_if_missing(PostgresConnection& connection, std::string const& quoted_name,
                       std::string const& create);

}  // namespace windrow::postgres
