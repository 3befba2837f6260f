// Windows that share slices: a row is folded once for all its running windows, which are counted
// per key; a window whose end W has reached is made of its slices, in their order.
#include <iterator>

#include "host/cpu/contents.hpp"
#include "host/cpu/shard.hpp"

namespace windrow::cpu {

// The row goes to the running windows that reach_ has found, whose trigger it cannot make fire.
void Shard::share(KeyedBatchView const& in, std::uint32_t row) {
  KeyId const key = in.key[row];
  std::uint32_t& slab = reach_.slabs.back();
  if (slab == none) {
    slab = slab_of_slice(reach_.slice);
  }
  bool created = false;
  std::uint32_t const i = slabs_.at(slab).find_or_create(layout_, key, created);
  if (created) {
    count_slice(key, reach_.slice, reach_.running);
  }
  auto const windows = static_cast<std::uint64_t>(reach_.running.count());
  rules_.stats.assigned += windows;
  rules_.stats.aggregated += windows;
  hit_row_.push_back(row);
  hit_.push_back({slab, i});
}

std::uint32_t Shard::slab_of_slice(std::int64_t slice) {
  auto const [at, is_new] = slices_.try_emplace(slice, none);
  if (is_new) {
    at->second = slabs_.open(slice_at(spec_.windows, slice));
  }
  return at->second;
}

// The key has its first row in a slice: counts the windows in which it had none.  Windows of a
// slice are neighbours, so that only the nearest slices of the key on both sides say which these
// are.
//   running  windows of the slice
void Shard::count_slice(KeyId key, std::int64_t slice, IndexRange running) {
  count_record(key);
  ++slice_records_;
  std::size_t const i = dense_index(key);
  if (i >= newest_slice_.size()) {
    newest_slice_.resize(std::max(i + 1, newest_slice_.size() * 2), INT64_MIN);
  }
  std::int64_t& newest = newest_slice_[i];  // or one of before, if all its windows have ended
  auto const windows_of = [this](std::int64_t of) { return windows_of_slice(spec_.windows, of); };
  if (newest < slice) {
    if (newest != INT64_MIN) {
      running.first = std::max(running.first, windows_of(newest).last + 1);
    }
    newest = slice;
  } else {
    auto const here = slices_.find(slice);
    for (auto older = std::make_reverse_iterator(here); older != slices_.rend(); ++older) {
      std::int64_t const last = windows_of(older->first).last;
      if (last < running.first) {
        break;
      }
      if (slabs_.at(older->second).contains(layout_, key)) {
        running.first = last + 1;
      }
    }
    for (auto newer = std::next(here); newer != slices_.end(); ++newer) {
      std::int64_t const first = windows_of(newer->first).first;
      if (first > running.last) {
        break;
      }
      if (slabs_.at(newer->second).contains(layout_, key)) {
        running.last = first - 1;
      }
    }
  }
  running_keys_ += static_cast<std::uint64_t>(running.count());
  for (auto at = running_.lower_bound(running.first); running.first <= running.last;
       ++running.first, ++at) {
    at = running_.try_emplace(at, running.first, 0);
    ++at->second;
  }
}

// Running windows that end by then are due now, as if they had had places all the time.
void Shard::end_running(EventTime by) {
  std::vector<std::uint32_t> ended;
  while (!running_.empty() && window_at(spec_.windows, running_.begin()->first).end <= by) {
    ended.push_back(combine_slices(running_.begin()->first));
    running_keys_ -= running_.begin()->second;
    running_.erase(running_.begin());
  }
  due_.insert(due_.begin() + static_cast<std::ptrdiff_t>(next_due_), ended.begin(), ended.end());
  drop_slices();
}

std::uint32_t Shard::combine_slices(std::int64_t index) {
  bool created = false;
  std::uint32_t const place = slabs_.find_or_create(window_at(spec_.windows, index), created);
  WINDROW_ASSERT(created, "a running window has no place");
  IndexRange const range = slices_of_window(spec_.windows, index);
  for (auto at = slices_.lower_bound(range.first); at != slices_.end() && at->first <= range.last;
       ++at) {
    Slab &from = slabs_.at(at->second), &to = slabs_.at(place);
    combined_.clear();
    for (std::uint32_t i = 0; i < from.size(); ++i) {
      KeyId const key = RecordLayout::head(from.record(layout_, i)).key;
      std::uint32_t const record = to.find_or_create(layout_, key, created);
      combined_.push_back(record);
      if (created) {
        start_combined_cell(rules_.cells(), to.record(layout_, record));
        count_window(key);
        note(place, record, 0);
      }
    }
    combined_to_.clear();
    combined_from_.clear();
    for (std::uint32_t i = 0; i < from.size(); ++i) {
      combined_to_.push_back(to.record(layout_, combined_[i]));
      combined_from_.push_back(from.record(layout_, i));
    }
    combine_contents(layout_, rules_.boxes, combined_to_, combined_from_);
  }
  return place;
}

// Those that no running window needs.
void Shard::drop_slices() {
  while (!slices_.empty() &&
         (running_.empty() ||
          windows_of_slice(spec_.windows, slices_.begin()->first).last < running_.begin()->first)) {
    std::uint32_t const slab = slices_.begin()->second;
    for (std::uint32_t i = 0; i < slabs_.at(slab).size(); ++i) {
      std::byte* const record = slabs_.at(slab).record(layout_, i);
      forget_record(RecordLayout::head(record).key);
      if (layout_.has_boxes) {
        clear_contents(layout_, rules_.boxes, record);
      }
    }
    slice_records_ -= slabs_.at(slab).size();
    slabs_.close(slab);
    slices_.erase(slices_.begin());
  }
}

}  // namespace windrow::cpu
