// What any correct job must find in the page views, computed plainly from the generator's own
// lines. Shares nothing with the engine: no header of host/ is included, no library of it is
// linked.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ingest/pageviews/generator.hpp"

namespace windrow::pageviews {

//   streamed  watermark, lateness and limit of the future as Fate describes
//   whole     a bounded read without a watermark: every line that can be decoded counts
enum class Reading : std::uint8_t { streamed, whole };

struct PageCount {
  std::string url;
  std::uint64_t views;
  bool operator==(PageCount const&) const = default;
};
//   end_ms  last view + 30 minutes
struct Session {
  std::int64_t end_ms;
  std::uint64_t views;
  bool operator==(Session const&) const = default;
};
//   of the sessions whose end - 1 us lies in the five minutes
struct SessionCount {
  std::uint64_t sessions, views;
  bool operator==(SessionCount const&) const = default;
};

// Starts of windows and sessions are milliseconds since 1970.
struct Tables {
  std::map<std::pair<std::int64_t, std::string>, std::uint64_t> views;  // (window, url)
  std::map<std::int64_t, std::vector<PageCount>> top;                // ten most viewed, then by url
  std::map<std::pair<std::int64_t, std::string>, Session> sessions;  // (start, user)
  std::map<std::int64_t, SessionCount> sessions_5m;
};

// lines = accepted + late + future + truncated (whole: late and future lines are accepted).
//   rejoined  sessions that a view joined after they could have been reported without it
struct Counts {
  std::uint64_t lines = 0, bytes = 0, copies = 0, accepted = 0, late = 0, future = 0, truncated = 0,
                rejoined = 0;
};

class Truth {
 public:
  explicit Truth(Reading reading) : reading_(reading) {}
  void add(Line const& line);
  [[nodiscard]] Counts const& counts() const { return counts_; }
  [[nodiscard]] Tables tables() const;

 private:
  Reading reading_;
  Counts counts_;
  std::map<std::pair<std::int64_t, std::uint32_t>, std::uint64_t> views_;  // (window, page)
  std::map<std::uint32_t, std::vector<std::int64_t>> stamps_;              // by user
};

// One JSON document: the counts and the four tables, in order.
void write_json(Truth const& truth, std::string& out);

}  // namespace windrow::pageviews
