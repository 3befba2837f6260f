// One window of one shard: key -> record.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/cpu/lazy_heap.hpp"
#include "host/cpu/record.hpp"
#include "host/model/window.hpp"

namespace windrow::cpu {

inline constexpr std::uint32_t records_per_block = 64;

// Open addressing over records that lie in order of their creation; up to `linear_max` of them are
// searched one by one, so that a small slab is small.  Per block of 64 records a lower bound of
// their deadlines and holds (none kept where the step has none).
class Slab {
 public:
  void open(Window window) { window_ = window; }
  // Takes all records away; memory stays only where `keep` says so.
  void reset(bool keep);
  [[nodiscard]] Window window() const { return window_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::byte* record(RecordLayout const& layout, std::uint32_t i) {
    return records_.data() + std::size_t{i} * layout.bytes();
  }
  // Index of the record of `key`; a new one is zero bytes but for its key.
  std::uint32_t find_or_create(RecordLayout const& layout, KeyId key, bool& created);
  [[nodiscard]] std::size_t bytes() const;

  QueuedTimes queued;
  std::vector<std::int64_t> deadline_bound, hold_bound;

 private:
  static constexpr std::uint32_t linear_max = 8;
  void grow(RecordLayout const& layout);
  [[nodiscard]] std::size_t slot_of(KeyId key) const {
    return static_cast<std::size_t>((std::uint64_t{key} * 0x9e3779b97f4a7c15U) >> shift_);
  }

  Window window_{};
  std::uint32_t size_ = 0, shift_ = 0;
  std::vector<std::uint32_t> slots_;  // record index + 1, 0 = empty; a power of two
  std::vector<std::byte> records_;
};

}  // namespace windrow::cpu
