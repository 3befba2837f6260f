// Judges the rows of a shard and folds them into the records of their windows.  Rules: semantics.md
// R8, R18-R23.
#include "host/cpu/shard.hpp"

#include <algorithm>

#include "host/model/portable.hpp"

namespace windrow::cpu {
namespace {

// Rows whose records are found before their values are folded: enough for loops over columns, few
// enough that the records are still in the cache.
constexpr std::size_t hits_max = 4096;

// A hold of END_OF_WINDOW under a root that fires at e never restrains W_out before e (R40, R47).
bool tracks_holds(AggregationSpec const& spec) {
  TriggerOp const root = spec.trigger.node[spec.trigger.nodes - 1U].op;
  return spec.timestamp_combiner != TimestampCombiner::end_of_window ||
         (root != TriggerOp::default_ && root != TriggerOp::after_end_of_window);
}

}  // namespace

Shard::Shard(AggregationSpec const& spec, RecordLayout const& layout)
    : spec_(spec),
      layout_(layout),
      sessions_step_(spec.windows.kind == WindowKind::sessions),
      tracks_holds_(tracks_holds(spec)),
      rules_(spec, layout) {}

void Shard::push(KeyedBatchView const& in, std::span<std::uint32_t const> row,
                 std::uint32_t first_row, std::uint64_t sequence, BatchTimes const& times) {
  for (std::uint32_t const i : row) {
    ++rules_.stats.rows;
    if (in.event_time[i] < times.w) {
      ++rules_.stats.late;
    }
    if (sessions_step_) {
      keep_row(in, i, first_row + i, sequence + i, times);
    } else if (spec_.windows.kind == WindowKind::given) {
      judge(in, i, in.window[i], first_row + i, times);
    } else if (holds_last(in.event_time[i])) {
      judge(in, i, last_window_, first_row + i, times);
    } else {
      IndexRange const windows = windows_of(spec_.windows, in.event_time[i]);
      if (windows.count() == 0) {
        ++rules_.stats.no_window;
        maybe_freed_.push_back(in.key[i]);
      }
      for (std::int64_t j = windows.first; j <= windows.last; ++j) {
        judge(in, i, window_at(spec_.windows, j), first_row + i, times);
      }
    }
    if (hit_row_.size() >= hits_max) {
      fold_hits(in, sequence);
    }
  }
  fold_hits(in, sequence);
}

void Shard::judge(KeyedBatchView const& in, std::uint32_t row, Window window,
                  std::uint32_t batch_row, BatchTimes const& times) {
  KeyId const key = in.key[row];
  ++rules_.stats.assigned;
  if (times.w >= expiry(window.end, spec_.lateness)) {
    drop(batch_row, key, DropReason::late, window);
    return;
  }
  std::uint32_t const slab = slab_of(window, times.w);
  bool created = false;
  std::uint32_t const i = slabs_.at(slab).find_or_create(layout_, key, created);
  std::byte* const record = slabs_.at(slab).record(layout_, i);
  if (created) {
    rules_.begin(record);
    count_window(key);
  }
  if (!CellRules::is_open(record)) {
    drop(batch_row, key, DropReason::closed, window);
    return;
  }
  if (rules_.accept(record, window, in.event_time[row], times)) {
    touched_.push_back({slab, i});
  }
  hit_row_.push_back(row);
  hit_.push_back({slab, i});
}

void Shard::fold_hits(KeyedBatchView const& in, std::uint64_t sequence) {
  hit_record_.clear();
  for (Touched const hit : hit_) {  // records stand still only now
    hit_record_.push_back(slabs_.at(hit.place).record(layout_, hit.record));
  }
  fold(layout_, rules_.boxes,
       {hit_row_, hit_record_, in.event_time, in.values, in.weight, sequence, in.pane});
  hit_row_.clear();
  hit_.clear();
}

std::uint32_t Shard::slab_of(Window window, Watermark w) {
  if (last_slab_ != none && last_window_ == window) {
    return last_slab_;
  }
  bool created = false;
  last_slab_ = slabs_.find_or_create(window, created);
  last_window_ = window;
  if (created) {
    queue_event(last_slab_, w);
  }
  return last_slab_;
}

// Counts a dropped pair and names it; neighbouring windows of one row and reason make one run.
void Shard::drop(std::uint32_t batch_row, KeyId key, DropReason reason, Window window) {
  ++(reason == DropReason::late ? rules_.stats.dropped_late : rules_.stats.dropped_closed);
  maybe_freed_.push_back(key);
  std::vector<DroppedRun>& dropped = rules_.output.dropped;
  bool const continues = !dropped.empty() && dropped.back().row == batch_row &&
                         dropped.back().reason == reason && spec_.windows.period_us > 0 &&
                         window.end.us - last_dropped_end_us_ <= spec_.windows.period_us;
  last_dropped_end_us_ = window.end.us;
  if (continues) {
    ++dropped.back().windows;
  } else {
    dropped.push_back({batch_row, reason, window, 1});
  }
}

void Shard::count_window(KeyId key) {
  std::size_t const i = dense_index(key);
  if (i >= windows_of_key_.size()) {
    windows_of_key_.resize(std::max(i + 1, windows_of_key_.size() * 2));
  }
  if (windows_of_key_[i]++ == 0) {
    ++keys_;
  }
  ++records_;
}

void Shard::forget_window(KeyId key) {
  std::uint32_t& windows = windows_of_key_[dense_index(key)];
  WINDROW_ASSERT(windows > 0, "a key with a window is counted");
  --records_;
  if (--windows == 0) {
    --keys_;
    maybe_freed_.push_back(key);
  }
}

void Shard::report_freed() {
  std::sort(maybe_freed_.begin(), maybe_freed_.end());
  maybe_freed_.erase(std::unique(maybe_freed_.begin(), maybe_freed_.end()), maybe_freed_.end());
  for (KeyId const key : maybe_freed_) {
    std::size_t const i = dense_index(key);
    if (i >= windows_of_key_.size() || windows_of_key_[i] == 0) {
      rules_.output.freed.push_back(key);
    }
  }
  maybe_freed_.clear();
}

void Shard::add_stats(AggregationStats& out) const {
  AggregationStats const& mine = rules_.stats;
  out.rows += mine.rows;
  out.late += mine.late;
  out.assigned += mine.assigned;
  out.aggregated += mine.aggregated;
  out.dropped_late += mine.dropped_late;
  out.dropped_closed += mine.dropped_closed;
  out.no_window += mine.no_window;
  out.overflow += mine.overflow;
  out.panes_early += mine.panes_early;
  out.panes_on_time += mine.panes_on_time;
  out.panes_late += mine.panes_late;
  out.tombstones += mine.tombstones;
  out.evaluations += mine.evaluations;
  out.cells += records_;
  out.windows_with_state += records_;
  out.keys += keys_;
  out.host_bytes += slabs_.bytes() + sessions_.bytes() + rules_.boxes.bytes() + events_.bytes() +
                    deadlines_.bytes() + holds_.bytes() +
                    (windows_of_key_.capacity() + first_kept_.capacity() + last_kept_.capacity()) *
                        sizeof(std::uint32_t);
}

}  // namespace windrow::cpu
