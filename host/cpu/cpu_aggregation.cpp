// Splits rows over shards, runs the phases of a batch on them and joins what they put out.
#include "host/cpu/cpu_aggregation.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "host/cpu/shard.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

using cpu::RecordLayout;
using cpu::Shard;

// Below so many rows, waking threads costs more than it saves.
constexpr std::size_t parallel_rows_min = 2048;
class CpuAggregation final : public Aggregation {
 public:
  CpuAggregation(AggregationSpec const& spec, Workers& workers, std::size_t cells_per_part)
      : spec_(spec), layout_(spec_), workers_(workers), cells_per_part_(cells_per_part) {
    WINDROW_ASSERT(spec_.trigger.nodes > 0, "a trigger has a node");
    WINDROW_ASSERT(spec_.windows.kind != WindowKind::sessions || !spec_.withdrawals,
                   "sessions take no withdrawals (E133)");
    for (std::uint32_t s = 0; s < shards; ++s) {
      shards_[s] = std::make_unique<Shard>(spec_, layout_);
    }
  }

  void push(KeyedBatchView const& rows) override;
  void advance(Watermark w, ProcessingTime now) override;
  bool take_output(AggregationOutput& out) override;
  [[nodiscard]] Watermark watermark() const override { return times_.w; }
  [[nodiscard]] Watermark output_watermark() const override { return times_.w_out; }
  [[nodiscard]] Wakeup next_wakeup() const override;
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;
  [[nodiscard]] AggregationStats stats() const override;
  [[nodiscard]] AggregationBackend backend() const override { return {"cpu"}; }

 private:
  void check(KeyedBatchView const& rows) const;
  void join_outputs(AggregationOutput& out);
  void end_batch();

  AggregationSpec const spec_;
  RecordLayout const layout_;
  Workers& workers_;
  std::size_t const cells_per_part_;
  std::array<std::unique_ptr<Shard>, shards> shards_;
  BatchTimes times_{T_MIN, T_MIN, T_MIN, 0, 0, false};
  std::uint64_t sequence_ = 0;       // rows ever pushed
  std::uint32_t rows_in_batch_ = 0;  // rows pushed since the last advance
  std::array<std::vector<std::uint32_t>, shards> rows_of_shard_;
  bool has_output_ = false;     // the batch that ran has parts left
  EventTime part_end_ = T_MIN;  // what ends by then has run
  AggregationStats restored_;   // totals from before the restart
};

void CpuAggregation::check(KeyedBatchView const& rows) const {
  std::size_t const n = rows.event_time.size();
  WINDROW_ASSERT(rows.key.size() == n, "one key per row");
  WINDROW_ASSERT(n == 0 || (spec_.windows.kind == WindowKind::given) == !rows.window.empty(),
                 "rows have windows iff the step groups by given windows");
  WINDROW_ASSERT(rows.window.empty() || rows.window.size() == n, "one window per row");
  WINDROW_ASSERT(rows.weight.empty() || (spec_.withdrawals && rows.weight.size() == n),
                 "rows have weights only where the step takes withdrawals");
  WINDROW_ASSERT(rows.pane.empty() || rows.pane.size() == n, "one pane per row");
  WINDROW_ASSERT(n <= UINT32_MAX - rows_in_batch_, "a batch has less than 2^32 rows");
  for (CombineFn const& fn : spec_.combines) {
    if (fn.kind == CombineKind::count) {
      continue;
    }
    WINDROW_ASSERT(fn.column < rows.values.size() && rows.values[fn.column].type == fn.in,
                   "a combine reads a column of its type");
  }
}

void CpuAggregation::push(KeyedBatchView const& rows) {
  check(rows);
  WINDROW_ASSERT(!has_output_, "the output of a batch is taken before the next");
  std::size_t const n = rows.event_time.size();
  for (std::vector<std::uint32_t>& of_shard : rows_of_shard_) {
    of_shard.clear();
  }
  for (std::size_t row = 0; row < n; ++row) {
    rows_of_shard_[shard_of(rows.key[row])].push_back(static_cast<std::uint32_t>(row));
  }
  auto push_shard = [&](std::size_t s) {
    shards_[s]->push(rows, rows_of_shard_[s], rows_in_batch_, sequence_, times_);
  };
  if (n < parallel_rows_min) {
    for (std::size_t s = 0; s < shards; ++s) {
      push_shard(s);
    }
  } else {
    workers_.for_each(shards, push_shard);
  }
  rows_in_batch_ += static_cast<std::uint32_t>(n);
  sequence_ += n;
}

