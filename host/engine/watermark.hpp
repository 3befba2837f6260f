// The watermark of a source: the minimum over its active partitions.  Rules: semantics.md R80-R91.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/engine/snapshot.hpp"
#include "host/engine/source.hpp"
#include "host/model/time.hpp"
#include "host/plan/watermark_settings.hpp"

namespace windrow {

class WatermarkTracker {
 public:
  // Without settings: W comes from the ranges' own_watermark, else stays -inf until the end (R89).
  explicit WatermarkTracker(std::optional<WatermarkSettings> settings);
  // R86: is a row stamped `t` too far in the future at P?
  [[nodiscard]] bool is_future(EventTime t, ProcessingTime now) const;
  [[nodiscard]] bool clamps_future() const;
  // The plan's part of a batch: partitions known, caught up, ended; P.  Call once per batch, first.
  void begin(std::span<Range const> ranges, ProcessingTime now);
  // Accepted rows of a partition: the largest stamp among them (clamped by the tracker under `clamp`).
  void observe(std::uint32_t partition, EventTime max_ts, ProcessingTime now);
  // Ends the batch: the new W (R81).  Counts a regression at most once.
  Watermark finish(ProcessingTime now);
  // Would a batch without rows move W, given these ranges and P?  (connectors.md 1.4: ticks)
  [[nodiscard]] bool would_move(std::span<Range const> ranges, ProcessingTime now) const;
  [[nodiscard]] Watermark current() const;
  [[nodiscard]] std::optional<std::uint32_t> holder() const;  // the partition that holds W back
  [[nodiscard]] std::uint64_t regressions() const;
  void snapshot(SnapshotWriter& out) const;
  void restore(SnapshotReader& in);

 private:
  struct Partition {
    std::uint32_t id;
    std::int64_t max_ts_us;     // T_MIN: none yet
    std::int64_t last_seen_us;  // P of the last accepted row; at first of the assignment
    bool caught_up, ended;
    std::optional<Watermark> own;
  };
  std::optional<WatermarkSettings> settings_;
  std::vector<Partition> partitions_;  // by id
  Watermark current_ = T_MIN;
  std::uint64_t regressions_ = 0;
};

}  // namespace windrow
