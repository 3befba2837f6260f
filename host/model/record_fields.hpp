// All that a snapshot keeps of a record, field by field, for writing and for reading alike: so a
// backend reads what another wrote.
#pragma once
#include <cstdint>
#include <span>

#include "host/model/cell_rules.hpp"

namespace windrow {

// body(accumulator) for the accumulator of a slot, whatever its kind but `boxed`.
template <class Body>
constexpr void visit_accumulator(AccumulatorSlot const& slot, std::byte* record, Body&& body) {
  switch (slot.kind) {
    case AccumulatorKind::count:
      return body(*RecordShape::at<CountAccumulator>(record, slot.offset));
    case AccumulatorKind::wide_sum:
      return body(*RecordShape::at<WideSum>(record, slot.offset));
    case AccumulatorKind::number_sum:
      return body(*RecordShape::at<NumberSum>(record, slot.offset));
    case AccumulatorKind::moments:
      return body(*RecordShape::at<Moments>(record, slot.offset));
    case AccumulatorKind::extreme:
      return body(*RecordShape::at<Extreme>(record, slot.offset));
    case AccumulatorKind::truths:
      return body(*RecordShape::at<Truths>(record, slot.offset));
    case AccumulatorKind::pick:
      return body(*RecordShape::at<Pick>(record, slot.offset));
    case AccumulatorKind::registers:
    case AccumulatorKind::boxed:
      return;
  }
}

// body(field) for the fields of an accumulator.
template <class Body>
constexpr void each_field(CountAccumulator& count, Body&& body) {
  body(count.rows);
}
template <class Body>
constexpr void each_field(WideSum& sum, Body&& body) {
  body(sum.low);
  body(sum.high);
}
template <class Body>
constexpr void each_field(NumberSum& sum, Body&& body) {
  body(sum.sum);
  body(sum.count);
}
template <class Body>
constexpr void each_field(Moments& moments, Body&& body) {
  body(moments.count);
  body(moments.mean);
  body(moments.m2);
}
template <class Body>
constexpr void each_field(Extreme& extreme, Body&& body) {
  body(extreme.order);
  body(extreme.count);
}
template <class Body>
constexpr void each_field(Truths& truths, Body&& body) {
  body(truths.seen_true);
  body(truths.seen_false);
}
template <class Body>
constexpr void each_field(Pick& pick, Body&& body) {
  body(pick.time_us);
  body(pick.rank);
  body(pick.state);
}

// body(field) for every field of the accumulators; box(handle) for what lies in boxes,
// registers(all) for sketches that lie in the record.  A field that body changes is changed in the
// record.
template <class Body, class BoxBody, class RegistersBody>
void visit_contents(RecordShape const& shape, std::byte* record, Body&& body, BoxBody&& box,
                    RegistersBody&& registers) {
  if (shape.counts_contributions) {
    body(shape.contributions_of(record));
  }
  for (std::uint32_t s = 0; s < shape.slot_count; ++s) {
    AccumulatorSlot const& slot = shape.slots[s];
    if (slot.logged) {
      continue;
    }
    if (slot.kind == AccumulatorKind::boxed) {
      box(*RecordShape::at<std::uint32_t>(record, slot.offset));
    } else if (slot.kind == AccumulatorKind::registers) {
      registers(std::span(RecordShape::at<std::uint8_t>(record, slot.offset),
                          std::size_t{1} << slot.fn.n));
    } else {
      visit_accumulator(slot, record, [&](auto& accumulator) { each_field(accumulator, body); });
    }
  }
  if (shape.has_log) {
    box(shape.log_of(record));
  }
}

// The same for every field behind the key, in the order of semantics.md 9.1.
template <class Body, class BoxBody, class RegistersBody>
void visit_record(CellSpec const& spec, std::byte* record, Body&& body, BoxBody&& box,
                  RegistersBody&& registers) {
  RecordShape const& shape = spec.shape;
  RecordHead& head = RecordShape::head(record);
  TriggerStateRef const state = shape.trigger(record);
  std::uint32_t no_bits = 0;
  body(needs_bits(spec.trigger) ? *state.finished : no_bits);
  auto flags = static_cast<std::uint8_t>(head.flags & ~flag_exists);
  body(flags);
  head.flags = flags | (head.flags & flag_exists);
  for (std::uint32_t i = 0; i < spec.trigger.counters; ++i) {
    body(state.counter[i]);
  }
  for (std::uint32_t i = 0; i < spec.trigger.deadlines; ++i) {
    body(state.deadline[i]);
  }
  visit_contents(shape, record, body, box, registers);
  if (shape.stores_hold) {
    std::int64_t& stored = shape.hold_of(record);
    std::int64_t hold = (head.flags & flag_held) != 0 ? stored : never;
    body(hold);
    stored = hold == never ? no_hold(spec.stamp) : hold;
  }
  body(head.pane.next_index);
  body(head.pane.next_nonspeculative);
}

}  // namespace windrow
