// Panes as columns in device memory, written by one thread per cell that was asked.
#pragma once
#include <cmath>
#include <cstddef>

#include "kernels/fire.hpp"

namespace windrow::gpu {

// One column per combine: 8 bytes a row, as ValueType integer, number or boolean (0, 1), and
// validity.
//   firing    null where the step has no tombstones
//   overflow  how many results of the pane left int64
struct PanesView {
  std::uint32_t* key;
  Window *window, *firing;
  EventTime* timestamp;
  PaneInfo* info;
  std::uint8_t *deleted, *phase, *overflow;
  std::uint64_t* value;  // [combines][capacity]
  std::uint8_t* valid;   // [combines][capacity]
  std::size_t capacity;
};

namespace pane_detail {

WINDROW_HOST_DEVICE inline std::uint64_t bits_of_rank(ValueType type, std::int64_t rank) noexcept {
  return type == ValueType::number ? std::bit_cast<std::uint64_t>(number_of_rank(rank))
                                   : static_cast<std::uint64_t>(rank);
}

// The result of one accumulator; false = null.
WINDROW_HOST_DEVICE inline bool result_of(AccumulatorSlot const& slot, std::byte* from,
                                          std::uint64_t& bits, bool& overflow) noexcept {
  switch (slot.kind) {
    case AccumulatorKind::count:
      bits = static_cast<std::uint64_t>(reinterpret_cast<CountAccumulator*>(from)->rows);
      return true;
    case AccumulatorKind::wide_sum: {
      std::int64_t sum = 0;
      overflow = !extract(*reinterpret_cast<WideSum*>(from), sum);
      bits = static_cast<std::uint64_t>(sum);
      return !overflow;
    }
    case AccumulatorKind::number_sum: {
      auto const& sum = *reinterpret_cast<NumberSum*>(from);
      bool const mean = slot.fn.kind == CombineKind::mean;
      if (mean && sum.count == 0) {
        return false;
      }
      bits =
          std::bit_cast<std::uint64_t>(mean ? sum.sum / static_cast<double>(sum.count) : sum.sum);
      return true;
    }
    case AccumulatorKind::moments: {
      double result = 0;
      if (!variance(*reinterpret_cast<Moments*>(from), slot.fn.population, result)) {
        return false;
      }
      bits = std::bit_cast<std::uint64_t>(slot.fn.kind == CombineKind::stddev ? std::sqrt(result)
                                                                              : result);
      return true;
    }
    case AccumulatorKind::extreme: {
      auto const& extreme = *reinterpret_cast<Extreme*>(from);
      bits = bits_of_rank(slot.fn.in, rank_of(extreme, is_smallest(slot.fn)));
      return extreme.count > 0;
    }
    case AccumulatorKind::truths: {
      auto const& truths = *reinterpret_cast<Truths*>(from);
      bool const result =
          slot.fn.kind == CombineKind::any ? truths.seen_true != 0 : truths.seen_false == 0;
      bits = result ? 1 : 0;
      return true;
    }
    case AccumulatorKind::pick: {
      auto const& pick = *reinterpret_cast<Pick*>(from);
      bits = bits_of_rank(slot.fn.in, pick.rank);
      return pick.state == Picked::value;
    }
    case AccumulatorKind::registers: {
      std::uint32_t registers_of[distinct_ranks] = {};
      for (std::uint32_t i = 0; i < 1U << slot.fn.n; ++i) {
        ++registers_of[static_cast<std::uint32_t>(from[i])];
      }
      bits = static_cast<std::uint64_t>(distinct_estimate(registers_of, slot.fn.n));
      return true;
    }
    case AccumulatorKind::boxed:
      break;
  }
  return false;
}

}  // namespace pane_detail

// Writes what each decision puts out and clears the accumulators of what was discarded or closed.
//   place  exclusive sums of Decisions::rows
struct WritePanes {
  StateView state;
  StepView const* step;
  Decisions decisions;
  std::uint32_t const* place;
  std::uint32_t phase;
  PanesView out;

  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const cell = decisions.cell[i];
    CellFiring const& firing = decisions.firing[i];
    std::byte* const record = state.record(cell);
    std::uint32_t at = place[i];
    Window const window = state.window_of(cell);
    if (firing.pending && state.link_offset != 0) {
      at = send_pending(cell, window, at);
    }
    if (firing.takes_away) {
      put(at++, cell, window, window, last_of(window), {}, true);
    }
    if (firing.emits) {
      put(at, cell, window, window, firing.timestamp, firing.info, false);
    }
    if ((RecordShape::head(record).flags & flag_buried) != 0) {
      state.erased[atomic_count(state.counters->erased)] = cell;
    }
    if (firing.clears) {
      clear_contents(step->cells.shape, record);
    }
  }

 private:
  WINDROW_HOST_DEVICE void put(std::uint32_t at, std::uint32_t cell, Window window, Window before,
                               EventTime timestamp, PaneInfo const& info, bool deleted) const {
    std::byte* const record = state.record(cell);
    RecordShape const& shape = step->cells.shape;
    out.key[at] = RecordShape::head(record).key;
    out.window[at] = window;
    if (out.firing != nullptr) {
      out.firing[at] = before;
    }
    out.timestamp[at] = timestamp;
    out.info[at] = info;
    out.deleted[at] = deleted ? 1 : 0;
    out.phase[at] = static_cast<std::uint8_t>(phase);
    std::uint8_t overflows = 0;
    for (std::uint32_t c = 0; c < shape.slot_count; ++c) {
      AccumulatorSlot const& slot = shape.slots[c];
      std::uint64_t bits = 0;
      bool overflow = false;
      bool const valid =
          !deleted && pane_detail::result_of(slot, record + slot.offset, bits, overflow);
      out.value[c * out.capacity + at] = valid ? bits : 0;
      out.valid[c * out.capacity + at] = valid ? 1 : 0;
      overflows = static_cast<std::uint8_t>(overflows + (overflow ? 1 : 0));
    }
    out.overflow[at] = overflows;
  }
  // The tombstones that a session owes; their cells are free again.
  WINDROW_HOST_DEVICE std::uint32_t send_pending(std::uint32_t cell, Window before,
                                                 std::uint32_t at) const {
    std::uint32_t node = state.link(cell).pending;
    state.link(cell).pending = 0;
    for (; node != 0; node = state.link(node - 1).next) {
      Window const window = state.link(node - 1).window;
      put(at++, node - 1, window, before, last_of(window), {}, true);
      state.erased[atomic_count(state.counters->erased)] = node - 1;
    }
    return at;
  }
};

}  // namespace windrow::gpu
