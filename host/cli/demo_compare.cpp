// Every row of the demo's tables against the truth, and what the tables say.
#include <fmt/format.h>

#include <iterator>
#include <map>

#include "host/cli/demo.hpp"
#include "host/cli/live_view.hpp"
#include "host/model/time.hpp"
#include "sinks/sqlite_database.hpp"

#include <sqlite3.h>

namespace windrow::cli {
namespace {

constexpr std::size_t examples_max = 5;

// Rows as text: what names a row and what it says.
using Rows = std::map<std::string, std::string>;

// `query` gives name and content of every row that is not withdrawn.
Comparison compare(SqliteDatabase& database, std::string table, Rows const& truth,
                   std::string const& query) {
  Comparison result;
  result.table = std::move(table);
  result.rows = truth.size();
  auto const differs = [&](std::string text) {
    ++result.differences;
    if (result.examples.size() < examples_max) {
      result.examples.push_back(std::move(text));
    }
  };
  std::map<std::string, std::string> left = truth;
  SqliteStatement found = database.prepare(query);
  while (found.step() == SQLITE_ROW) {
    std::string const name(found.text(0)), content(found.text(1));
    auto const expected = left.find(name);
    if (expected == left.end()) {
      differs(fmt::format("{}: {}: not true, has {}", result.table, name, content));
      continue;
    }
    if (expected->second != content) {
      differs(
          fmt::format("{}: {}: true {}, has {}", result.table, name, expected->second, content));
    }
    left.erase(expected);
  }
  for (auto const& [name, content] : left) {
    differs(fmt::format("{}: {}: missing, true {}", result.table, name, content));
  }
  SqliteStatement withdrawn =
      database.prepare(fmt::format("SELECT count(*) FROM {} WHERE deleted", result.table));
  if (withdrawn.step() == SQLITE_ROW) {
    result.withdrawn = static_cast<std::uint64_t>(withdrawn.integer(0));
  }
  return result;
}

std::string five_minutes(std::int64_t start_us) {
  return time_text(EventTime{start_us}).substr(0, 16);
}

}  // namespace

std::vector<Comparison> compare_with_truth(std::string const& path,
                                           pageviews::Tables const& truth) {
  SqliteDatabase database(path, false, 10'000);
  Rows views, top, sessions, sessions_5m;
  for (auto const& [key, count] : truth.views) {
    views[fmt::format("{} {}", key.first * 1000, key.second)] = fmt::format("{}", count);
  }
  for (auto const& [window, pages] : truth.top) {
    for (std::size_t i = 0; i < pages.size(); ++i) {
      top[fmt::format("{} {}", window * 1000, i + 1)] =
          fmt::format("{} {}", pages[i].url, pages[i].views);
    }
  }
  for (auto const& [key, session] : truth.sessions) {
    sessions[fmt::format("{} {}", key.first * 1000, key.second)] =
        fmt::format("{} {}", session.end_ms * 1000, session.views);
  }
  for (auto const& [window, count] : truth.sessions_5m) {
    sessions_5m[fmt::format("{}", window * 1000)] =
        fmt::format("{} {}", count.sessions, count.views);
  }
  std::vector<Comparison> results;
  results.push_back(compare(database, "views_5m", views,
                            "SELECT window_start || ' ' || url, CAST(views AS TEXT) FROM views_5m "
                            "WHERE NOT deleted"));
  results.push_back(
      compare(database, "top_pages_5m", top,
              "SELECT window_start || ' ' || json_extract(page.value, '$.rank'), "
              "json_extract(page.value, '$.url') || ' ' || json_extract(page.value, '$.views') "
              "FROM top_pages_5m, json_each(top_pages_5m.pages) AS page WHERE NOT deleted"));
  results.push_back(compare(database, "sessions", sessions,
                            "SELECT window_start || ' ' || user_id, window_end || ' ' || views "
                            "FROM sessions WHERE NOT deleted"));
  // A mean times its count is a whole number but for rounding: below 2 n u sum|x| < 1e-8 here
  // (semantics.md 16.4), while another sum would be off by 1.
  results.push_back(compare(
      database, "sessions_5m", sessions_5m,
      "SELECT CAST(window_start AS TEXT), sessions || ' ' || CASE WHEN abs(mean_views * sessions - "
      "round(mean_views * sessions)) < 1e-6 THEN CAST(round(mean_views * sessions) AS INTEGER) "
      "ELSE "
      "mean_views * sessions END FROM sessions_5m WHERE NOT deleted"));
  return results;
}

std::string results_text(std::string const& path) {
  SqliteDatabase database(path, false, 10'000);
  std::string out = "most viewed pages\n";
  auto to = std::back_inserter(out);
  SqliteStatement pages = database.prepare(
      "SELECT url, sum(views) FROM views_5m WHERE NOT deleted GROUP BY url ORDER BY 2 DESC, 1 "
      "LIMIT 10");
  while (pages.step() == SQLITE_ROW) {
    fmt::format_to(to, "  {:<16} {:>10}\n", pages.text(0),
                   count_text(static_cast<std::uint64_t>(pages.integer(1))));
  }
  SqliteStatement window = database.prepare(
      "SELECT window_start, sum(views) FROM views_5m WHERE NOT deleted GROUP BY 1 ORDER BY 2 DESC, "
      "1 "
      "LIMIT 1");
  if (window.step() == SQLITE_ROW) {
    std::int64_t const start = window.integer(0);
    fmt::format_to(to, "busiest five minutes: {}, {} views\n", five_minutes(start),
                   count_text(static_cast<std::uint64_t>(window.integer(1))));
    SqliteStatement top = database.prepare(fmt::format(
        "SELECT json_extract(page.value, '$.url'), json_extract(page.value, '$.views') FROM "
        "top_pages_5m, json_each(top_pages_5m.pages) AS page WHERE window_start = {} ORDER BY "
        "page.key "
        "LIMIT 3",
        start));
    while (top.step() == SQLITE_ROW) {
      fmt::format_to(to, "  {:<16} {:>10}\n", top.text(0),
                     count_text(static_cast<std::uint64_t>(top.integer(1))));
    }
  }
  SqliteStatement sessions = database.prepare(
      "SELECT count(*), coalesce(sum(views), 0), coalesce(max(views), 0) FROM sessions WHERE NOT "
      "deleted");
  if (sessions.step() == SQLITE_ROW) {
    fmt::format_to(to, "sessions: {} with {} views, the longest {}\n",
                   count_text(static_cast<std::uint64_t>(sessions.integer(0))),
                   count_text(static_cast<std::uint64_t>(sessions.integer(1))),
                   sessions.integer(2));
  }
  SqliteStatement ended = database.prepare(
      "SELECT window_start, sessions, mean_views FROM sessions_5m WHERE NOT deleted ORDER BY 2 "
      "DESC, 1 "
      "LIMIT 3");
  out += "most sessions ended in\n";
  while (ended.step() == SQLITE_ROW) {
    fmt::format_to(to, "  {:<16} {:>10}, {} views each\n", five_minutes(ended.integer(0)),
                   count_text(static_cast<std::uint64_t>(ended.integer(1))),
                   ended.text(2).substr(0, 4));
  }
  return out;
}

}  // namespace windrow::cli
