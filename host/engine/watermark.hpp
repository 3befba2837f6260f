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
  // R86: at P, rows stamped later are too far in the future.
  [[nodiscard]] EventTime newest_allowed(ProcessingTime now) const;
  [[nodiscard]] bool clamps_future() const;
  // The plan's part of a batch: partitions known, caught up, ended; P.  Call once per batch, first.
  void begin(std::span<Range const> ranges, ProcessingTime now);
  // Accepted rows of a partition: the largest stamp among them (clamped by the tracker under
  // `clamp`).
  void observe(std::uint32_t partition, EventTime max_ts, ProcessingTime now);
  // Ends the batch: the new W (R81).  Counts at most one regression, and only in a batch with
  // records, a new partition or a lower watermark of the source's own: a tick brings no candidate.
  Watermark finish(ProcessingTime now);
  // Would a batch without rows move W, given these ranges and P (connectors.md 1.4: ticks)?  Also
  // true if the ranges name a new partition under settings: its last_seen starts in the batch that
  // records it, so that without one an empty partition would hold W for ever (R83).
  [[nodiscard]] bool would_move(std::span<Range const> ranges, ProcessingTime now) const;
  [[nodiscard]] Watermark current() const;
  // The active partition with the least W_p at the last `finish`; none if there is no active one.
  [[nodiscard]] std::optional<std::uint32_t> holder() const;
  [[nodiscard]] std::uint64_t regressions() const;
  void snapshot(SnapshotWriter& out) const;
  void restore(SnapshotReader& in);

 private:
  struct Partition {
    std::uint32_t id;
    std::int64_t max_ts_us;     // T_MIN: none yet, which gives the same W_p
    std::int64_t last_seen_us;  // P of the last accepted row; at first of the assignment
    bool caught_up, ended;
    std::optional<Watermark> own;
  };
  struct Candidate {
    std::optional<Watermark> w;  // none while no partition is known
    std::optional<std::uint32_t> holder;
  };
  [[nodiscard]] Watermark watermark_of(Partition const& partition) const;
  [[nodiscard]] bool is_idle(Partition const& partition, ProcessingTime now) const;
  [[nodiscard]] Candidate candidate(std::vector<Partition> const& partitions,
                                    ProcessingTime now) const;
  [[nodiscard]] bool lowers(std::span<Range const> ranges) const;
  // Enters what the ranges say; true if one was new.
  static bool enter(std::vector<Partition>& partitions, std::span<Range const> ranges,
                    ProcessingTime now);

  std::optional<WatermarkSettings> settings_;
  std::vector<Partition> partitions_;  // by id
  Watermark current_ = T_MIN;
  std::uint64_t regressions_ = 0;
  // Of the batch that runs: a range stated a watermark below W; it has records or a new partition.
  bool lowered_ = false, spoken_ = false;
  std::optional<std::uint32_t> holder_;
};

}  // namespace windrow
