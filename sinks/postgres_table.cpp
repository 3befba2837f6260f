// The table of a PostgreSQL sink: its SQL text, and the check of a table that exists.
#include "sinks/postgres_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sinks/sql_name.hpp"

namespace windrow::postgres {
namespace {

std::string_view column_type(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return "boolean";
    case ValueType::integer:
      return "bigint";
    case ValueType::number:
      return "double precision";
    case ValueType::string:
      return "text";
    case ValueType::bytes:
      return "bytea";
    case ValueType::list:
    case ValueType::structure:
      return "jsonb";
  }
  return "text";
}

//   demanded  must be given in an INSERT
//   distinct  its collation tells all texts apart
struct StoredColumn {
  std::string name, type;
  bool demanded = false, distinct = true;
};

// Of a domain the type below it counts.
std::vector<StoredColumn> stored_columns(PostgresConnection& connection, std::string const& table) {
  static std::string const sql =
      "SELECT a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL),"
      " a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',"
      " coalesce(c.collisdeterministic, true)"
      " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
      " LEFT JOIN pg_collation c ON c.oid = a.attcollation"
      " WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped"
      " ORDER BY a.attnum";
  PostgresRows const rows = connection.run({sql, {&table, 1}});
  std::vector<StoredColumn> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    columns.push_back({std::string(rows.at(i, 0)), std::string(rows.at(i, 1)), rows.at(i, 2) == "t",
                       rows.at(i, 3) == "t"});
  }
  return columns;
}

[[noreturn]] void refuse(std::string const& what) { throw PostgresError(what, Outcome::pause); }

void check_column(SinkSchema const& schema, std::size_t i, StoredColumn const& stored) {
  std::string const& name = stored.name;
  if (schema.upsert && i == schema.id) {
    if (stored.type != "text" && stored.type != "character varying") {
      refuse(fmt::format("column '{}' must hold text, not {}", name, stored.type));
    }
    if (!stored.distinct) {
      refuse(fmt::format("column '{}' must have a deterministic collation: else two ids are one",
                         name));
    }
  }
  if (schema.upsert && i == schema.version && stored.type != "bigint" && stored.type != "numeric") {
    refuse(fmt::format("column '{}' must be bigint, since the guard compares it, not {}", name,
                       stored.type));
  }
}

}  // namespace

std::string quoted_table(std::string_view table) {
  std::size_t const dot = table.find('.');
  return dot == std::string_view::npos
             ? quoted(table)
             : quoted(table.substr(0, dot)) + '.' + quoted(table.substr(dot + 1));
}

std::string progress_table(std::string_view table) {
  std::size_t const dot = table.find('.');
  return (dot == std::string_view::npos ? "" : quoted(table.substr(0, dot)) + '.') +
         "_windrow_progress";
}

std::string create_table_sql(std::string_view table, SinkSchema const& schema) {
  std::string sql = "CREATE TABLE " + quoted_table(table) + " (";
  for (std::size_t i = 0; i < schema.columns.fields.size(); ++i) {
    Field const& field = schema.columns.fields[i];
    sql += fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted(field.name),
                       column_type(field.type.kind));
    if (schema.upsert && i == schema.id) {
      sql += " COLLATE \"C\" PRIMARY KEY";
    } else if (schema.upsert && i == schema.version) {
      sql += " NOT NULL";
    }
  }
  return sql + (schema.upsert ? ") WITH (fillfactor = 80)" : ")");
}

void create_if_missing(PostgresConnection& connection, std::string const& quoted_name,
                       std::string const& create) {
  static std::string const exists = "SELECT 1 WHERE to_regclass($1) IS NOT NULL";
  if (connection.run({exists, {&quoted_name, 1}}).size() > 0) {
    return;  // before CREATE is asked for, which needs a right that INSERT does not
  }
  // CREATE TABLE IF NOT EXISTS fails where two do so at once: one after the other.
  connection.run_script("SELECT pg_advisory_xact_lock(33608043229900663); " +
                        std::string("CREATE TABLE IF NOT EXISTS") +
                        create.substr(std::string_view("CREATE TABLE").size()));
}

Insert make_insert(PostgresConnection& connection, std::string_view table,
                   SinkSchema const& schema) {
  std::vector<StoredColumn> const stored = stored_columns(connection, quoted_table(table));
  if (stored.empty()) {
    refuse("the table must exist; create it or set create_table: true");
  }
  Insert out;
  std::string names, values, arrays, aliases, sets, missing, demanded;
  for (std::size_t i = 0; i < schema.columns.fields.size(); ++i) {
    Field const& field = schema.columns.fields[i];
    auto const at = std::find_if(stored.begin(), stored.end(),
                                 [&](StoredColumn const& s) { return s.name == field.name; });
    if (at == stored.end()) {
      missing += (missing.empty() ? "" : ", ") + field.name;
      continue;
    }
    check_column(schema, i, *at);
    bool const time = std::find(schema.times.begin(), schema.times.end(), i) != schema.times.end();
    bool const json = at->type == "json" || at->type == "jsonb";
    out.types.push_back(time && at->type == "timestamp with time zone"
                            ? postgres_time
                            : postgres_type(field.type.kind));
    std::string const name = quoted(field.name), comma = i == 0 ? "" : ", ";
    names += comma + name;
    // Text becomes JSON only where that is said; all else is converted as in any INSERT.
    values += fmt::format("{}r.c{}{}", comma, i, json ? "::" + at->type : "");
    arrays += fmt::format("{}${}::{}[]", comma, i + 1, out.types.back().name);
    aliases += fmt::format("{}c{}", comma, i);
    if (i != schema.id) {
      sets += fmt::format("{}{} = excluded.{}", sets.empty() ? "" : ", ", name, name);
    }
  }
  if (!missing.empty()) {
    refuse("the table must have all columns of the sink; missing: " + missing);
  }
  for (StoredColumn const& column : stored) {
    bool const given = std::any_of(schema.columns.fields.begin(), schema.columns.fields.end(),
                                   [&](Field const& field) { return field.name == column.name; });
    if (column.demanded && !given) {
      demanded += (demanded.empty() ? "" : ", ") + column.name;
    }
  }
  if (!demanded.empty()) {
    refuse("columns that the sink does not write must be nullable or have a default: " + demanded);
  }
  out.sql = fmt::format("INSERT INTO {} AS stored ({}) SELECT {} FROM unnest({}) AS r ({})",
                        quoted_table(table), names, values, arrays, aliases);
  if (schema.upsert) {
    std::string const id = quoted(schema.columns.fields[schema.id].name);
    std::string const version = quoted(schema.columns.fields[schema.version].name);
    out.sql += fmt::format(
        " ON CONFLICT ({}) DO UPDATE SET {} WHERE excluded.{} >= coalesce(stored.{}, excluded.{})"
        " RETURNING stored.{}",
        id, sets, version, version, version, id);
  }
  // The server plans it, which looks at types, rights and the unique index, and runs nothing.
  std::string const explain = "EXPLAIN " + out.sql;
  std::vector<std::string> const none(out.types.size(), "{}");
  try {
    static_cast<void>(connection.run({explain, none}));
  } catch (PostgresError const& error) {
    if (std::string_view(error.what()).find("42P10") != std::string_view::npos) {
      refuse(fmt::format("column '{}' must be the primary key or unique by itself",
                         schema.columns.fields[schema.id].name));
    }
    throw;
  }
  return out;
}

}  // namespace windrow::postgres
