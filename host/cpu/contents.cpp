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

}  // namespace

void merge_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* to, std::byte* from) {
  WINDROW_ASSERT(!layout.counts_contributions, "sessions take no withdrawals");
  for (AccumulatorSlot const& slot : layout.all_slots()) {
    if (slot.kind == AccumulatorKind::boxed) {
      merge_box(slot, boxes, to, from);
      continue;
    }
    visit_accumulator(slot, to, [&]<class Accumulator>(Accumulator& target) {
      Accumulator const& source = *RecordLayout::at<Accumulator>(from, slot.offset);
      if constexpr (requires { merge(target, source); }) {
        merge(target, source);
      } else {
        merge(target, source, is_smallest(slot.fn));
      }
    });
  }
  clear_contents(layout, boxes, from);
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
