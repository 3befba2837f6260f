// Finds the windows of a push without looking twice at rows of one slice.
#include "kernels/window_directory.hpp"

#include <algorithm>
#include <limits>

namespace windrow::gpu {
namespace {

// Rows whose earliest and latest time are found in one loop that the compiler makes wide.
constexpr std::size_t block_rows = 1024;

}  // namespace

std::vector<WindowRef> const& WindowDirectory::open_for(KeyedBatchView const& rows, Watermark w) {
  refs_.clear();
  slice_refs_.clear();
  opened_.clear();
  opened_slices_.clear();
  seen_begin_ = T_MAX;
  seen_end_ = T_MIN;
  seen_window_ = {};
  seen_slice_.fill(INT64_MIN);
  if (windows_.kind == WindowKind::given) {
    for (Window const window : rows.window) {
      if (window != seen_window_) {
        see(window, w);
        seen_window_ = window;
      }
    }
  } else {
    for (std::size_t begin = 0; begin < rows.event_time.size(); begin += block_rows) {
      auto const block =
          rows.event_time.subspan(begin, std::min(block_rows, rows.event_time.size() - begin));
      EventTime earliest = block.front(), latest = block.front();
      for (EventTime const time : block) {
        earliest = std::min(earliest, time);
        latest = std::max(latest, time);
      }
      see(earliest, w);
      if (seen_begin_ <= earliest && latest < seen_end_) {
        continue;  // one slice
      }
      for (EventTime const time : block) {
        see(time, w);
      }
    }
  }
  for (std::vector<WindowRef>* const refs : {&refs_, &slice_refs_}) {
    std::sort(refs->begin(), refs->end(),
              [](WindowRef const& a, WindowRef const& b) { return a.window < b.window; });
    refs->erase(
        std::unique(refs->begin(), refs->end(),
                    [](WindowRef const& a, WindowRef const& b) { return a.slab == b.slab; }),
        refs->end());
  }
  window_refs_ = refs_.size();
  refs_.insert(refs_.end(), slice_refs_.begin(), slice_refs_.end());
  return refs_;
}

void WindowDirectory::see(EventTime time, Watermark w) {
  if (seen_begin_ <= time && time < seen_end_) {
    return;
  }
  std::int64_t const slice = slice_of(windows_, time);
  std::int64_t& seen = seen_slice_[static_cast<std::uint64_t>(slice) % seen_slice_.size()];
  if (seen == slice) {
    return;
  }
  seen = slice;
  IndexRange const range = windows_of_slice(windows_, slice);
  IndexRange const running =
      shares_slices_ ? running_windows(windows_, slice, w) : IndexRange{range.last + 1, range.last};
  for (std::int64_t j = range.first; j < running.first; ++j) {
    see(window_at(windows_, j), w);
  }
  if (running.count() > 0) {
    see_slice(slice, static_cast<std::uint32_t>(running.count()));
  }
  if (windows_.kind == WindowKind::global) {
    seen_begin_ = T_MIN;
    seen_end_ = T_END;
    return;
  }
  seen_begin_ =
      std::max(window_at(windows_, range.last).start, window_at(windows_, range.first - 1).end);
  seen_end_ =
      std::min(window_at(windows_, range.first).end, window_at(windows_, range.last + 1).start);
}

void WindowDirectory::see(Window window, Watermark w) {
  if (w < expiry(window.end, lateness_)) {
    auto const before = by_end_.size();
    std::uint32_t const slab = open(window);
    if (by_end_.size() > before) {
      opened_.push_back(slab);
    }
    refs_.push_back({window, slab, 0});
  }
}

void WindowDirectory::see_slice(std::int64_t slice, std::uint32_t running) {
  auto const before = slices_.size();
  std::uint32_t const slab = open_slice(slice);
  if (slices_.size() > before) {
    opened_.push_back(slab);
    opened_slices_.push_back(slice);
  }
  slice_refs_.push_back({window_[slab], slab, running});
}

std::uint32_t WindowDirectory::take_slab(Window window) {
  if (free_.empty()) {
    window_.push_back(window);
    return slabs() - 1;
  }
  std::uint32_t const slab = free_.back();
  free_.pop_back();
  window_[slab] = window;
  return slab;
}

std::uint32_t WindowDirectory::open(Window window) {
  auto const [at, is_new] = by_end_.try_emplace({window.end, window.start}, 0);
  if (is_new) {
    at->second = take_slab(window);
  }
  return at->second;
}

std::uint32_t WindowDirectory::open_slice(std::int64_t slice) {
  auto const [at, is_new] = slices_.try_emplace(slice, 0);
  if (is_new) {
    at->second = take_slab(slice_at(windows_, slice));
  }
  return at->second;
}

void WindowDirectory::take_back() {
  for (std::int64_t const slice : opened_slices_) {
    auto const at = slices_.find(slice);
    std::erase(opened_, at->second);
    free_.push_back(at->second);
    slices_.erase(at);
  }
  opened_slices_.clear();
  for (std::uint32_t const slab : opened_) {
    close(slab);
  }
  opened_.clear();
}

std::vector<SliceRef> WindowDirectory::slices() const {
  std::vector<SliceRef> out;
  for (auto const& [slice, slab] : slices_) {
    out.push_back({slice, slab});
  }
  return out;
}

std::vector<EndingWindow> WindowDirectory::ending(std::vector<SliceRef> const& slices, Watermark w,
                                                  Watermark to) const {
  std::vector<EndingWindow> out;
  std::int64_t next = std::numeric_limits<std::int64_t>::min();
  auto const place_of = [&](std::int64_t slice) {
    return static_cast<std::uint32_t>(
        std::lower_bound(slices.begin(), slices.end(), slice,
                         [](SliceRef const& a, std::int64_t b) { return a.slice < b; }) -
        slices.begin());
  };
  for (SliceRef const& ref : slices) {
    IndexRange const running = running_windows(windows_, ref.slice, w);
    for (std::int64_t j = std::max(next, running.first); j <= running.last; ++j) {
      Window const window = window_at(windows_, j);
      if (window.end > to) {
        return out;
      }
      IndexRange const range = slices_of_window(windows_, j);
      out.push_back({window, 0, place_of(range.first), place_of(range.last + 1)});
      next = j + 1;
    }
  }
  return out;
}

std::vector<DueSlab> WindowDirectory::take_ended_slices(Watermark w) {
  std::vector<DueSlab> out;
  while (!slices_.empty() && running_windows(windows_, slices_.begin()->first, w).count() == 0) {
    out.push_back({slices_.begin()->second, 0, 1});
    free_.push_back(slices_.begin()->second);
    slices_.erase(slices_.begin());
  }
  return out;
}

void WindowDirectory::close(std::uint32_t slab) {
  by_end_.erase({window_[slab].end, window_[slab].start});
  free_.push_back(slab);
}

std::vector<DueSlab> WindowDirectory::due(BatchTimes const& times,
                                          std::span<std::int64_t const> deadline) const {
  std::vector<DueSlab> out;
  auto at = by_end_.begin();
  for (; at != by_end_.end() && times.w >= expiry(at->first.first, lateness_); ++at) {
    out.push_back({at->second, 1, 1});
  }
  for (auto rest = at; !deadline.empty() && rest != by_end_.end(); ++rest) {
    EventTime const end = rest->first.first;
    bool const ended = times.w_before < end && end <= times.w;
    if (ended || deadline[rest->second] < times.p_us) {
      out.push_back({rest->second, ended ? 1U : 0U, 0});
    }
  }
  if (deadline.empty()) {
    if (at != by_end_.end() && at->first.first <= times.w_before) {
      at = by_end_.upper_bound(
          {times.w_before, EventTime{std::numeric_limits<std::int64_t>::max()}});
    }
    for (; at != by_end_.end() && at->first.first <= times.w; ++at) {
      out.push_back({at->second, 1, 0});
    }
  }
  return out;
}

std::int64_t WindowDirectory::next_event(Watermark w) const {
  std::int64_t earliest = never;
  if (!by_end_.empty() && by_end_.begin()->first.first <= w) {
    earliest = expiry(by_end_.begin()->first.first, lateness_).us;
  }
  if (!slices_.empty()) {  // the oldest has the window that ends first
    std::int64_t const first = running_windows(windows_, slices_.begin()->first, w).first;
    earliest = std::min(earliest, window_at(windows_, first).end.us);
  }
  auto const after = by_end_.upper_bound({w, EventTime{std::numeric_limits<std::int64_t>::max()}});
  return after == by_end_.end() ? earliest : std::min(earliest, after->first.first.us);
}

}  // namespace windrow::gpu
