// The cells of a step as a snapshot has them, on their way from or to the device.
#pragma once
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "kernels/step_view.hpp"

namespace windrow::gpu {

// Records by number, each with its window, or with the times of its slice.
class CellImages {
 public:
  explicit CellImages(std::uint32_t record_bytes) : record_bytes_(record_bytes) {}
  [[nodiscard]] std::size_t size() const { return window_.size(); }
  [[nodiscard]] Window window(std::size_t i) const { return window_[i]; }
  [[nodiscard]] std::byte* record(std::size_t i) { return bytes_.data() + i * record_bytes_; }
  [[nodiscard]] RecordHead& head(std::size_t i) { return RecordShape::head(record(i)); }
  [[nodiscard]] bool is_slice(std::size_t i) const { return is_slice_[i]; }
  // Zero bytes.
  std::byte* append(Window window, bool is_slice = false) {
    window_.push_back(window);
    is_slice_.push_back(is_slice);
    bytes_.resize(bytes_.size() + record_bytes_);
    return bytes_.data() + bytes_.size() - record_bytes_;
  }
  // Sessions: the tombstones that the last record appended owes, ascending.
  void set_pending(std::vector<Window>&& windows) {
    pending_.resize(size());
    pending_.back() = std::move(windows);
  }
  [[nodiscard]] std::vector<Window> const& pending(std::size_t i) const { return pending_[i]; }
  // The records of a page that exist.
  void append_page(std::span<std::byte> page, Window window, bool is_slice);

 private:
  std::uint32_t record_bytes_;
  std::vector<Window> window_;
  std::vector<bool> is_slice_;
  std::vector<std::byte> bytes_;
  std::vector<std::vector<Window>> pending_;
};

// Pieces per shard, as every backend writes them: windows by (end, start), keys ascending, and
// slices likewise.
void write_cells(StepView const& step, CellImages& cells, SnapshotWriter& out);
// All pieces of a step; `step` has its slots on the host.
void read_cells(SnapshotReader& in, StepView const& step, AggregationClocks& clocks,
                CellImages& cells);

}  // namespace windrow::gpu
