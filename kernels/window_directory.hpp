// Which windows of a step are open, which slices hold rows of those that run, and in which slabs:
// small, and on the host.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/model/cell_rules.hpp"
#include "kernels/fire.hpp"
#include "kernels/rows_view.hpp"
#include "kernels/slices.hpp"

namespace windrow::gpu {

class WindowDirectory {
 public:
  //   shares_slices  windows that run are not open; their slices are
  WindowDirectory(WindowFn const& windows, Duration lateness, bool shares_slices)
      : windows_(windows), lateness_(lateness), shares_slices_(shares_slices) {}

  // The windows, not yet expired under `w`, that hold rows, by window; behind them, from
  // `slice_refs` on, slices.  Those that were not open get slabs.  Valid until the next call.
  std::vector<WindowRef> const& open_for(KeyedBatchView const& rows, Watermark w);
  [[nodiscard]] std::size_t slice_refs() const { return window_refs_; }
  // Slabs that the last `open_for` has opened, and closes them again.
  [[nodiscard]] std::vector<std::uint32_t> const& opened() const { return opened_; }
  void take_back();

  // All slices, ascending.
  [[nodiscard]] std::vector<SliceRef> slices() const;
  // Windows that a step from `w` to `to` ends and that run until then, of those slices.
  [[nodiscard]] std::vector<EndingWindow> ending(std::vector<SliceRef> const& slices, Watermark w,
                                                 Watermark to) const;
  // Slices of which no window runs any more, as slabs; closes them.
  [[nodiscard]] std::vector<DueSlab> take_ended_slices(Watermark w);
  std::uint32_t open_slice(std::int64_t slice);
  // Slabs that the step from times.w_before to times.w reaches, or whose earliest deadline P has
  // passed, in order of their windows' ends.
  //   deadline  [slab] the earliest as of the last batch; empty = the step has none
  [[nodiscard]] std::vector<DueSlab> due(BatchTimes const& times,
                                         std::span<std::int64_t const> deadline) const;
  void close(std::uint32_t slab);
  std::uint32_t open(Window window);

  [[nodiscard]] Window window(std::uint32_t slab) const { return window_[slab]; }
  // Slab numbers are below this.
  [[nodiscard]] std::uint32_t slabs() const { return static_cast<std::uint32_t>(window_.size()); }
  // The earliest end or expiry after `w`; `never` if nothing is open.
  [[nodiscard]] std::int64_t next_event(Watermark w) const;
  // (end, start) -> slab.
  using ByEnd = std::map<std::pair<EventTime, EventTime>, std::uint32_t>;
  [[nodiscard]] ByEnd const& by_end() const { return by_end_; }

 private:
  void see(EventTime time, Watermark w);
  void see(Window window, Watermark w);
  void see_slice(std::int64_t slice, std::uint32_t running);
  std::uint32_t take_slab(Window window);

  WindowFn const windows_;
  Duration const lateness_;
  bool const shares_slices_;
  ByEnd by_end_;
  std::map<std::int64_t, std::uint32_t> slices_;  // -> slab
  std::vector<Window> window_;                    // or times of a slice
  std::vector<std::uint32_t> free_, opened_;
  std::vector<std::int64_t> opened_slices_;
  std::vector<WindowRef> refs_, slice_refs_;
  std::size_t window_refs_ = 0;
  EventTime seen_begin_ = T_MAX, seen_end_ = T_MIN;  // rows between fall into the same windows
  std::array<std::int64_t, 256> seen_slice_{};       // by its lowest bits: rows may jump to and fro
  Window seen_window_{};
};

}  // namespace windrow::gpu