void CpuAggregation::advance(Watermark w, ProcessingTime now) {
  WINDROW_ASSERT(!has_output_, "the output of a batch is taken before the next");
  BatchTimes phase_a = times_;
  phase_a.w_before = times_.w;
  phase_a.p_before_us = times_.p_us;
  phase_a.p_us = std::max(times_.p_us, now.us);
  times_ = phase_a;
  times_.w = std::max(times_.w, w);
  times_.phase_b = true;
  std::size_t cells = 0;
  for (auto const& shard : shards_) {
    cells += shard->windows_with_state();
  }
  bool const in_parts = cells > cells_per_part_;
  workers_.for_each(shards, [&](std::size_t s) {
    shards_[s]->run_phase_a(phase_a);
    shards_[s]->begin_phase_b(times_, in_parts);
    if (!in_parts) {
      shards_[s]->run_phase_b(times_, T_MAX);
    }
  });
  rows_in_batch_ = 0;
  has_output_ = true;
  part_end_ = in_parts ? T_MIN : T_MAX;
}

bool CpuAggregation::take_output(AggregationOutput& out) {
  WINDROW_ASSERT(has_output_, "an output is taken once per advance");
  if (part_end_ < T_MAX) {
    part_end_ = T_MAX;
    for (auto const& shard : shards_) {
      part_end_ = std::min(part_end_, shard->end_of_next(cells_per_part_ / shards, times_.w));
    }
    workers_.for_each(shards, [&](std::size_t s) { shards_[s]->run_phase_b(times_, part_end_); });
  }
  if (part_end_ == T_MAX) {
    end_batch();
  }
  join_outputs(out);
  return has_output_;
}

// All panes have fired: what holds W_out now.
void CpuAggregation::end_batch() {
  Watermark held = times_.w;
  for (auto const& shard : shards_) {
    held.us = std::min(held.us, shard->earliest_hold());
  }
  times_.w_out = std::max(times_.w_out, held);
  times_.phase_b = false;
  has_output_ = false;
}

void CpuAggregation::join_outputs(AggregationOutput& out) {
  out.reset(spec_.combines);
  std::size_t panes = 0;
  for (auto const& shard : shards_) {
    panes += shard->output().panes.size();
  }
  out.panes.reserve(panes);
  for (auto const& shard : shards_) {
    out.append(shard->output());
    shard->output().reset(spec_.combines);
  }
  std::sort(out.dropped.begin(), out.dropped.end(), [](DroppedRun const& a, DroppedRun const& b) {
    return std::tie(a.row, a.window) < std::tie(b.row, b.window);
  });
}

Wakeup CpuAggregation::next_wakeup() const {
  std::int64_t event = never, deadline = never;
  for (auto const& shard : shards_) {
    event = std::min(event, shard->earliest_event(times_.w));
    deadline = std::min(deadline, shard->earliest_deadline(times_.p_us));
  }
  Wakeup wakeup;
  if (event != never) {
    wakeup.event_time.us = event;
  }
  if (deadline != never) {
    wakeup.processing_time.us = deadline + 1;
  }  // strict (R52)
  return wakeup;
}

AggregationStats CpuAggregation::stats() const {
  AggregationStats total = restored_;
  for (auto const& shard : shards_) {
    shard->add_stats(total);
  }
  return total;
}

void CpuAggregation::snapshot(SnapshotWriter& out) const {
  WINDROW_ASSERT(rows_in_batch_ == 0 && !has_output_, "a cut lies between batches");
  AggregationClocks{times_.w, times_.w_out, times_.p_us, sequence_, stats()}.write(out);
  ByteWriter bytes;
  for (std::uint32_t s = 0; s < shards; ++s) {
    bytes.clear();
    shards_[s]->snapshot(bytes);
    out.piece("windows", s, bytes.bytes());
    if (shares_slices(spec_)) {
      bytes.clear();
      shards_[s]->snapshot_slices(bytes);
      out.piece("slices", s, bytes.bytes());
    }
  }
}

void CpuAggregation::restore(SnapshotReader& in) {
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  while (in.next(name, shard, bytes)) {
    if (name == "clocks") {
      AggregationClocks clocks;
      clocks.read(bytes);
      times_.w = clocks.w;
      times_.w_out = clocks.w_out;
      times_.p_us = clocks.p_us;
      sequence_ = clocks.rows;
      restored_ = clocks.totals;
      continue;
    }
    bool const slices = name == "slices" && shares_slices(spec_);
    if ((name != "windows" && !slices) || shard >= shards) {
      throw EnvironmentError("snapshot: an aggregation has no such piece: " + std::string(name),
                             74);
    }
    ByteReader reader(bytes);
    slices ? shards_[shard]->restore_slices(reader, times_.w)
           : shards_[shard]->restore(reader, times_.w, times_.p_us);
    if (!reader.empty()) {
      throw EnvironmentError("snapshot: a piece is too long", 74);
    }
  }
}

}  // namespace

std::unique_ptr<Aggregation> make_cpu_aggregation(AggregationSpec const& spec, Workers& workers,
                                                  std::size_t cells_per_part) {
  return std::make_unique<CpuAggregation>(spec, workers, cells_per_part);
}

}  // namespace windrow
