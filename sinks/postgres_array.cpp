// Columns as PostgreSQL's binary arrays (its sources: array_recv, int8recv, timestamptz_recv).
#include "sinks/postgres_array.hpp"

#include <bit>
#include <limits>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

void put32(std::string& out, std::uint32_t v) {
  v = __builtin_bswap32(v);
  out.append(reinterpret_cast<char const*>(&v), sizeof v);
}
void put64(std::string& out, std::uint64_t v) {
  v = __builtin_bswap64(v);
  out.append(reinterpret_cast<char const*>(&v), sizeof v);
}
void put_text(std::string& out, std::string_view text) {
  put32(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

// PostgreSQL counts microseconds from 2000 and has two infinities.
std::int64_t time_of(std::int64_t us) {
  constexpr std::int64_t year_2000 = 946'684'800'000'000;
  if (us >= T_END.us) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return us < std::numeric_limits<std::int64_t>::min() + year_2000
             ? std::numeric_limits<std::int64_t>::min()
             : us - year_2000;
}

}  // namespace

PostgresType postgres_type(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return {"bool", 16};
    case ValueType::integer:
      return {"int8", 20};
    case ValueType::number:
      return {"float8", 701};
    case ValueType::bytes:
      return {"bytea", 17};
    case ValueType::string:
    case ValueType::list:
    case ValueType::structure:
      return {"text", 25};
  }
  return {"text", 25};
}

void encode_array(ColumnView const& column, std::size_t rows, PostgresType type, std::string& out) {
  constexpr std::uint32_t null = UINT32_MAX;
  static_assert(std::endian::native == std::endian::little);
  out.clear();
  put32(out, rows == 0 ? 0 : 1);             // dimensions
  put32(out, column.valid.empty() ? 0 : 1);  // may hold nulls
  put32(out, type.oid);
  if (rows == 0) {
    return;
  }
  put32(out, static_cast<std::uint32_t>(rows));
  put32(out, 1);  // the first index
  std::string json;
  for (std::size_t row = 0; row < rows; ++row) {
    if (!column.is_valid(row)) {
      put32(out, null);
      continue;
    }
    switch (column.type) {
      case ValueType::boolean:
        put32(out, 1);
        out += static_cast<char>(column.booleans()[row] != 0 ? 1 : 0);
        break;
      case ValueType::integer: {
        std::int64_t const v = column.integers()[row];
        put32(out, 8);
        put64(out, static_cast<std::uint64_t>(type.oid == postgres_time.oid ? time_of(v) : v));
        break;
      }
      case ValueType::number:
        put32(out, 8);
        put64(out, std::bit_cast<std::uint64_t>(column.numbers()[row]));
        break;
      case ValueType::string:
      case ValueType::bytes:
        put_text(out, column.text(row));
        break;
      case ValueType::list:
      case ValueType::structure:
        json.clear();
        append_json(column.at(row), json);
        put_text(out, json);
        break;
    }
  }
}

}  // namespace windrow
