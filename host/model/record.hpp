// The record of one (key, window): trigger state, pane record and accumulators side by side, laid
// out once per step and the same on every backend.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "host/model/accumulate.hpp"
#include "host/model/pane_fire.hpp"
#include "host/model/trigger_eval.hpp"

namespace windrow {

// The part that every record has.
//   new_rows  rows of the batch that is running, accepted: 0 between batches
//   flags     trigger_eval.hpp
struct RecordHead {
  std::uint32_t key = 0;
  std::uint32_t new_rows = 0;
  PaneRecord pane;
  std::uint32_t flags = 0;
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
[[nodiscard]] WINDROW_HOST_DEVICE constexpr bool is_smallest(CombineFn const& fn) noexcept {
  return fn.kind == CombineKind::min || fn.kind == CombineKind::first;
}

//   slots           [slot_count], borrowed
//   bytes           of a record, a multiple of 8;  the offsets below are from its begin
//   hold            EARLIEST and LATEST: the element hold; without one its identity (no_hold)
//   contributions   withdrawals: sum of the weights of the rows in the accumulators
//   log             withdrawals: handle of the box that holds the logged rows
//   contents_begin  accumulators, contributions and log, which are zero bytes when empty
struct RecordShape {
  AccumulatorSlot const* slots = nullptr;
  std::uint32_t slot_count = 0, bytes = 0, finished = 0, counter = 0, deadline = 0, hold = 0,
                contributions = 0, log = 0, contents_begin = 0;
  bool has_log = false, has_boxes = false, stores_hold = false, counts_contributions = false;

  template <class T>
  [[nodiscard]] WINDROW_HOST_DEVICE static T* at(std::byte* record, std::uint32_t offset) noexcept {
    return reinterpret_cast<T*>(record + offset);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE static RecordHead& head(std::byte* record) noexcept {
    return *reinterpret_cast<RecordHead*>(record);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE TriggerStateRef trigger(std::byte* record) const noexcept {
    return {at<std::uint32_t>(record, finished), &head(record).flags,
            at<std::uint32_t>(record, counter), at<std::int64_t>(record, deadline)};
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::int64_t& hold_of(std::byte* record) const noexcept {
    return *at<std::int64_t>(record, hold);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::int64_t& contributions_of(
      std::byte* record) const noexcept {
    return *at<std::int64_t>(record, contributions);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t& log_of(std::byte* record) const noexcept {
    return *at<std::uint32_t>(record, log);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE constexpr std::uint32_t contents_bytes() const noexcept {
    return bytes - contents_begin;
  }
};

// Counts and integer sums subtract a withdrawn row; nothing else can (R78).
[[nodiscard]] constexpr bool subtracts(AccumulatorKind kind) noexcept {
  return kind == AccumulatorKind::count || kind == AccumulatorKind::wide_sum;
}

// Lays a record out; fills `slots`, one per combine, which the shape then borrows.
//   unboxed  there are no boxes: sketches lie in the record
[[nodiscard]] constexpr RecordShape shape_of(TriggerProgram const& trigger, TimestampCombiner stamp,
                                             bool withdrawals, std::span<CombineFn const> combines,
                                             std::span<AccumulatorSlot> slots,
                                             bool unboxed = false) noexcept {
  auto const aligned = [](std::uint32_t at, std::uint32_t to) {
    return (at + to - 1U) & ~(to - 1U);
  };
  RecordShape shape;
  shape.slots = slots.data();
  shape.slot_count = static_cast<std::uint32_t>(combines.size());
  std::uint32_t at = sizeof(RecordHead);
  shape.finished = at;
  if (needs_bits(trigger)) {
    at += sizeof(std::uint32_t);
  }
  shape.counter = at;
  at += trigger.counters * static_cast<std::uint32_t>(sizeof(std::uint32_t));
  shape.deadline = aligned(at, 8);
  if (trigger.deadlines > 0) {
    at = shape.deadline + trigger.deadlines * 8U;
  }
  shape.stores_hold = stamp != TimestampCombiner::end_of_window;
  shape.hold = aligned(at, 8);
  if (shape.stores_hold) {
    at = shape.hold + 8;
  }
  at = aligned(at, 8);
  shape.contents_begin = at;
  shape.counts_contributions = withdrawals;
  shape.contributions = at;
  if (withdrawals) {
    at += 8;
  }
  for (std::size_t c = 0; c < combines.size(); ++c) {
    AccumulatorSlot& slot = slots[c];
    slot = {combines[c],
            unboxed ? accumulator_kind_unboxed(combines[c]) : accumulator_kind(combines[c]), false,
            0};
    slot.logged = withdrawals && !subtracts(slot.kind);
    if (slot.logged) {
      shape.has_log = true;
      continue;
    }
    slot.offset = aligned(at, slot.kind == AccumulatorKind::boxed    ? 4U
                              : slot.kind == AccumulatorKind::truths ? 1U
                                                                     : 8U);
    at = slot.offset +
         (slot.kind == AccumulatorKind::registers ? 1U << slot.fn.n : accumulator_bytes(slot.kind));
    shape.has_boxes = shape.has_boxes || slot.kind == AccumulatorKind::boxed;
  }
  shape.log = aligned(at, 4);
  if (shape.has_log) {
    at = shape.log + 4;
  }
  shape.has_boxes = shape.has_boxes || shape.has_log;
  shape.bytes = aligned(at, 8);
  return shape;
}

}  // namespace windrow
