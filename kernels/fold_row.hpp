// What one row does to the accumulators of its cell: by atomics in any order where every
// accumulator is exact, else by one thread in row order.
#pragma once
#include "host/model/hyperloglog.hpp"
#include "host/model/record.hpp"
#include "kernels/primitives/atomic.hpp"
#include "kernels/rows_view.hpp"

namespace windrow::gpu {

// Which accumulators can be lifted by atomics with a result that no order changes, or, `relaxed`,
// in its last bits only.
[[nodiscard]] constexpr bool is_order_free(AccumulatorKind kind, bool relaxed) noexcept {
  if (kind == AccumulatorKind::number_sum) {
    return relaxed;
  }
  return kind == AccumulatorKind::count || kind == AccumulatorKind::wide_sum ||
         kind == AccumulatorKind::extreme || kind == AccumulatorKind::truths ||
         kind == AccumulatorKind::registers;
}

namespace fold_detail {

[[nodiscard]] WINDROW_HOST_DEVICE inline std::int64_t weight_of(RowsView const& rows,
                                                                std::uint32_t row) noexcept {
  return rows.weight == nullptr ? 1 : rows.weight[row];
}
[[nodiscard]] WINDROW_HOST_DEVICE inline std::int64_t extreme_rank(ColumnRef const& column,
                                                                   std::uint32_t row,
                                                                   bool smallest) noexcept {
  return column.type == ValueType::number ? poisoning_rank(column.number(row), smallest)
                                          : column.integer(row);
}
[[nodiscard]] WINDROW_HOST_DEVICE inline std::int64_t plain_rank(ColumnRef const& column,
                                                                 std::uint32_t row) noexcept {
  return column.type == ValueType::number ? rank_of(column.number(row)) : column.integer(row);
}
[[nodiscard]] WINDROW_HOST_DEVICE inline DistinctRank rank_in(CombineFn const& fn,
                                                              ColumnRef const& column,
                                                              std::uint32_t row) noexcept {
  return distinct_rank(column.type == ValueType::number ? distinct_bits(column.number(row))
                                                        : distinct_bits(column.integer(row)),
                       fn.n);
}
// Of registers, from any number of threads at once.
WINDROW_HOST_DEVICE inline void atomic_raise(std::byte* registers,
                                             DistinctRank const& to) noexcept {
  auto& word = *reinterpret_cast<std::uint32_t*>(registers + (to.index & ~3U));
  std::uint32_t const shift = (to.index & 3U) * 8U;
  for (std::uint32_t before = word; ((before >> shift) & 0xffU) < to.rank;) {
    std::uint32_t const after = (before & ~(0xffU << shift)) | (to.rank << shift);
    std::uint32_t const there = atomic_cas(word, before, after);
    if (there == before) {
      return;
    }
    before = there;
  }
}
[[nodiscard]] WINDROW_HOST_DEVICE inline bool truth(ColumnRef const& column,
                                                    std::uint32_t row) noexcept {
  return column.type == ValueType::number ? column.number(row) != 0 : column.integer(row) != 0;
}

WINDROW_HOST_DEVICE inline void atomic_merge(WideSum& to, WideSum const& from) noexcept {
  std::uint64_t const before = atomic_add(to.low, from.low);
  std::int64_t const high = from.high + (before + from.low < from.low ? 1 : 0);
  if (high != 0) {
    atomic_add(to.high, high);
  }
}

}  // namespace fold_detail

//   contents  a record, or the contents of one before which a record would begin
WINDROW_HOST_DEVICE inline void lift_row(RecordShape const& shape, std::byte* record,
                                         RowsView const& rows, std::uint32_t row) noexcept {
  using namespace fold_detail;
  for (std::uint32_t s = 0; s < shape.slot_count; ++s) {
    AccumulatorSlot const& slot = shape.slots[s];
    std::byte* const to = record + slot.offset;
    if (slot.kind == AccumulatorKind::count) {
      lift(*reinterpret_cast<CountAccumulator*>(to), weight_of(rows, row));
      continue;
    }
    ColumnRef const& column = rows.column[slot.fn.column];
    bool const smallest = is_smallest(slot.fn), valid = column.is_valid(row);
    if (slot.kind == AccumulatorKind::pick) {
      Pick const pick{rows.time[row].us, valid ? plain_rank(column, row) : 0,
                      valid ? Picked::value : Picked::null};
      merge(*reinterpret_cast<Pick*>(to), pick, smallest);
      continue;
    }
    if (!valid) {
      continue;
    }
    switch (slot.kind) {
      case AccumulatorKind::wide_sum: {
        auto& sum = *reinterpret_cast<WideSum*>(to);
        weight_of(rows, row) > 0 ? lift(sum, column.integer(row))
                                 : withdraw(sum, column.integer(row));
        break;
      }
      case AccumulatorKind::number_sum:
        lift(*reinterpret_cast<NumberSum*>(to), column.number(row));
        break;
      case AccumulatorKind::moments:
        lift(*reinterpret_cast<Moments*>(to), column.number(row));
        break;
      case AccumulatorKind::extreme:
        lift(*reinterpret_cast<Extreme*>(to), extreme_rank(column, row, smallest), smallest);
        break;
      case AccumulatorKind::truths:
        lift(*reinterpret_cast<Truths*>(to), truth(column, row));
        break;
      case AccumulatorKind::registers: {
        DistinctRank const rank = rank_in(slot.fn, column, row);
        auto& there = reinterpret_cast<std::uint8_t*>(to)[rank.index];
        there = rank.rank > there ? static_cast<std::uint8_t>(rank.rank) : there;
        break;
      }
      default:
        break;
    }
  }
  if (shape.counts_contributions) {
    shape.contributions_of(record) += weight_of(rows, row);
  }
}

// The same for accumulators that are all order-free, from any number of threads at once.
WINDROW_HOST_DEVICE inline void lift_row_atomic(RecordShape const& shape, std::byte* record,
                                                RowsView const& rows, std::uint32_t row) noexcept {
  using namespace fold_detail;
  for (std::uint32_t s = 0; s < shape.slot_count; ++s) {
    AccumulatorSlot const& slot = shape.slots[s];
    std::byte* const to = record + slot.offset;
    if (slot.kind == AccumulatorKind::count) {
      atomic_add(reinterpret_cast<CountAccumulator*>(to)->rows, weight_of(rows, row));
      continue;
    }
    ColumnRef const& column = rows.column[slot.fn.column];
    if (!column.is_valid(row)) {
      continue;
    }
    if (slot.kind == AccumulatorKind::wide_sum) {
      WideSum one;
      weight_of(rows, row) > 0 ? lift(one, column.integer(row))
                               : withdraw(one, column.integer(row));
      atomic_merge(*reinterpret_cast<WideSum*>(to), one);
    } else if (slot.kind == AccumulatorKind::extreme) {
      auto& extreme = *reinterpret_cast<Extreme*>(to);
      bool const smallest = is_smallest(slot.fn);
      atomic_max(extreme.order, order_of(extreme_rank(column, row, smallest), smallest));
      atomic_add(extreme.count, std::int64_t{1});
    } else if (slot.kind == AccumulatorKind::number_sum) {
      auto& sum = *reinterpret_cast<NumberSum*>(to);
      atomic_add(sum.sum, column.number(row));
      atomic_add(sum.count, std::int64_t{1});
    } else if (slot.kind == AccumulatorKind::registers) {
      atomic_raise(to, rank_in(slot.fn, column, row));
    } else {  // truths: whoever writes, writes 1
      lift(*reinterpret_cast<Truths*>(to), truth(column, row));
    }
  }
  if (shape.counts_contributions) {
    atomic_add(shape.contributions_of(record), weight_of(rows, row));
  }
}

// Takes the accumulators of `from` into those of `to`, as if its rows came after.
WINDROW_HOST_DEVICE inline void merge_contents(RecordShape const& shape, std::byte* to,
                                               std::byte* from) noexcept {
  for (std::uint32_t s = 0; s < shape.slot_count; ++s) {
    AccumulatorSlot const& slot = shape.slots[s];
    std::byte *const a = to + slot.offset, *const b = from + slot.offset;
    switch (slot.kind) {
      case AccumulatorKind::count:
        merge(*reinterpret_cast<CountAccumulator*>(a), *reinterpret_cast<CountAccumulator*>(b));
        break;
      case AccumulatorKind::wide_sum:
        merge(*reinterpret_cast<WideSum*>(a), *reinterpret_cast<WideSum*>(b));
        break;
      case AccumulatorKind::number_sum:
        merge(*reinterpret_cast<NumberSum*>(a), *reinterpret_cast<NumberSum*>(b));
        break;
      case AccumulatorKind::moments:
        merge(*reinterpret_cast<Moments*>(a), *reinterpret_cast<Moments*>(b));
        break;
      case AccumulatorKind::extreme:
        merge(*reinterpret_cast<Extreme*>(a), *reinterpret_cast<Extreme*>(b));
        break;
      case AccumulatorKind::truths:
        merge(*reinterpret_cast<Truths*>(a), *reinterpret_cast<Truths*>(b));
        break;
      case AccumulatorKind::pick:
        merge(*reinterpret_cast<Pick*>(a), *reinterpret_cast<Pick*>(b), is_smallest(slot.fn));
        break;
      case AccumulatorKind::registers:
        for (std::uint32_t i = 0; i < 1U << slot.fn.n; ++i) {
          a[i] = a[i] < b[i] ? b[i] : a[i];
        }
        break;
      case AccumulatorKind::boxed:
        break;
    }
  }
  if (shape.counts_contributions) {
    shape.contributions_of(to) += shape.contributions_of(from);
  }
}

// The same for accumulators that are all order-free, into a cell that others change, too.
WINDROW_HOST_DEVICE inline void merge_contents_atomic(RecordShape const& shape, std::byte* to,
                                                      std::byte* from) noexcept {
  for (std::uint32_t s = 0; s < shape.slot_count; ++s) {
    AccumulatorSlot const& slot = shape.slots[s];
    std::byte *const a = to + slot.offset, *const b = from + slot.offset;
    switch (slot.kind) {
      case AccumulatorKind::count:
        atomic_add(reinterpret_cast<CountAccumulator*>(a)->rows,
                   reinterpret_cast<CountAccumulator*>(b)->rows);
        break;
      case AccumulatorKind::wide_sum:
        fold_detail::atomic_merge(*reinterpret_cast<WideSum*>(a), *reinterpret_cast<WideSum*>(b));
        break;
      case AccumulatorKind::number_sum:
        atomic_add(reinterpret_cast<NumberSum*>(a)->sum, reinterpret_cast<NumberSum*>(b)->sum);
        atomic_add(reinterpret_cast<NumberSum*>(a)->count, reinterpret_cast<NumberSum*>(b)->count);
        break;
      case AccumulatorKind::extreme:
        atomic_max(reinterpret_cast<Extreme*>(a)->order, reinterpret_cast<Extreme*>(b)->order);
        atomic_add(reinterpret_cast<Extreme*>(a)->count, reinterpret_cast<Extreme*>(b)->count);
        break;
      case AccumulatorKind::registers:
        for (std::uint32_t i = 0; i < 1U << slot.fn.n; ++i) {
          if (b[i] != std::byte{0}) {
            fold_detail::atomic_raise(a, {i, static_cast<std::uint32_t>(b[i])});
          }
        }
        break;
      default: {  // truths: whoever writes, writes 1
        auto const& truths = *reinterpret_cast<Truths*>(b);
        for (bool const seen : {true, false}) {
          if ((seen ? truths.seen_true : truths.seen_false) != 0) {
            lift(*reinterpret_cast<Truths*>(a), seen);
          }
        }
      }
    }
  }
  if (shape.counts_contributions) {
    atomic_add(shape.contributions_of(to), shape.contributions_of(from));
  }
}

// The identity in every accumulator.
WINDROW_HOST_DEVICE inline void clear_contents(RecordShape const& shape,
                                               std::byte* record) noexcept {
  auto* const words = reinterpret_cast<std::uint64_t*>(record + shape.contents_begin);
  for (std::uint32_t w = 0; w < shape.contents_bytes() / 8; ++w) {
    words[w] = 0;
  }
}

}  // namespace windrow::gpu
