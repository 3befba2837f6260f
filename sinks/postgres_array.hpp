// Columns as PostgreSQL's binary arrays: one parameter of a statement each, which unnest turns back
// into rows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/engine/batch.hpp"

namespace windrow {

// What an array holds: its name in SQL and its number in pg_type.
struct PostgresType {
  std::string_view name;
  std::uint32_t oid = 0;
};
// Lists and structures go as text, their JSON.
[[nodiscard]] PostgresType postgres_type(ValueType type);
inline constexpr PostgresType postgres_time{"timestamptz", 1184};

// Replaces `out` by rows [0, rows) of `column` in the binary form of an array of `type`:
// postgres_type of the column, or postgres_time of microseconds since 1970, where what lies outside
// of (T_MIN, T_END) is -infinity or infinity.
void encode_array(ColumnView const& column, std::size_t rows, PostgresType type, std::string& out);

}  // namespace windrow
