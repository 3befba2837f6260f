// Page views: the same bytes for a seed, slices alone, and a truth that holds however batches are
// cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "ingest/pageviews/generator.hpp"
#include "ingest/pageviews/truth.hpp"

namespace windrow::pageviews {
namespace {

std::vector<Line> lines_of(Settings const& settings) {
  Generator generator(settings);
  std::vector<Line> lines;
  for (Line line; generator.next(line);) {
    lines.push_back(line);
  }
  return lines;
}

// FNV-1a, 64 bits.
std::uint64_t hash_of(std::vector<Line> const& lines) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (Line const& line : lines) {
    for (char const c : line.json + '\n') {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
  }
  return hash;
}

std::string text_of(std::string_view json, std::string const& field) {
  std::string const before = "\"" + field + "\":\"";
  std::size_t const at = json.find(before) + before.size();
  return std::string(json.substr(at, json.find('"', at) - at));
}
std::int64_t stamp_of(std::string_view json) {
  return std::stoll(std::string(json.substr(json.find("\"ts\":") + 5)));
}

}  // namespace

TEST(PageviewsTest, ASeedGivesTheseBytes) {
  std::vector<Line> const lines = lines_of(Settings{});
  Truth truth(Reading::streamed);
  for (Line const& line : lines) {
    truth.add(line);
  }
  Counts const& counts = truth.counts();
  EXPECT_EQ(hash_of(lines), 14416360412707599304U);
  EXPECT_EQ(counts.lines, 100'110U);
  EXPECT_EQ(counts.bytes, 13'385'018U);
  EXPECT_EQ(counts.copies, 110U);
  EXPECT_EQ(counts.accepted, 99'948U);
  EXPECT_EQ(counts.late, 47U);
  EXPECT_EQ(counts.future, 26U);
  EXPECT_EQ(counts.truncated, 89U);
  EXPECT_EQ(counts.rejoined, 292U);
  EXPECT_EQ(truth.tables().sessions.size(), 15'681U);
  EXPECT_EQ(truth.tables().views.size(), 23'609U);
  EXPECT_EQ(counts.lines, counts.accepted + counts.late + counts.future + counts.truncated);
}

TEST(PageviewsTest, AnotherSeedGivesOthersAndTheBaseOnlyMovesThem) {
  Settings settings{.events = 2000, .users = 100};
  auto const lines = lines_of(settings);
  settings.base_ms += 300'000;
  auto const moved = lines_of(settings);
  ASSERT_EQ(lines.size(), moved.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].arrival_ms + 300'000, moved[i].arrival_ms);
    EXPECT_EQ(lines[i].page, moved[i].page);
    EXPECT_EQ(lines[i].fate, moved[i].fate);
  }
  settings.seed = 43;
  EXPECT_NE(hash_of(lines_of(settings)), hash_of(moved));
}

TEST(PageviewsTest, AUserAloneHasTheLinesItHasAmongAll) {
  Settings const settings{.events = 20'000, .users = 500};
  auto const lines = lines_of(settings);
  std::int64_t until = 0;  // of views; the last one of all may be that of any user
  for (Line const& line : lines) {
    if (line.fate == Fate::accepted) {
      until = std::max(until, line.stamp_ms);
    }
  }
  for (std::uint32_t const user : {0U, 17U, 499U}) {
    std::vector<std::string> among, alone;
    for (Line const& line : lines) {
      if (line.user == user) {
        among.push_back(line.json);
      }
    }
    Generator generator(settings, user, until);
    for (Line line; generator.next(line);) {
      alone.push_back(line.json);
    }
    ASSERT_FALSE(alone.empty());
    EXPECT_EQ(alone, among);
  }
}

// Everything again from nothing but the text of the lines.
TEST(PageviewsTest, TheTruthIsWhatTheLinesSay) {
  Settings const settings{.seed = 7, .events = 30'000, .users = 1500};
  for (Reading const reading : {Reading::streamed, Reading::whole}) {
    Truth truth(reading);
    std::map<std::pair<std::int64_t, std::string>, std::uint64_t> views;
    std::map<std::string, std::multiset<std::int64_t>> stamps;
    std::uint64_t accepted = 0;
    Generator generator(settings);
    for (Line line; generator.next(line);) {
      truth.add(line);
      if (line.json.back() != '}') {
        continue;
      }
      std::int64_t const stamp = stamp_of(line.json);
      std::int64_t const day = 86'400'000, age = line.arrival_ms - stamp;
      if (reading == Reading::streamed && (age > day / 2 || age < -day / 2)) {
        continue;
      }
      ++accepted;
      ++views[{stamp / 300'000 * 300'000, text_of(line.json, "url")}];
      stamps[text_of(line.json, "user_id")].insert(stamp);
    }
    Tables const tables = truth.tables();
    EXPECT_EQ(truth.counts().accepted, accepted);
    EXPECT_EQ(tables.views, views);
    std::map<std::pair<std::int64_t, std::string>, Session> sessions;
    std::map<std::int64_t, SessionCount> sessions_5m;
    for (auto const& [user, times] : stamps) {
      Session* open = nullptr;
      for (std::int64_t const time : times) {
        if (open == nullptr || time >= open->end_ms) {
          open = &sessions[{time, user}];
        }
        open->end_ms = time + 1'800'000;
        ++open->views;
      }
    }
    for (auto const& [key, session] : sessions) {
      SessionCount& count = sessions_5m[(session.end_ms - 1) / 300'000 * 300'000];
      ++count.sessions;
      count.views += session.views;
    }
    EXPECT_EQ(tables.sessions, sessions);
    EXPECT_EQ(tables.sessions_5m, sessions_5m);
    for (auto const& [window, top] : tables.top) {
      std::vector<std::tuple<std::int64_t, std::string>> pages;
      for (auto at = views.lower_bound({window, ""});
           at != views.end() && at->first.first == window; ++at) {
        pages.emplace_back(-static_cast<std::int64_t>(at->second), at->first.second);
      }
      std::sort(pages.begin(), pages.end());
      ASSERT_EQ(top.size(), std::min<std::size_t>(10, pages.size()));
      for (std::size_t i = 0; i < top.size(); ++i) {
        EXPECT_EQ(pages[i], std::tuple(-static_cast<std::int64_t>(top[i].views), top[i].url));
      }
    }
  }
}

// Batches are cut anywhere, partitions are read at any speed; the watermark is that of semantics.md
// R80, R81 with 30 s of disorder, and a line is judged by the one before its batch (R19).
TEST(PageviewsTest, NoBatchBordersDropAnAcceptedLineOrReportASessionTooEarly) {
  Settings const settings{.seed = 3, .events = 40'000, .users = 2000};
  std::vector<std::vector<Line>> partitions(settings.partitions);
  for (Line const& line : lines_of(settings)) {
    partitions[line.partition].push_back(line);
  }
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::size_t> at(partitions.size(), 0);
    std::vector<std::int64_t> newest(partitions.size(), INT64_MIN / 2);
    std::map<std::uint32_t, std::int64_t> last;  // user -> latest accepted stamp read
    std::int64_t watermark = INT64_MIN / 2;
    std::size_t left = partitions.size();
    while (left > 0) {
      left = 0;
      for (std::size_t p = 0; p < partitions.size(); ++p) {
        std::size_t const rows = random() % (seed % 2 == 0 ? 5 : 3000);
        for (std::size_t i = 0; i < rows && at[p] < partitions[p].size(); ++i) {
          Line const& line = partitions[p][at[p]++];
          if (line.fate != Fate::accepted) {
            continue;
          }
          ASSERT_LT(watermark, line.stamp_ms + 600'000) << "seed " << seed;
          // The session before is reported once the watermark reaches its end; a view that belongs
          // to it comes after that only where it is said to rejoin.
          std::int64_t const before = last.contains(line.user) ? last[line.user] : INT64_MIN / 2;
          if (!line.rejoins && line.stamp_ms < before + 1'800'000) {
            ASSERT_LT(watermark, before + 1'800'000) << "seed " << seed;
          }
          last[line.user] = std::max(before, line.stamp_ms);
          newest[p] = std::max(newest[p], line.stamp_ms - 30'000);
        }
        left += at[p] < partitions[p].size() ? 1 : 0;
        if (at[p] == partitions[p].size()) {
          newest[p] = std::max(newest[p], INT64_MAX / 2);
        }
      }
      watermark = std::max(watermark, *std::min_element(newest.begin(), newest.end()));
    }
  }
}

TEST(PageviewsTest, LateLinesAreExpiredUnderTheFirstWatermarkAndFutureOnesAfterAll) {
  Settings const settings{.seed = 5, .events = 100'000};
  auto const span = static_cast<std::int64_t>(expected_span_ms(settings));
  std::int64_t last_arrival = 0;
  std::size_t late = 0, future = 0, rejoins_after_the_end = 0;
  std::vector<Line> const lines = lines_of(settings);
  for (Line const& line : lines) {
    last_arrival = std::max(last_arrival, line.arrival_ms);
  }
  std::map<std::uint32_t, std::int64_t> last;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Line const& line = lines[i];
    if (line.fate == Fate::late) {
      ++late;
      EXPECT_GE(line.arrival_ms, settings.base_ms + span / 10);
      // 30 minutes of session, 10 of lateness, 30 s of disorder, 9 minutes of delay.
      EXPECT_LT(line.stamp_ms + 50 * 60'000, settings.base_ms);
    } else if (line.fate == Fate::future) {
      ++future;
      EXPECT_GT(line.stamp_ms, last_arrival + 12 * 3'600'000);
    } else if (line.fate == Fate::accepted) {
      if (line.rejoins && line.arrival_ms >= last[line.user] + 1'800'000 + 90'000) {
        ++rejoins_after_the_end;
      }
      if (!line.copy) {
        last[line.user] = std::max(last[line.user], line.stamp_ms);
      }
    }
  }
  EXPECT_GT(late, 20U);
  EXPECT_GT(future, 8U);
  EXPECT_GT(rejoins_after_the_end, 100U);
}

}  // namespace windrow::pageviews
