// Page views: users come and go, lines are delayed, repeated, cut and wrongly stamped.
#include "ingest/pageviews/generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace windrow::pageviews {
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t gap_median = 25 * second;
// Of accepted views of one session.  A view may be lost between two such gaps, never two in a row,
// so that at most 20 minutes separate accepted ones: a session cannot be reported (after 30 minutes
// of silence) while a view of it is still on its way (at most 9), except where `rejoins` says so.
constexpr std::int64_t gap_max = 10 * minute;
constexpr std::int64_t session_gap = 30 * minute;
constexpr std::int64_t pause_mean = 77 * minute;  // beyond session_gap

constexpr std::int64_t delay_max = 9 * minute;

// Parts of 100,000.
constexpr std::uint64_t goes_on = 84'600;  // 6.5 views a session
constexpr std::uint64_t rejoining = 2'000, truncated = 100, late = 50, future = 20, repeated = 100,
                        delayed = 5'000, long_delayed = 500;

constexpr std::array<std::string_view, 5> sections = {"product", "article", "category", "help",
                                                      "search"};
constexpr std::array<std::string_view, 8> countries = {"DE", "US", "FR", "GB",
                                                       "IN", "BR", "JP", "SE"};

}  // namespace

std::string user_id(std::uint32_t user) { return fmt::format("u{:05}", user); }

std::string url_of(std::uint32_t page) {
  return page == 0 ? "/" : fmt::format("/{}/{}", sections[page % sections.size()], page);
}

double expected_span_ms(Settings const& settings) {
  return static_cast<double>(settings.events.value_or(0)) * view_period_ms / settings.users;
}

bool Generator::LaterUser::operator()(User const& a, User const& b) const {
  return a.next_ms != b.next_ms ? a.next_ms > b.next_ms : a.id > b.id;
}
bool Generator::LaterLine::operator()(Pending const& a, Pending const& b) const {
  return a.arrival_ms != b.arrival_ms ? a.arrival_ms > b.arrival_ms : a.order > b.order;
}

Generator::Generator(Settings const& settings) : settings_(settings) {
  auto const span = static_cast<std::int64_t>(expected_span_ms(settings_));
  quiet_until_ms_ = settings_.base_ms + (settings_.events ? span / 10 : 30 * minute);
  ahead_ms_ = day + 2 * span;
  double sum = 0;
  for (std::uint32_t page = 0; page < settings_.pages; ++page) {
    sum += exponential_of(-1.1 * natural_log(page + 1.0));
    page_share_.push_back(sum);
  }
  for (std::uint32_t id = 0; id < settings_.users; ++id) {
    add_user(id);
  }
}

Generator::Generator(Settings const& settings, std::uint32_t user, std::int64_t until_ms)
    : Generator(settings) {
  users_ = {};
  add_user(user);
  settings_.events.reset();
  until_ms_ = until_ms;
}

void Generator::add_user(std::uint32_t id) {
  User user{0, 0, Random(mix(settings_.seed, id)), id, 0, 0, true, false};
  user.next_ms = settings_.base_ms + user.random.between(0, 112 * minute);
  users_.push(user);
}

bool Generator::next(Line& line) {
  // A line is the next one once no view can come that arrives before it; none arrives before its
  // stamp.
  for (;;) {
    bool const more = !users_.empty() && (!settings_.events || views_ < *settings_.events) &&
                      users_.top().next_ms < until_ms_;
    if (!pending_.empty() && (!more || pending_.top().arrival_ms < users_.top().next_ms)) {
      line = pending_.top().line;
      pending_.pop();
      return true;
    }
    if (!more) {
      return false;
    }
    view();
  }
}

