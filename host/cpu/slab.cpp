// Finds and makes the records of one window.
#include "host/cpu/slab.hpp"

#include <bit>

namespace windrow::cpu {

void Slab::reset(bool keep) {
  queued = {};
  size_ = 0;
  keys_end_ = 0;
  if (!keep) {
    *this = Slab();
    return;
  }
  slots_.clear();
  records_.clear();
  deadline_bound.clear();
  hold_bound.clear();
}

std::uint32_t Slab::find(RecordLayout const& layout, KeyId key, std::size_t& slot) {
  if (slots_.empty()) {
    for (std::uint32_t i = 0; i < size_; ++i) {
      if (RecordLayout::head(record(layout, i)).key == key) {
        return i;
      }
    }
  } else {
    for (slot = slot_of(key); slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
      std::uint32_t const i = slots_[slot] - 1;
      if (direct_ || RecordLayout::head(record(layout, i)).key == key) {
        return i;
      }
    }
  }
  return none;
}

bool Slab::contains(RecordLayout const& layout, KeyId key) {
  std::size_t slot = 0;
  return find(layout, key, slot) != none;
}

std::uint32_t Slab::find_or_create(RecordLayout const& layout, KeyId key, bool& created) {
  std::size_t slot = 0;
  std::uint32_t const found = find(layout, key, slot);
  created = found == none;
  if (!created) {
    return found;
  }
  records_.resize(records_.size() + layout.bytes);
  RecordLayout::head(record(layout, size_)).key = key;
  keys_end_ = std::max(keys_end_, dense_index(key) + 1);
  ++size_;
  bool const full = slots_.empty() ? size_ > linear_max
                    : direct_      ? keys_end_ >= slots_.size()
                                   : std::size_t{size_} * 2 > slots_.size();
  if (full) {
    grow(layout);
  } else if (!slots_.empty()) {
    slots_[slot] = size_;
  }
  return size_ - 1;
}

void Slab::grow(RecordLayout const& layout) {
  direct_ = std::size_t{size_} * 4 >= keys_end_;
  std::size_t const capacity =
      direct_ ? keys_end_ + keys_end_ / 2 + 1 : std::bit_ceil(std::size_t{size_} * 3);
  shift_ = static_cast<std::uint32_t>(64 - std::countr_zero(capacity));
  slots_.assign(capacity, 0);
  for (std::uint32_t i = 0; i < size_; ++i) {
    std::size_t slot = slot_of(RecordLayout::head(record(layout, i)).key);
    while (slots_[slot] != 0) {  // never where direct
      slot = (slot + 1) & (capacity - 1);
    }
    slots_[slot] = i + 1;
  }
}

std::size_t Slab::bytes() const {
  return slots_.capacity() * sizeof(std::uint32_t) + records_.capacity() +
         (deadline_bound.capacity() + hold_bound.capacity()) * sizeof(std::int64_t);
}

}  // namespace windrow::cpu
