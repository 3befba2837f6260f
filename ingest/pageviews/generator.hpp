// Page views of a made-up site, in order of arrival, with the fate of every line known beforehand.
#pragma once
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "ingest/pageviews/random.hpp"

namespace windrow::pageviews {

//   events      views, the earliest ones of all users; none: without end.  Copies come on top.
//   base_ms     where the stream begins, milliseconds since 1970; a multiple of five minutes keeps
//   the
//               windows of one seed the same wherever it begins
//   partitions  a user's lines are all in partition user % partitions, so none is empty for long
struct Settings {
  std::uint64_t seed = 42;
  std::optional<std::uint64_t> events = 100'000;
  std::uint32_t users = 5000, pages = 1000, partitions = 8;
  std::int64_t base_ms = 1'767'225'600'000;  // 2026-01-01
};

// What a job must do with a line that has 30 s of disorder, 10 minutes of lateness and a limit for
// stamps from the future, however its batches are cut.
//
//   accepted   arrives at most 9 minutes after its stamp.  Lines of a partition come in order of
//              arrival, so the watermark is at most arrival - 30 s: below stamp + 10 minutes, and
//              so below the expiry of every window or session that holds the stamp.
//   late       stamped a day before the stream began: expired under any watermark that is known at
//   all.
//              None comes in the first tenth, by whose end every partition has spoken; who feeds
//              the lines faster than a job reads them waits before the first one until it has a
//              watermark.
//   future     stamped a day after everything else: above processing time + limit
//   truncated  cut within its JSON: cannot be decoded
enum class Fate : std::uint8_t { accepted, late, future, truncated };

// One line as it is delivered.
//   number    of the view among those of its user, from 0; (user, number) is the event id
//   stamp_ms  the field `ts`;  arrival_ms  when the line is delivered, same clock
//   rejoins   the last view of its session, 23 to 29 minutes after the one before and late enough
//   that
//             the session may have been reported without it
struct Line {
  std::uint32_t user = 0, page = 0, partition = 0;
  std::uint64_t number = 0;
  std::int64_t stamp_ms = 0, arrival_ms = 0;
  Fate fate = Fate::accepted;
  bool copy = false, rejoins = false;
  std::string json;  // without a line break
};

// Mean time between two views of one user, sessions and pauses together.
inline constexpr double view_period_ms = 1'026'000;
inline constexpr std::uint32_t users_max = 1'000'000;

[[nodiscard]] std::string user_id(std::uint32_t user);
[[nodiscard]] std::string url_of(std::uint32_t page);
// About how long a stream of so many events is.
[[nodiscard]] double expected_span_ms(Settings const& settings);

class Generator {
 public:
  explicit Generator(Settings const& settings);
  // Only the views of one user, stamped before `until_ms`: the same lines as in the whole stream,
  // in the same order.  `settings.events` only gives the length of the stream.
  Generator(Settings const& settings, std::uint32_t user, std::int64_t until_ms);
  // False at the end.
  bool next(Line& line);

 private:
  struct User {
    std::int64_t next_ms;  // stamp of its next view
    std::uint64_t number;
    Random random;
    std::uint32_t id, page_before;
    std::int64_t rejoins_ms;  // > 0: the next view rejoins, so long before its session would end
    bool first;               // of a session
    bool lost_before;         // the view before it is not accepted
  };
  struct Pending {
    std::int64_t arrival_ms;
    std::uint64_t order;
    Line line;
  };
  struct LaterUser {
    bool operator()(User const& a, User const& b) const;
  };
  struct LaterLine {
    bool operator()(Pending const& a, Pending const& b) const;
  };
  void add_user(std::uint32_t id);
  void view();  // the earliest one of all users, into pending_
  void plan_next(User& user) const;
  void write_json(User const& user, Line& line, Random& random) const;
  [[nodiscard]] std::uint32_t draw_page(Random& random) const;
  void deliver(Line line);

  Settings settings_;
  std::int64_t quiet_until_ms_, ahead_ms_, until_ms_ = INT64_MAX;
  std::uint64_t views_ = 0;
  std::vector<double> page_share_;  // [pages] cumulative, of Zipf 1.1
  std::priority_queue<User, std::vector<User>, LaterUser> users_;
  std::priority_queue<Pending, std::vector<Pending>, LaterLine> pending_;
};

}  // namespace windrow::pageviews
