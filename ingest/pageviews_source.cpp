// Source of `Generate`; reading again is generating again, since a seed gives the same lines.
#include "ingest/pageviews_source.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <thread>

namespace windrow {
namespace {

constexpr std::int64_t five_minutes_ms = 300'000;

}  // namespace

// One growing text; the records point into it once it is complete.
class PageviewsSource::Lines final : public Lease {
 public:
  void add(pageviews::Line const& line, std::int64_t offset, RawBatch& out) {
    out.records.push_back({nullptr, static_cast<std::uint32_t>(line.json.size()), line.partition,
                           offset, EventTime{line.arrival_ms * 1000}});
    text_ += line.json;
  }
  void point(RawBatch& out) const {
    char const* at = text_.data();
    for (RawRecord& record : out.records) {
      record.data = at;
      at += record.bytes;
    }
  }

 private:
  std::string text_;
};

PageviewsSource::PageviewsSource(PageviewsSettings settings, std::function<ProcessingTime()> now)
    : paced_(settings.rate.has_value()), now_(std::move(now)) {
  settings_.seed = settings.seed;
  settings_.events = settings.events;
  if (settings.rate) {
    double const users = std::round(*settings.rate * pageviews::view_period_ms / 1000);
    if (!(users <= pageviews::users_max)) {
      throw EnvironmentError(
          fmt::format("generate: the rate must be at most {:.0f} events/s: rate={}",
                      pageviews::users_max * 1000.0 / pageviews::view_period_ms, *settings.rate),
          78);
    }
    settings_.users = std::max(settings_.partitions, static_cast<std::uint32_t>(users));
  }
  position_.resize(settings_.partitions);
}

void PageviewsSource::open() {
  if (paced_ && !restored_) {
    settings_.base_ms = floor_div(now_().us, five_minutes_ms * 1000) * five_minutes_ms;
  }
  generator_.emplace(settings_);
  for (std::uint64_t i = 0; i < delivered_; ++i) {
    generator_->next(line_);
  }
  more_ = generator_->next(line_);
}

void PageviewsSource::deliver(Lines& lines, RawBatch& out) {
  lines.add(line_, position_[line_.partition]++, out);
  ++delivered_;
  more_ = generator_->next(line_);
}

bool PageviewsSource::due() const { return line_.arrival_ms * 1000 <= now_().us; }

bool PageviewsSource::poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) {
  out.records.clear();
  out.ranges.clear();
  auto lines = std::make_unique<Lines>();
  auto const patience = std::chrono::steady_clock::now() + std::chrono::microseconds(wait_us);
  while (more_ && !due() && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::uint32_t p = 0; p < position_.size(); ++p) {
    out.ranges.push_back({p, position_[p], position_[p], false, false, {}});
  }
  ProcessingTime const now = now_();
  while (more_ && out.records.size() < rows_max && line_.arrival_ms * 1000 <= now.us) {
    deliver(*lines, out);
  }
  lines->point(out);
  order_by_partition(out.records);
  out.payloads = std::move(lines);
  bool const caught_up = more_ && line_.arrival_ms * 1000 > now.us;
  for (Range& range : out.ranges) {
    range.to = position_[range.partition];
    range.caught_up = caught_up || !more_;
    range.ended = !more_;
  }
  return more_;
}

// Lines are delivered in one order, of which every batch is a run.
void PageviewsSource::read(std::span<Range const> ranges, RawBatch& out) {
  out.records.clear();
  out.ranges.assign(ranges.begin(), ranges.end());
  auto lines = std::make_unique<Lines>();
  std::int64_t left = 0;
  for (Range const& range : ranges) {
    left += range.to - range.from;
  }
  for (; left > 0 && more_; --left) {
    deliver(*lines, out);
  }
  lines->point(out);
  order_by_partition(out.records);
  out.payloads = std::move(lines);
}

std::string PageviewsSource::partition_name(std::uint32_t partition) const {
  return fmt::format("{}", partition);
}

std::string_view PageviewsSource::path_of(std::uint32_t, std::int64_t) const { return name(); }

void PageviewsSource::snapshot(SnapshotWriter& out) const {
  ByteWriter bytes;
  bytes.put(settings_.base_ms);
  bytes.put(delivered_);
  for (std::int64_t const position : position_) {
    bytes.put(position);
  }
  out.piece("pageviews", 0, bytes.bytes());
}

void PageviewsSource::restore(SnapshotReader& in) {
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  if (!in.next(name, shard, bytes) || name != "pageviews") {
    throw EnvironmentError("snapshot: the positions of the page views are missing", 74);
  }
  restored_ = true;
  ByteReader reader(bytes);
  settings_.base_ms = reader.get<std::int64_t>();
  delivered_ = reader.get<std::uint64_t>();
  for (std::int64_t& position : position_) {
    position = reader.get<std::int64_t>();
  }
}

}  // namespace windrow
