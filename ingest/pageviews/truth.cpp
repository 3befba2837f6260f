// The truth about page views: count, sort, cut where 30 minutes are silent.
#include "ingest/pageviews/truth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace windrow::pageviews {
namespace {

constexpr std::int64_t window_ms = 300'000, session_gap_ms = 1'800'000;
constexpr std::size_t top_rows = 10;

// Stamps are after 1970: the generator begins there and nothing is stamped more than a day before.
constexpr std::int64_t window_of(std::int64_t ms) { return ms - ms % window_ms; }

}  // namespace

void Truth::add(Line const& line) {
  ++counts_.lines;
  counts_.bytes += line.json.size() + 1;
  counts_.copies += line.copy ? 1 : 0;
  counts_.rejoined += line.rejoins && !line.copy ? 1 : 0;
  if (line.fate == Fate::truncated) {
    ++counts_.truncated;
    return;
  }
  if (reading_ == Reading::streamed && line.fate == Fate::late) {
    ++counts_.late;
    return;
  }
  if (reading_ == Reading::streamed && line.fate == Fate::future) {
    ++counts_.future;
    return;
  }
  ++counts_.accepted;
  ++views_[{window_of(line.stamp_ms), line.page}];
  stamps_[line.user].push_back(line.stamp_ms);
}

Tables Truth::tables() const {
  Tables tables;
  for (auto const& [key, count] : views_) {
    auto const& [window, page] = key;
    tables.views[{window, url_of(page)}] = count;
    tables.top[window].push_back({url_of(page), count});
  }
  for (auto& [window, pages] : tables.top) {
    std::sort(pages.begin(), pages.end(), [](PageCount const& a, PageCount const& b) {
      return a.views != b.views ? a.views > b.views : a.url < b.url;
    });
    pages.resize(std::min(pages.size(), top_rows));
  }
  for (auto const& [user, unsorted] : stamps_) {
    std::vector<std::int64_t> stamps = unsorted;
    std::sort(stamps.begin(), stamps.end());
    std::size_t first = 0;
    for (std::size_t i = 0; i < stamps.size(); ++i) {
      if (i + 1 < stamps.size() && stamps[i + 1] - stamps[i] < session_gap_ms) {
        continue;
      }
      std::int64_t const end = stamps[i] + session_gap_ms;
      std::uint64_t const views = i + 1 - first;
      tables.sessions[{stamps[first], user_id(user)}] = {end, views};
      // A session that ends at a border of five minutes lies before it: its last instant counts.
      SessionCount& of_window = tables.sessions_5m[window_of(end - 1)];
      ++of_window.sessions;
      of_window.views += views;
      first = i + 1;
    }
  }
  return tables;
}

void write_json(Truth const& truth, std::string& out) {
  auto to = std::back_inserter(out);
  Counts const& c = truth.counts();
  fmt::format_to(
      to,
      "{{\"lines\":{},\"bytes\":{},\"copies\":{},\"accepted\":{},\"late\":{},\"future\":{},"
      "\"truncated\":{},\"rejoined\":{}",
      c.lines, c.bytes, c.copies, c.accepted, c.late, c.future, c.truncated, c.rejoined);
  Tables const tables = truth.tables();
  char const* comma = "";
  auto const separate = [&] {
    fmt::format_to(to, "{}\n", comma);
    comma = ",";
  };
  out += ",\n\"views\":[";
  for (auto const& [key, views] : tables.views) {
    separate();
    fmt::format_to(to, R"({{"window_start":{}000,"url":"{}","views":{}}})", key.first, key.second,
                   views);
  }
  out += "],\n\"top\":[";
  comma = "";
  for (auto const& [window, pages] : tables.top) {
    separate();
    fmt::format_to(to, R"({{"window_start":{}000,"pages":[)", window);
    for (std::size_t i = 0; i < pages.size(); ++i) {
      fmt::format_to(to, R"({}{{"rank":{},"url":"{}","views":{}}})", i == 0 ? "" : ",", i + 1,
                     pages[i].url, pages[i].views);
    }
    out += "]}";
  }
  out += "],\n\"sessions\":[";
  comma = "";
  for (auto const& [key, session] : tables.sessions) {
    separate();
    fmt::format_to(to, R"({{"window_start":{}000,"window_end":{}000,"user_id":"{}","views":{}}})",
                   key.first, session.end_ms, key.second, session.views);
  }
  out += "],\n\"sessions_5m\":[";
  comma = "";
  for (auto const& [window, count] : tables.sessions_5m) {
    separate();
    fmt::format_to(to, R"({{"window_start":{}000,"sessions":{},"views":{}}})", window,
                   count.sessions, count.views);
  }
  out += "]}\n";
}

}  // namespace windrow::pageviews
