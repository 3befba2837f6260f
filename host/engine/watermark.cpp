// How rows, the plan's flags and P make the watermark of a source.
#include "host/engine/watermark.hpp"

#include <algorithm>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

std::int64_t saturating_subtract(std::int64_t a, Duration b) {
  return saturating_add(a, -std::max(b.us, -INT64_MAX));
}

template <class Partitions>
auto place_of(Partitions& partitions, std::uint32_t id) {
  return std::lower_bound(
      partitions.begin(), partitions.end(), id,
      [](auto const& partition, std::uint32_t wanted) { return partition.id < wanted; });
}

}  // namespace

WatermarkTracker::WatermarkTracker(std::optional<WatermarkSettings> settings)
    : settings_(settings) {}

EventTime WatermarkTracker::newest_allowed(ProcessingTime now) const {
  return settings_ && settings_->max_future_skew
             ? EventTime{saturating_add(now.us, settings_->max_future_skew->us)}
             : T_MAX;
}
bool WatermarkTracker::clamps_future() const {
  return settings_ && settings_->on_future == WatermarkSettings::OnFuture::clamp;
}

bool WatermarkTracker::enter(std::vector<Partition>& partitions, std::span<Range const> ranges,
                             ProcessingTime now) {
  bool discovered = false;
  for (Range const& range : ranges) {
    auto at = place_of(partitions, range.partition);
    if (at == partitions.end() || at->id != range.partition) {
      at = partitions.insert(at, {range.partition, T_MIN.us, now.us, false, false, std::nullopt});
      discovered = true;
    }
    at->caught_up = range.caught_up;
    at->ended = at->ended || range.ended;
    if (range.own_watermark) {  // R3: never back
      at->own = std::max(at->own.value_or(T_MIN), *range.own_watermark);
    }
  }
  return discovered;
}

bool WatermarkTracker::lowers(std::span<Range const> ranges) const {
  return !settings_ && std::any_of(ranges.begin(), ranges.end(), [&](Range const& range) {
    return range.own_watermark && *range.own_watermark < current_;
  });
}

void WatermarkTracker::begin(std::span<Range const> ranges, ProcessingTime now) {
  lowered_ = lowers(ranges);
  bool const discovered = enter(partitions_, ranges, now);
  spoken_ = discovered || std::any_of(ranges.begin(), ranges.end(),
                                      [](Range const& range) { return range.from < range.to; });
}

void WatermarkTracker::observe(std::uint32_t partition, EventTime max_ts, ProcessingTime now) {
  auto const at = place_of(partitions_, partition);
  WINDROW_ASSERT(at != partitions_.end() && at->id == partition,
                 "rows come from a partition of the plan");
  std::int64_t ts = max_ts.us;
  if (clamps_future()) {
    ts = std::min(ts, newest_allowed(now).us);
  }
  at->max_ts_us = std::max(at->max_ts_us, ts);
  at->last_seen_us = now.us;
}

// R80, or what the source says; of partitions that have not ended.
Watermark WatermarkTracker::watermark_of(Partition const& partition) const {
  if (!settings_) {
    return partition.own.value_or(T_MIN);
  }
  return clip(saturating_subtract(partition.max_ts_us, settings_->max_out_of_orderness));
}

bool WatermarkTracker::is_idle(Partition const& partition, ProcessingTime now) const {
  return settings_ && settings_->idle_timeout && partition.caught_up &&
         saturating_subtract(now.us, Duration{partition.last_seen_us}) >=
             settings_->idle_timeout->us;
}

WatermarkTracker::Candidate WatermarkTracker::candidate(std::vector<Partition> const& partitions,
                                                        ProcessingTime now) const {
  if (partitions.empty()) {
    return {};
  }
  Candidate least{T_MAX, std::nullopt};  // over active ones
  Watermark furthest = T_MIN;            // over idle ones
  bool idle = false;
  for (Partition const& partition : partitions) {
    if (partition.ended) {
      continue;
    }
    Watermark const w = watermark_of(partition);
    if (is_idle(partition, now)) {
      idle = true;
      furthest = std::max(furthest, w);
    } else if (!least.holder || w < *least.w) {
      least = {w, partition.id};
    }
  }
  if (least.holder || !idle) {
    return least;
  }  // no idle one either: all have ended (R89)
  if (settings_->all_idle == WatermarkSettings::AllIdle::clock) {
    furthest =
        std::max(furthest, clip(saturating_subtract(now.us, settings_->max_out_of_orderness)));
  }
  return {furthest, std::nullopt};
}

Watermark WatermarkTracker::finish(ProcessingTime now) {
  Candidate const next = candidate(partitions_, now);
  holder_ = next.holder;
  if (lowered_ || (spoken_ && next.w && *next.w < current_)) {
    ++regressions_;
  }
  current_ = std::max(current_, next.w.value_or(T_MIN));
  return current_;
}

bool WatermarkTracker::would_move(std::span<Range const> ranges, ProcessingTime now) const {
  std::vector<Partition> partitions = partitions_;
  bool const discovered = enter(partitions, ranges, now);
  return (discovered && settings_) || lowers(ranges) ||
         candidate(partitions, now).w.value_or(T_MIN) > current_;
}

Watermark WatermarkTracker::current() const { return current_; }
std::optional<std::uint32_t> WatermarkTracker::holder() const { return holder_; }
std::uint64_t WatermarkTracker::regressions() const { return regressions_; }

// One piece: W, regressions, then each partition by id.
void WatermarkTracker::snapshot(SnapshotWriter& out) const {
  ByteWriter piece;
  piece.put(current_.us);
  piece.put(regressions_);
  for (Partition const& partition : partitions_) {
    piece.put(partition.id);
    piece.put(partition.max_ts_us);
    piece.put(partition.last_seen_us);
    piece.put(static_cast<std::uint8_t>(partition.caught_up));
    piece.put(static_cast<std::uint8_t>(partition.ended));
    piece.put(static_cast<std::uint8_t>(partition.own.has_value()));
    piece.put(partition.own.value_or(T_MIN).us);
  }
  out.piece("watermark", 0, piece.bytes());
}

void WatermarkTracker::restore(SnapshotReader& in) {
  WINDROW_ASSERT(partitions_.empty(), "a fresh tracker is restored");
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  bool found = false;
  while (in.next(name, shard, bytes)) {
    if (name != "watermark" || found) {
      throw EnvironmentError("snapshot: unknown piece of a watermark: " + std::string(name), 74);
    }
    found = true;
    ByteReader reader(bytes);
    current_.us = reader.get<std::int64_t>();
    regressions_ = reader.get<std::uint64_t>();
    while (!reader.empty()) {
      Partition partition;
      partition.id = reader.get<std::uint32_t>();
      partition.max_ts_us = reader.get<std::int64_t>();
      partition.last_seen_us = reader.get<std::int64_t>();
      partition.caught_up = reader.get<std::uint8_t>() != 0;
      partition.ended = reader.get<std::uint8_t>() != 0;
      bool const own = reader.get<std::uint8_t>() != 0;
      Watermark const w{reader.get<std::int64_t>()};
      if (own) {
        partition.own = w;
      }
      partitions_.push_back(partition);
    }
  }
  if (!found) {
    throw EnvironmentError("snapshot: a watermark is missing", 74);
  }
}

}  // namespace windrow
