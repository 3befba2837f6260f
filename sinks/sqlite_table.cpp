// The table of a SQLite sink: its SQL text, and the check of a table that exists.
#include "sinks/sqlite_table.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "host/engine/snapshot.hpp"
#include "sinks/sql_name.hpp"

namespace windrow {
namespace {

std::string_view sql_type(ValueType type) {
  switch (type) {
    case ValueType::boolean:
    case ValueType::integer:
      return "INTEGER";
    case ValueType::number:
      return "REAL";
    case ValueType::bytes:
      return "BLOB";
    case ValueType::string:
    case ValueType::list:
    case ValueType::structure:
      return "TEXT";
  }
  return "TEXT";
}

// How SQLite converts what is stored in a column, from the declared type (its documentation,
// "Determination Of Column Affinity").
enum class Affinity { integer, text, none, real, numeric };
Affinity affinity(std::string_view declared) {
  std::string type(declared);
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  auto const has = [&](char const* word) { return type.find(word) != std::string::npos; };
  if (has("INT")) {
    return Affinity::integer;
  }
  if (has("CHAR") || has("CLOB") || has("TEXT")) {
    return Affinity::text;
  }
  if (type.empty() || has("BLOB")) {
    return Affinity::none;
  }
  return has("REAL") || has("FLOA") || has("DOUB") ? Affinity::real : Affinity::numeric;
}

struct StoredColumn {
  std::string name, declared;
  bool demanded = false;  // must be given in an INSERT
};

std::vector<StoredColumn> stored_columns(SqliteDatabase& database, std::string_view table) {
  SqliteStatement info = database.prepare(
      "SELECT name, type, \"notnull\" <> 0 AND dflt_value IS NULL AND hidden = 0"
      " AND NOT (pk <> 0 AND upper(type) = 'INTEGER') FROM pragma_table_xinfo(?)");
  static_cast<void>(info.bind_text(1, table));
  std::vector<StoredColumn> columns;
  while (info.step() == SQLITE_ROW) {
    columns.push_back({std::string(info.text(0)), std::string(info.text(1)), info.integer(2) != 0});
  }
  return columns;
}

[[noreturn]] void refuse(SqliteDatabase const& database, std::string_view table,
                         std::string_view what) {
  throw EnvironmentError(
      fmt::format("sqlite sink: {}: path={} table={}", what, database.path(), table), 69);
}

bool same_name(std::string const& a, std::string const& b) {  // SQLite folds ASCII case
  return sqlite3_stricmp(a.c_str(), b.c_str()) == 0;
}

}  // namespace

std::string create_table_sql(std::string_view table, SinkSchema const& schema) {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + quoted(table) + " (";
  for (std::size_t i = 0; i < schema.columns.fields.size(); ++i) {
    Field const& field = schema.columns.fields[i];
    sql +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted(field.name), sql_type(field.type.kind));
    if (schema.upsert && i == schema.id) {
      sql += " NOT NULL PRIMARY KEY";
    } else if (schema.upsert && i == schema.version) {
      sql += " NOT NULL";
    }
  }
  return sql + (schema.upsert ? ") WITHOUT ROWID" : ")");
}

std::string insert_sql(std::string_view table, SinkSchema const& schema) {
  std::string names, marks, sets;
  for (std::size_t i = 0; i < schema.columns.fields.size(); ++i) {
    std::string const name = quoted(schema.columns.fields[i].name);
    names += (i == 0 ? "" : ", ") + name;
    marks += i == 0 ? "?" : ", ?";
    if (i != schema.id) {
      sets += fmt::format("{}{} = excluded.{}", sets.empty() ? "" : ", ", name, name);
    }
  }
  std::string sql =
      fmt::format("INSERT INTO {} AS stored ({}) VALUES ({})", quoted(table), names, marks);
  if (!schema.upsert) {
    return sql;
  }
  std::string const version = quoted(schema.columns.fields[schema.version].name);
  // COLLATE BINARY: a unique index that folds case would make two ids one row, and is no match.
  return sql + fmt::format(
                   " ON CONFLICT ({} COLLATE BINARY) DO UPDATE SET {}"
                   " WHERE excluded.{} >= coalesce(stored.{}, excluded.{})",
                   quoted(schema.columns.fields[schema.id].name), sets, version, version, version);
}

void check_table(SqliteDatabase& database, std::string_view table, SinkSchema const& schema) {
  std::vector<StoredColumn> const stored = stored_columns(database, table);
  if (stored.empty()) {
    refuse(database, table, "the table must exist; create it or set create_table: true");
  }
  std::string missing, demanded;
  for (std::size_t i = 0; i < schema.columns.fields.size(); ++i) {
    std::string const& name = schema.columns.fields[i].name;
    auto const at = std::find_if(stored.begin(), stored.end(),
                                 [&](StoredColumn const& s) { return same_name(s.name, name); });
    if (at == stored.end()) {
      missing += (missing.empty() ? "" : ", ") + name;
      continue;
    }
    Affinity const holds = affinity(at->declared);
    if (schema.upsert && i == schema.id && holds != Affinity::text && holds != Affinity::none) {
      refuse(database, table,
             fmt::format("column '{}' must hold text, not {}", name, at->declared));
    }
    if (schema.upsert && i == schema.version && holds != Affinity::integer &&
        holds != Affinity::numeric && holds != Affinity::none) {
      refuse(database, table,
             fmt::format("column '{}' must hold integers, since the guard compares it, not {}",
                         name, at->declared));
    }
  }
  if (!missing.empty()) {
    refuse(database, table, "the table must have all columns of the sink; missing: " + missing);
  }
  for (StoredColumn const& column : stored) {
    bool const given =
        std::any_of(schema.columns.fields.begin(), schema.columns.fields.end(),
                    [&](Field const& field) { return same_name(field.name, column.name); });
    if (column.demanded && !given) {
      demanded += (demanded.empty() ? "" : ", ") + column.name;
    }
  }
  if (!demanded.empty()) {
    refuse(database, table,
           "columns that the sink does not write must be nullable or have a default: " + demanded);
  }
  try {
    static_cast<void>(database.prepare(insert_sql(table, schema)));
  } catch (EnvironmentError const& error) {
    if (schema.upsert && database.message().find("ON CONFLICT") != std::string::npos) {
      refuse(database, table,
             fmt::format("column '{}' must be the primary key or unique by itself",
                         schema.columns.fields[schema.id].name));
    }
    throw;
  }
}

}  // namespace windrow
