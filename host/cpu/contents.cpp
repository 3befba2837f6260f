// Merges, clears, writes and reads accumulators: one visit per kind, one list of fields per type.
#include "host/cpu/contents.hpp"

#include <cstring>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow::cpu {
namespace {

template <class Body>
void visit_fixed(AccumulatorSlot const& slot, std::byte* record, Body&& body) {
  switch (slot.kind) {
    case AccumulatorKind::count:
      return body(*RecordLayout::at<CountAccumulator>(record, slot.offset));
    case AccumulatorKind::wide_sum:
      return body(*RecordLayout::at<WideSum>(record, slot.offset));
    case AccumulatorKind::number_sum:
      return body(*RecordLayout::at<NumberSum>(record, slot.offset));
    case AccumulatorKind::moments:
      return body(*RecordLayout::at<Moments>(record, slot.offset));
    case AccumulatorKind::extreme:
      return body(*RecordLayout::at<Extreme>(record, slot.offset));
    case AccumulatorKind::truths:
      return body(*RecordLayout::at<Truths>(record, slot.offset));
    case AccumulatorKind::pick:
      return body(*RecordLayout::at<Pick>(record, slot.offset));
    case AccumulatorKind::boxed:
      WINDROW_ASSERT(false, "a box has no fixed size");
  }
}

// body(field) for all that a snapshot keeps of an accumulator, in this order.
template <class Body>
void each_field(CountAccumulator& count, Body&& body) {
  body(count.rows);
}
template <class Body>
void each_field(WideSum& sum, Body&& body) {
  body(sum.low);
  body(sum.high);
}
template <class Body>
void each_field(NumberSum& sum, Body&& body) {
  body(sum.sum);
  body(sum.count);
}
template <class Body>
void each_field(Moments& moments, Body&& body) {
  body(moments.count);
  body(moments.mean);
  body(moments.m2);
}
template <class Body>
void each_field(Extreme& extreme, Body&& body) {
  body(extreme.rank);
  body(extreme.count);
}
template <class Body>
void each_field(Truths& truths, Body&& body) {
  body(truths.seen_true);
  body(truths.seen_false);
}
template <class Body>
void each_field(Pick& pick, Body&& body) {
  body(pick.time_us);
  body(pick.rank);
  body(pick.state);
}

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
  WINDROW_ASSERT(!layout.counts_contributions(), "sessions take no withdrawals");
  for (AccumulatorSlot const& slot : layout.slots()) {
    if (slot.kind == AccumulatorKind::boxed) {
      merge_box(slot, boxes, to, from);
      continue;
    }
    visit_fixed(slot, to, [&]<class Accumulator>(Accumulator& target) {
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
  if (layout.has_boxes()) {
    for (AccumulatorSlot const& slot : layout.slots()) {
      if (slot.kind == AccumulatorKind::boxed && !slot.logged) {
        boxes.free(box_of(slot, record));
      }
    }
    if (layout.has_log()) {
      boxes.free(layout.log(record));
    }
  }
  std::memset(record + layout.contents_begin(), 0, layout.bytes() - layout.contents_begin());
}

void write_contents(RecordLayout const& layout, BoxPool const& boxes, std::byte* record,
                    ByteWriter& out) {
  auto const write_handle = [&](std::uint32_t handle) {
    write_box(handle == 0 ? Box{} : boxes.at(handle), out);
  };
  if (layout.counts_contributions()) {
    out.put(layout.contributions(record));
  }
  for (AccumulatorSlot const& slot : layout.slots()) {
    if (slot.logged) {
      continue;
    }
    if (slot.kind == AccumulatorKind::boxed) {
      write_handle(box_of(slot, record));
      continue;
    }
    visit_fixed(slot, record, [&](auto& accumulator) {
      each_field(accumulator, [&](auto const& field) { out.put(field); });
    });
  }
  if (layout.has_log()) {
    write_handle(layout.log(record));
  }
}

void read_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* record, ByteReader& in) {
  auto const read_into = [&](std::uint32_t& handle) {
    Box box = read_box(in);
    if (!box.empty()) {
      boxes.put(handle, std::move(box));
    }
  };
  if (layout.counts_contributions()) {
    layout.contributions(record) = in.get<std::int64_t>();
  }
  for (AccumulatorSlot const& slot : layout.slots()) {
    if (slot.logged) {
      continue;
    }
    if (slot.kind == AccumulatorKind::boxed) {
      read_into(box_of(slot, record));
      continue;
    }
    visit_fixed(slot, record, [&](auto& accumulator) {
      each_field(accumulator, [&]<class Field>(Field& field) { field = in.get<Field>(); });
    });
  }
  if (layout.has_log()) {
    read_into(layout.log(record));
  }
}

}  // namespace windrow::cpu
