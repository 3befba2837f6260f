// Which windows of a step are open, and in which slabs: small, and on the host.
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

namespace windrow::gpu {

class WindowDirectory {
 public:
  WindowDirectory(WindowFn const& windows, Duration lateness)
      : windows_(windows), lateness_(lateness) {}

  // The windows, not yet expired under `w`, that hold rows; those that were not open get slabs.
  // By window; valid until the next call.
  std::vector<WindowRef> const& open_for(KeyedBatchView const& rows, Watermark w);
  // What the last `open_for` has opened, and closes it again.
  [[nodiscard]] std::vector<std::uint32_t> const& opened() const { return opened_; }
  void take_back();
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

  WindowFn const windows_;
  Duration const lateness_;
  ByEnd by_end_;
  std::vector<Window> window_;
  std::vector<std::uint32_t> free_, opened_;
  std::vector<WindowRef> refs_;
  EventTime seen_begin_ = T_MAX, seen_end_ = T_MIN;  // rows between fall into the same windows
  std::array<std::int64_t, 256> seen_slice_{};       // by its lowest bits: rows may jump to and fro
  Window seen_window_{};
};

}  // namespace windrow::gpu
