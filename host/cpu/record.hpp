// The record of one (key, window): trigger state, pane record and accumulators side by side, laid
// out once per step.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "host/model/accumulate.hpp"
#include "host/model/pane_fire.hpp"
#include "host/model/trigger_eval.hpp"

namespace windrow::cpu {

inline constexpr std::size_t cache_line = 64;     // bytes
inline constexpr std::int64_t never = INT64_MAX;  // no hold, no deadline, no event

// Position of a key among those of its shard; dense, since ids are.
[[nodiscard]] constexpr std::size_t dense_index(KeyId key) noexcept {
  return std::size_t{key >> 10U} * 64 + (key & 63U);
}

// The part that every record has.
//   new_rows  rows of the batch that is running, accepted: 0 between batches
//   flags     trigger_eval.hpp
struct RecordHead {
  KeyId key = 0;
  std::uint32_t new_rows = 0;
  PaneRecord pane;
  std::uint8_t flags = 0;
};

// Where the accumulator of one combine lies.  `logged`: in the cell's log of weighted rows, as a
// withdrawal cannot be subtracted from it (R78); then `offset` has no meaning.
struct AccumulatorSlot {
  CombineFn fn;
  AccumulatorKind kind = AccumulatorKind::count;
  bool logged = false;
  std::uint32_t offset = 0;
};

// Of extremes and picks: does the smallest win?
[[nodiscard]] constexpr bool is_smallest(CombineFn const& fn) noexcept {
  return fn.kind == CombineKind::min || fn.kind == CombineKind::first;
}

//   hold           EARLIEST and LATEST: the element hold, valid if the flag `held` is set
//   contributions  withdrawals: sum of the weights of the rows in the accumulators
//   log            withdrawals: handle of the box that holds the logged rows
class RecordLayout {
 public:
  explicit RecordLayout(AggregationSpec const& spec);

  [[nodiscard]] std::uint32_t bytes() const { return bytes_; }
  [[nodiscard]] std::vector<AccumulatorSlot> const& slots() const { return slots_; }
  [[nodiscard]] bool has_log() const { return has_log_; }
  // Something that `clear` must hand back lies in boxes.
  [[nodiscard]] bool has_boxes() const { return has_boxes_; }
  [[nodiscard]] bool stores_hold() const { return stores_hold_; }
  [[nodiscard]] bool counts_contributions() const { return counts_contributions_; }

  static RecordHead& head(std::byte* record) { return *reinterpret_cast<RecordHead*>(record); }
  [[nodiscard]] TriggerStateRef trigger(std::byte* record) const {
    return {at<std::uint32_t>(record, finished_), &head(record).flags,
            at<std::uint32_t>(record, counter_), at<std::int64_t>(record, deadline_)};
  }
  [[nodiscard]] std::int64_t& hold(std::byte* record) const {
    return *at<std::int64_t>(record, hold_);
  }
  [[nodiscard]] std::int64_t& contributions(std::byte* record) const {
    return *at<std::int64_t>(record, contributions_);
  }
  [[nodiscard]] std::uint32_t& log(std::byte* record) const {
    return *at<std::uint32_t>(record, log_);
  }
  template <class T>
  static T* at(std::byte* record, std::uint32_t offset) {
    return reinterpret_cast<T*>(record + offset);
  }
  // Accumulators, contributions and log, which are zero bytes when empty.
  [[nodiscard]] std::uint32_t contents_begin() const { return contents_begin_; }

 private:
  std::uint32_t bytes_ = 0, finished_ = 0, counter_ = 0, deadline_ = 0, hold_ = 0,
                contributions_ = 0, log_ = 0, contents_begin_ = 0;
  std::vector<AccumulatorSlot> slots_;
  bool has_log_ = false, has_boxes_ = false, stores_hold_ = false, counts_contributions_ = false;
};

}  // namespace windrow::cpu
