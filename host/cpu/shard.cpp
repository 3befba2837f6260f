// Judges the rows of a shard and folds them into the records of their windows.  Rules: semantics.md
// R8, R18-R23.
#include "host/cpu/shard.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow::cpu {
namespace {

// Rows whose records are found before their values are folded: enough for loops over columns, few
// enough that the records are still in the cache.
constexpr std::size_t hits_max = 256;

// (Row, window) pairs between asking the memory for a record and its use.
constexpr std::size_t pairs_ahead = 16;
constexpr std::uint64_t records_cached = 1024;  // of a shard: so many are in the cache anyway

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
      shares_slices_(shares_slices(spec)),
      rules_(spec, layout) {}

void Shard::push(KeyedBatchView const& in, std::span<std::uint32_t const> row,
                 std::uint32_t first_row, std::uint64_t sequence, BatchTimes const& times) {
  for (std::size_t at = 0; at < row.size(); ++at) {
    std::uint32_t const i = row[at];
    ++rules_.stats.rows;
    if (in.event_time[i] < times.w) {
      ++rules_.stats.late;
    }
    if (sessions_step_) {
      keep_row(in, i, first_row + i, sequence + i, times);
      continue;
    }
    if (spec_.windows.kind == WindowKind::given) {
      reach(in.window[i]);
    } else {
      reach(in.event_time[i], times.w);
    }
    if (reach_.slabs.empty()) {
      ++rules_.stats.no_window;
      maybe_freed_.push_back(in.key[i]);
      continue;
    }
    std::size_t const ahead = reach_.ahead;
    if (records_ + slice_records_ > records_cached && at + 2 * ahead < row.size()) {
      KeyId const next = in.key[row[at + ahead]], later = in.key[row[at + 2 * ahead]];
      for (std::uint32_t const slab : reach_.slabs) {
        if (slab != none) {
          __builtin_prefetch(slabs_.at(slab).slot_place(later));
          if (auto const* const record = slabs_.at(slab).record_place(layout_, next)) {
            __builtin_prefetch(record, 1);
            __builtin_prefetch(record + cache_line, 1);
          }
        }
      }
    }
    for (std::size_t reached = 0; reached < reach_.windows.size(); ++reached) {
      judge(in, i, reached, first_row + i, times);
    }
    if (reach_.running.count() > 0) {
      share(in, i);
    }
    if (hit_row_.size() >= hits_max) {
      fold_hits(in, sequence);
    }
  }
  fold_hits(in, sequence);
}

// Windows that hold `time`: those of the whole slice around it, so that most rows find them here.
void Shard::reach(EventTime time, Watermark w) {
  if (reach_.begin <= time && time < reach_.end) {
    return;
  }
  reach_.slice = slice_of(spec_.windows, time);
  IndexRange own = windows_of_slice(spec_.windows, reach_.slice);
  if (shares_slices_) {
    reach_.running = running_windows(spec_.windows, reach_.slice, w);
    own.last = reach_.running.first - 1;
  }
  reach_.windows.clear();
  for (std::int64_t j = own.first; j <= own.last; ++j) {
    reach_.windows.push_back(window_at(spec_.windows, j));
  }
  reach_.slabs.assign(reach_.windows.size() + (reach_.running.count() > 0 ? 1 : 0), none);
  reach_.ahead = pairs_ahead / std::clamp<std::size_t>(reach_.slabs.size(), 1, pairs_ahead);
  Window const times = slice_at(spec_.windows, reach_.slice);
  reach_.begin = times.start;
  reach_.end = times.end;
}

void Shard::reach(Window window) {
  if (reach_.windows.empty() || reach_.windows.front() != window) {
    reach_.windows.assign(1, window);
    reach_.slabs.assign(1, none);
    reach_.ahead = pairs_ahead;
  }
}

void Shard::judge(KeyedBatchView const& in, std::uint32_t row, std::size_t reached,
                  std::uint32_t batch_row, BatchTimes const& times) {
  KeyId const key = in.key[row];
  Window const window = reach_.windows[reached];
  ++rules_.stats.assigned;
  if (times.w >= expiry(window.end, spec_.lateness)) {
    drop(batch_row, key, DropReason::late, window);
    return;
  }
  std::uint32_t& slab = reach_.slabs[reached];
  if (slab == none) {
    slab = slab_of(window, times.w);
  }
  bool created = false;
  std::uint32_t const i = slabs_.at(slab).find_or_create(layout_, key, created);
  std::byte* const record = slabs_.at(slab).record(layout_, i);
  if (created) {
    start_cell(rules_.cells(), record);
    count_window(key);
  }
  if (!is_open(record)) {
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
  bool created = false;
  std::uint32_t const slab = slabs_.find_or_create(window, created);
  if (created) {
    queue_event(slab, w);
  }
  return slab;
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
  count_record(key);
  ++records_;
}

void Shard::count_record(KeyId key) {
  std::size_t const i = dense_index(key);
  if (i >= records_of_key_.size()) {
    records_of_key_.resize(std::max(i + 1, records_of_key_.size() * 2));
  }
  if (records_of_key_[i]++ == 0) {
    ++keys_;
  }
}

void Shard::forget_window(KeyId key) {
  forget_record(key);
  --records_;
}

void Shard::forget_record(KeyId key) {
  std::uint32_t& records = records_of_key_[dense_index(key)];
  WINDROW_ASSERT(records > 0, "a key with a record is counted");
  if (--records == 0) {
    --keys_;
    maybe_freed_.push_back(key);
  }
}

// Each key once, ascending: over a bit per key, since very many may end in one batch.
void Shard::report_freed() {
  std::size_t first = SIZE_MAX, end = 0;
  for (KeyId const key : maybe_freed_) {
    std::size_t const word = dense_index(key) / 64;
    first = std::min(first, word);
    end = std::max(end, word + 1);
    freed_bits_.resize(std::max(freed_bits_.size(), end));
    freed_bits_[word] |= std::uint64_t{1} << (key % 64);
  }
  for (std::size_t word = first; word < end; ++word) {
    auto const key = static_cast<KeyId>((word * shards + maybe_freed_.front() / 64 % shards) * 64);
    for (std::uint64_t bits = std::exchange(freed_bits_[word], 0); bits != 0; bits &= bits - 1) {
      auto const bit = static_cast<KeyId>(std::countr_zero(bits));
      std::size_t const i = word * 64 + bit;
      if (i >= records_of_key_.size() || records_of_key_[i] == 0) {
        rules_.output.freed.push_back(key + bit);
      }
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
  out.cells += records_ + slice_records_;
  out.windows_with_state += windows_with_state();
  out.keys += keys_;
  out.host_bytes += slabs_.bytes() + sessions_.bytes() + rules_.boxes.bytes() + events_.bytes() +
                    deadlines_.bytes() + holds_.bytes() +
                    (records_of_key_.capacity() + first_kept_.capacity() + last_kept_.capacity()) *
                        sizeof(std::uint32_t) +
                    newest_slice_.capacity() * sizeof(std::int64_t) +
                    (slices_.size() + running_.size()) * node_bytes;
}

}  // namespace windrow::cpu
