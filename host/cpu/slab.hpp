// One window, or slice of windows, of one shard: key -> record.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/cpu/lazy_heap.hpp"
#include "host/cpu/record.hpp"
#include "host/model/window.hpp"

namespace windrow::cpu {

inline constexpr std::uint32_t records_per_block = 64;

// Records lie in order of their creation and are found by an index: none up to `linear_max` of
// them, so that a small slab is small; open addressing; from a quarter of the shard's keys on their
// numbers themselves.  Per block of 64 records a lower bound of their deadlines and holds (none
// kept where the step has none).
class Slab {
 public:
  void open(Window window) { window_ = window; }
  // Takes all records away; memory stays only where `keep` says so.
  void reset(bool keep);
  [[nodiscard]] Window window() const { return window_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::byte* record(RecordLayout const& layout, std::uint32_t i) {
    return records_.data() + std::size_t{i} * layout.bytes;
  }
  [[nodiscard]] bool contains(RecordLayout const& layout, KeyId key);
  // Index of the record of `key`; a new one is zero bytes but for its key.
  std::uint32_t find_or_create(RecordLayout const& layout, KeyId key, bool& created);
  // What will be read to find a key, to prefetch it: its slot and, once that is here, its record.
  // They do not prefetch themselves: GCC 12 takes such a function for one without effects.
  [[nodiscard]] void const* slot_place(KeyId key) const {
    return slots_.empty() ? nullptr : &slots_[slot_of(key)];
  }
  [[nodiscard]] std::byte const* record_place(RecordLayout const& layout, KeyId key) const {
    std::size_t const i = slots_.empty() ? 0 : slots_[slot_of(key)];
    return i == 0 ? nullptr : records_.data() + (i - 1) * layout.bytes;
  }
  [[nodiscard]] std::size_t bytes() const;

  QueuedTimes queued;
  std::vector<std::int64_t> deadline_bound, hold_bound;

 private:
  static constexpr std::uint32_t linear_max = 8;
  static constexpr std::uint32_t none = UINT32_MAX;
  // Index of its record; where it has none `none`, and `slot` is where it would be found.
  [[nodiscard]] std::uint32_t find(RecordLayout const& layout, KeyId key, std::size_t& slot);
  void grow(RecordLayout const& layout);
  [[nodiscard]] std::size_t slot_of(KeyId key) const {
    return direct_ ? std::min(dense_index(key), slots_.size() - 1)
                   : static_cast<std::size_t>((std::uint64_t{key} * 0x9e3779b97f4a7c15U) >> shift_);
  }

  Window window_{};
  std::uint32_t size_ = 0, shift_ = 0;
  std::size_t keys_end_ = 0;  // above the dense_index of every key
  bool direct_ = false;
  // Record index + 1, 0 = empty.  Open addressing: a power of two, at most half full.  Direct: by
  // dense_index; the last one stays empty, for keys beyond.
  std::vector<std::uint32_t> slots_;
  std::vector<std::byte> records_;
};

}  // namespace windrow::cpu
