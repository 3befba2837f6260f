// Layout of records.
#include "host/cpu/record.hpp"

#include "host/model/portable.hpp"

namespace windrow::cpu {
namespace {

constexpr std::uint32_t aligned(std::uint32_t at, std::uint32_t to) {
  return (at + to - 1U) & ~(to - 1U);
}

// Counts and integer sums subtract a withdrawn row; nothing else can (R78).
bool subtracts(AccumulatorKind kind) {
  return kind == AccumulatorKind::count || kind == AccumulatorKind::wide_sum;
}

void check(CombineFn const& fn, AccumulatorKind kind) {
  bool const numeric = fn.in == ValueType::integer || fn.in == ValueType::number;
  bool const needs_number = kind == AccumulatorKind::wide_sum ||
                            kind == AccumulatorKind::number_sum || kind == AccumulatorKind::moments;
  WINDROW_ASSERT(!needs_number || numeric, "sums, means and variances read numbers");
  WINDROW_ASSERT(kind != AccumulatorKind::truths || fn.in <= ValueType::number,
                 "any and all read booleans or numbers");
}

}  // namespace

RecordLayout::RecordLayout(AggregationSpec const& spec) {
  std::uint32_t at = sizeof(RecordHead);
  finished_ = at;
  if (needs_bits(spec.trigger)) {
    at += sizeof(std::uint32_t);
  }
  counter_ = at;
  at += spec.trigger.counters * static_cast<std::uint32_t>(sizeof(std::uint32_t));
  deadline_ = aligned(at, 8);
  if (spec.trigger.deadlines > 0) {
    at = deadline_ + spec.trigger.deadlines * 8U;
  }
  stores_hold_ = spec.timestamp_combiner != TimestampCombiner::end_of_window;
  hold_ = aligned(at, 8);
  if (stores_hold_) {
    at = hold_ + 8;
  }
  contents_begin_ = at;
  counts_contributions_ = spec.withdrawals;
  contributions_ = aligned(at, 8);
  if (counts_contributions_) {
    at = contributions_ + 8;
  }
  for (CombineFn const& fn : spec.combines) {
    AccumulatorSlot slot{fn, accumulator_kind(fn), false, 0};
    check(fn, slot.kind);
    slot.logged = spec.withdrawals && !subtracts(slot.kind);
    if (slot.logged) {
      has_log_ = true;
    } else {
      slot.offset = aligned(at, slot.kind == AccumulatorKind::boxed    ? 4U
                                : slot.kind == AccumulatorKind::truths ? 1U
                                                                       : 8U);
      at = slot.offset + accumulator_bytes(slot.kind);
      has_boxes_ = has_boxes_ || slot.kind == AccumulatorKind::boxed;
    }
    slots_.push_back(slot);
  }
  log_ = aligned(at, 4);
  if (has_log_) {
    at = log_ + 4;
  }
  has_boxes_ = has_boxes_ || has_log_;
  bytes_ = aligned(at, 8);
}

}  // namespace windrow::cpu