void Generator::view() {
  User user = users_.top();
  users_.pop();
  ++views_;
  Random random(mix(mix(settings_.seed ^ 0x5EED, user.id), user.number));
  Line line;
  line.user = user.id;
  line.number = user.number;
  line.partition = user.id % settings_.partitions;
  line.page = draw_page(random);
  line.stamp_ms = user.next_ms;
  line.rejoins = user.rejoins_ms > 0;

  std::int64_t delay = random.between(0, 2 * second);
  if (random.chance(long_delayed)) {
    delay = random.between(2 * minute, delay_max);
  } else if (random.chance(delayed)) {
    delay = random.between(2 * second, 2 * minute);
  }
  bool const may_be_lost = !user.lost_before && !line.rejoins;
  std::uint64_t const lot = random.below(100'000);
  if (line.rejoins) {
    // Past the end that the session has without it by 90 s or more.
    delay = random.between(user.rejoins_ms + 90 * second, delay_max);
  } else if (may_be_lost && lot < truncated) {
    line.fate = Fate::truncated;
  } else if (may_be_lost && lot < truncated + future) {
    line.fate = Fate::future;
  } else if (may_be_lost && lot < truncated + future + late && user.next_ms >= quiet_until_ms_) {
    line.fate = Fate::late;
  }
  line.arrival_ms = user.next_ms + delay;
  if (line.fate == Fate::future) {
    line.stamp_ms += ahead_ms_;
  }
  if (line.fate == Fate::late) {
    line.stamp_ms = settings_.base_ms - day + (user.next_ms - settings_.base_ms) % hour;
  }
  write_json(user, line, random);
  if (line.fate == Fate::truncated) {
    line.json.resize(1 + random.below(line.json.size() - 1));
  }

  bool const repeats = line.fate == Fate::accepted && random.chance(repeated);
  std::int64_t const again =
      std::min(line.arrival_ms + random.between(100, 20 * second), user.next_ms + delay_max);
  user.lost_before = line.fate != Fate::accepted;
  user.page_before = line.page;
  deliver(line);
  if (repeats) {
    line.copy = true;
    line.arrival_ms = again;
    deliver(std::move(line));
  }
  plan_next(user);
  users_.push(user);
}

void Generator::deliver(Line line) {
  // Of lines that arrive together the lower user first, then the lower number, then the first copy.
  std::uint64_t const order =
      (std::uint64_t{line.user} << 32U) + line.number * 2 + (line.copy ? 1 : 0);
  std::int64_t const arrival = line.arrival_ms;
  pending_.push({arrival, order, std::move(line)});
}

void Generator::plan_next(User& user) const {
  ++user.number;
  Random& random = user.random;
  bool const rejoined = user.rejoins_ms > 0;
  bool const ended = rejoined || !random.chance(goes_on);
  bool const rejoins = !rejoined && ended && !user.lost_before && random.chance(rejoining);
  user.rejoins_ms = rejoins ? random.between(minute, 7 * minute) : 0;
  user.first = ended && !rejoins;
  if (rejoins) {
    user.next_ms += session_gap - user.rejoins_ms;
  } else if (ended) {
    user.next_ms += session_gap + static_cast<std::int64_t>(random.exponential() * pause_mean);
  } else {
    double const gap = exponential_of(1.2 * random.normal()) * gap_median;
    user.next_ms += std::clamp(static_cast<std::int64_t>(gap), second, gap_max);
  }
}

std::uint32_t Generator::draw_page(Random& random) const {
  double const lot = random.unit() * page_share_.back();
  auto const at = std::upper_bound(page_share_.begin(), page_share_.end(), lot);
  return static_cast<std::uint32_t>(std::min(at, page_share_.end() - 1) - page_share_.begin());
}

void Generator::write_json(User const& user, Line& line, Random& random) const {
  std::string const id = user_id(user.id);
  auto const dwell = static_cast<std::int64_t>(exponential_of(1.2 * random.normal()) * gap_median);
  std::string const referrer =
      user.first ? "null" : fmt::format("\"{}\"", url_of(user.page_before));
  line.json = fmt::format(R"({{"event_id":"{}-{}","ts":{},"user_id":"{}","url":"{}",)"
                          R"("dwell_ms":{},"referrer":{},"country":"{}"}})",
                          id, user.number, line.stamp_ms, id, url_of(line.page), dwell, referrer,
                          countries[mix(user.id, 7) % countries.size()]);
}

}  // namespace windrow::pageviews
