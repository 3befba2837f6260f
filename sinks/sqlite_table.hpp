// The table of a SQLite sink: its SQL text from the columns of the sink, and the check of a table
// that exists.
#pragma once
#include <string>

#include "host/engine/sink.hpp"
#include "sinks/sqlite_database.hpp"

namespace windrow {

// CREATE TABLE IF NOT EXISTS.  Types by schema: boolean and integer INTEGER, number REAL, bytes
// BLOB, all else TEXT (lists and structures as JSON).  Upserting, `id` is the primary key; key
// fields may be null, which is why they are not.
[[nodiscard]] std::string create_table_sql(std::string_view table, SinkSchema const& schema);

// INSERT with one parameter per column, in order; upserting, a stored row gives way to one of the
// same id whose version is not lower, or if it has none (nobody versioned it).
[[nodiscard]] std::string insert_sql(std::string_view table, SinkSchema const& schema);

// EnvironmentError 69 unless every row of `schema` can go into `table`: it exists, has all columns,
// demands no other, `id` is unique by itself and holds text, the version holds integers.
void check_table(SqliteDatabase& database, std::string_view table, SinkSchema const& schema);

}  // namespace windrow
