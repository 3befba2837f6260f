// The layout of a step's records, and where a key stands in its shard.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "host/model/cell_rules.hpp"
#include "host/model/slices.hpp"

namespace windrow::cpu {

inline constexpr std::size_t cache_line = 64;  // bytes
inline constexpr std::size_t node_bytes = 64;  // of a small entry of a std::map, at the most

// Position of a key among those of its shard; dense, since ids are.
[[nodiscard]] constexpr std::size_t dense_index(KeyId key) noexcept {
  return std::size_t{key >> 10U} * 64 + (key & 63U);
}

// Owns what its shape borrows.
class RecordLayout : public RecordShape {
 public:
  explicit RecordLayout(AggregationSpec const& spec) : slots_(spec.combines.size()) {
    RecordShape::operator=(
        shape_of(spec.trigger, spec.timestamp_combiner, spec.withdrawals, spec.combines, slots_));
  }
  RecordLayout(RecordLayout const&) = delete;
  RecordLayout& operator=(RecordLayout const&) = delete;
  [[nodiscard]] std::vector<AccumulatorSlot> const& all_slots() const { return slots_; }

 private:
  std::vector<AccumulatorSlot> slots_;
};

}  // namespace windrow::cpu
