// Merges and clears accumulators: one visit per kind.
#include "host/cpu/contents.hpp"

#include <cstring>
#include <utility>

#include "host/model/portable.hpp"
#include "host/model/record_fields.hpp"

namespace windrow::cpu {
namespace {

[[nodiscard]] std::uint32_t& box_of(AccumulatorSlot const& slot, std::byte* record) {
  return *RecordLayout::at<std::uint32_t>(record, slot.offset);
}

void merge_box(AccumulatorSlot const& slot, BoxPool& boxes, std::byte* to, std::byte* from) {
  std::uint32_t &target = box_of(slot, to), &source = box_of(slot, from);
  if (source == 0) {
    return;
  }
  if (target == 0) {
    std::swap(target, source);
  } else {
    boxes.merge(slot.fn, target, source);
  }
}

template <class Accumulator>
void merge_slot(AccumulatorSlot const& slot, Accumulator& to, Accumulator const& from) {
  if constexpr (requires { merge(to, from); }) {
    merge(to, from);
  } else {
    merge(to, from, is_smallest(slot.fn));
  }
}

}  // namespace

void merge_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* to, std::byte* from) {
  WINDROW_ASSERT(!layout.counts_contributions, "sessions take no withdrawals");
  for (AccumulatorSlot const& slot : layout.all_slots()) {
    if (slot.kind == AccumulatorKind::boxed) {
      merge_box(slot, boxes, to, from);
      continue;
    }
    visit_accumulator(slot, to, [&]<class Accumulator>(Accumulator& target) {
      merge_slot(slot, target, *RecordLayout::at<Accumulator>(from, slot.offset));
    });
  }
  clear_contents(layout, boxes, from);
}

void combine_contents(RecordLayout const& layout, BoxPool& boxes, std::span<std::byte* const> to,
                      std::span<std::byte* const> from) {
  WINDROW_ASSERT(!layout.counts_contributions, "rows that are taken back share no slices");
  if (to.empty()) {
    return;
  }
  for (AccumulatorSlot const& slot : layout.all_slots()) {
    if (slot.kind == AccumulatorKind::boxed) {
      for (std::size_t i = 0; i < to.size(); ++i) {
        boxes.merge_copy(slot.fn, box_of(slot, to[i]), box_of(slot, from[i]));
      }
      continue;
    }
    visit_accumulator(slot, to[0], [&]<class Accumulator>(Accumulator&) {
      for (std::size_t i = 0; i < to.size(); ++i) {
        merge_slot(slot, *RecordLayout::at<Accumulator>(to[i], slot.offset),
                   *RecordLayout::at<Accumulator>(from[i], slot.offset));
      }
    });
  }
}

void clear_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* record) {
  if (layout.has_boxes) {
    for (AccumulatorSlot const& slot : layout.all_slots()) {
      if (slot.kind == AccumulatorKind::boxed && !slot.logged) {
        boxes.free(box_of(slot, record));
      }
    }
    if (layout.has_log) {
      boxes.free(layout.log_of(record));
    }
  }
  std::memset(record + layout.contents_begin, 0, layout.bytes - layout.contents_begin);
}

}  // namespace windrow::cpu
