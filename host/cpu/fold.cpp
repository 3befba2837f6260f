// Folds and extracts accumulators; the kind of combine is looked at outside the row loops.
#include "host/cpu/fold.hpp"

#include <bit>
#include <cmath>
#include <utility>

#include "host/cpu/sketches.hpp"
#include "host/engine/value.hpp"
#include "host/model/hyperloglog.hpp"

namespace windrow::cpu {
namespace {

template <class T>
T* of(std::byte* record, AccumulatorSlot const& slot) {
  return RecordLayout::at<T>(record, slot.offset);
}

// Calls body(record, value, row index) for every row whose value is not null.
template <class T, class Body>
void each_value(FoldInput const& in, ColumnView const& column, Body&& body) {
  auto const* const values = reinterpret_cast<T const*>(column.data.data());
  if (column.valid.empty()) {
    for (std::size_t i = 0; i < in.row.size(); ++i) {
      body(in.record[i], values[in.row[i]], in.row[i]);
    }
  } else {
    for (std::size_t i = 0; i < in.row.size(); ++i) {
      if (column.is_valid(in.row[i])) {
        body(in.record[i], values[in.row[i]], in.row[i]);
      }
    }
  }
}

// The same for whichever fixed-size type the column has.
template <class Body>
void each_fixed(FoldInput const& in, ColumnView const& column, Body&& body) {
  switch (column.type) {
    case ValueType::boolean:
      each_value<std::uint8_t>(in, column, body);
      break;
    case ValueType::integer:
      each_value<std::int64_t>(in, column, body);
      break;
    default:
      each_value<double>(in, column, body);
  }
}

std::int64_t extreme_rank(double value, bool smallest) { return poisoning_rank(value, smallest); }
std::int64_t extreme_rank(std::int64_t value, bool) { return value; }
std::int64_t extreme_rank(std::uint8_t value, bool) { return value; }
std::int64_t plain_rank(double value) { return rank_of(value); }
std::int64_t plain_rank(std::int64_t value) { return value; }
std::int64_t plain_rank(std::uint8_t value) { return value; }

void fold_count(FoldInput const& in, AccumulatorSlot const& slot) {
  for (std::size_t i = 0; i < in.row.size(); ++i) {
    std::int64_t const weight = in.weight.empty() ? 1 : in.weight[in.row[i]];
    lift(*of<CountAccumulator>(in.record[i], slot), weight);
  }
}

void fold_pick(FoldInput const& in, AccumulatorSlot const& slot, ColumnView const& column) {
  bool const first = is_smallest(slot.fn);
  each_fixed(in, column, [&](std::byte* record, auto value, std::uint32_t row) {
    merge(*of<Pick>(record, slot), Pick{in.time[row].us, plain_rank(value), Picked::value}, first);
  });
  if (column.valid.empty()) {
    return;
  }
  for (std::size_t i = 0; i < in.row.size(); ++i) {
    std::uint32_t const row = in.row[i];
    if (column.is_valid(row)) {
      continue;
    }
    merge(*of<Pick>(in.record[i], slot), Pick{in.time[row].us, 0, Picked::null}, first);
  }
}

void fold_boxed(FoldInput const& in, AccumulatorSlot const& slot, ColumnView const& column,
                BoxPool& boxes) {
  for (std::size_t i = 0; i < in.row.size(); ++i) {
    std::uint32_t const row = in.row[i];
    BoxEntry entry{in.sequence + row, in.time[row].us, 1, {}};
    encode(column.at(row), entry.value);
    boxes.lift(slot.fn, *of<std::uint32_t>(in.record[i], slot), std::move(entry));
  }
}

void fold_sketch(FoldInput const& in, AccumulatorSlot const& slot, ColumnView const& column,
                 BoxPool& boxes) {
  auto const lift = [&](std::byte* record, std::uint64_t bits) {
    boxes.lift_sketch(slot.fn, *of<std::uint32_t>(record, slot), bits);
  };
  if (slot.fn.kind == CombineKind::approx_quantile) {
    each_fixed(in, column, [&](std::byte* record, auto v, std::uint32_t) {
      lift(record, std::bit_cast<std::uint64_t>(static_cast<double>(v)));
    });
  } else if (!is_text(column.type)) {
    each_fixed(in, column,
               [&](std::byte* record, auto v, std::uint32_t) { lift(record, distinct_bits(v)); });
  } else {
    for (std::size_t i = 0; i < in.row.size(); ++i) {
      if (column.is_valid(in.row[i])) {
        lift(in.record[i], distinct_bits_of_text(column.text(in.row[i])));
      }
    }
  }
}

void fold_slot(FoldInput const& in, AccumulatorSlot const& slot, BoxPool& boxes) {
  if (slot.kind == AccumulatorKind::count) {
    fold_count(in, slot);
    return;
  }
  ColumnView const& column = in.values[slot.fn.column];
  switch (slot.kind) {
    case AccumulatorKind::wide_sum:
      each_value<std::int64_t>(
          in, column, [&](std::byte* record, std::int64_t v, std::uint32_t row) {
            WideSum& sum = *of<WideSum>(record, slot);
            in.weight.empty() || in.weight[row] > 0 ? lift(sum, v) : withdraw(sum, v);
          });
      break;
    case AccumulatorKind::number_sum:
      each_fixed(in, column, [&](std::byte* record, auto v, std::uint32_t) {
        lift(*of<NumberSum>(record, slot), static_cast<double>(v));
      });
      break;
    case AccumulatorKind::moments:
      each_fixed(in, column, [&](std::byte* record, auto v, std::uint32_t) {
        lift(*of<Moments>(record, slot), static_cast<double>(v));
      });
      break;
    case AccumulatorKind::extreme:
      each_fixed(in, column, [&](std::byte* record, auto v, std::uint32_t) {
        lift(*of<Extreme>(record, slot), extreme_rank(v, is_smallest(slot.fn)),
             is_smallest(slot.fn));
      });
      break;
    case AccumulatorKind::truths:
      each_fixed(in, column, [&](std::byte* record, auto v, std::uint32_t) {
        lift(*of<Truths>(record, slot), v != 0);
      });
      break;
    case AccumulatorKind::pick:
      fold_pick(in, slot, column);
      break;
    default:
      is_sketch(slot.fn.kind) ? fold_sketch(in, slot, column, boxes)
                              : fold_boxed(in, slot, column, boxes);
  }
}

// Appends the rows to the logs of their cells: the values of all logged combines, one after the
// other.
void fold_logs(RecordLayout const& layout, BoxPool& boxes, FoldInput const& in) {
  for (std::size_t i = 0; i < in.row.size(); ++i) {
    std::uint32_t const row = in.row[i];
    BoxEntry entry{in.sequence + row, in.time[row].us, in.weight.empty() ? 1 : in.weight[row], {}};
    std::uint64_t const pane = in.pane.empty() ? 0 : in.pane[row];
    encode(Scalar::of(static_cast<std::int64_t>(pane)), entry.value);
    for (AccumulatorSlot const& slot : layout.all_slots()) {
      if (slot.logged) {
        encode(in.values[slot.fn.column].at(row), entry.value);
      }
    }
    boxes.append(layout.log_of(in.record[i]), std::move(entry));
  }
}

void extract_fixed(AccumulatorSlot const& slot, std::byte* record, Column& out) {
  ValueType const in = slot.fn.in;
  auto const append_rank = [&](std::int64_t rank) {
    if (in == ValueType::number) {
      out.append(number_of_rank(rank));
    } else if (in == ValueType::boolean) {
      out.append(rank != 0);
    } else {
      out.append(rank);
    }
  };
  switch (slot.kind) {
    case AccumulatorKind::count:
      out.append(of<CountAccumulator>(record, slot)->rows);
      break;
    case AccumulatorKind::number_sum: {
      auto const& sum = *of<NumberSum>(record, slot);
      if (slot.fn.kind == CombineKind::sum) {
        out.append(sum.sum);
      } else if (sum.count == 0) {
        out.append_null();
      } else {
        out.append(sum.sum / static_cast<double>(sum.count));
      }
      break;
    }
    case AccumulatorKind::moments: {
      double result = 0;
      if (!variance(*of<Moments>(record, slot), slot.fn.population, result)) {
        out.append_null();
      } else {
        out.append(slot.fn.kind == CombineKind::stddev ? std::sqrt(result) : result);
      }
      break;
    }
    case AccumulatorKind::extreme: {
      auto const& extreme = *of<Extreme>(record, slot);
      extreme.count == 0 ? out.append_null() : append_rank(rank_of(extreme, is_smallest(slot.fn)));
      break;
    }
    case AccumulatorKind::truths: {
      auto const& truths = *of<Truths>(record, slot);
      out.append(slot.fn.kind == CombineKind::any ? truths.seen_true != 0 : truths.seen_false == 0);
      break;
    }
    case AccumulatorKind::pick: {
      auto const& pick = *of<Pick>(record, slot);
      pick.state == Picked::value ? append_rank(pick.rank) : out.append_null();
      break;
    }
    default:
      WINDROW_ASSERT(false, "the accumulator has a fixed size and no overflow");
  }
}

// False where an integer sum left int64.
bool extract_slot(AccumulatorSlot const& slot, BoxPool& boxes, std::byte* record, Column& out) {
  if (slot.kind == AccumulatorKind::wide_sum) {
    std::int64_t sum = 0;
    if (!extract(*of<WideSum>(record, slot), sum)) {
      out.append_null();
      return false;
    }
    out.append(sum);
  } else if (slot.kind == AccumulatorKind::boxed) {
    std::uint32_t const handle = *of<std::uint32_t>(record, slot);
    extract_boxed(slot.fn, handle == 0 ? Box{} : boxes.at(handle), out);
  } else {
    extract_fixed(slot, record, out);
  }
  return true;
}

// One value of a log, as a column of one row, so that logs are folded by the same loops as batches.
void fold_log(AccumulatorSlot const& slot, std::byte* accumulator, BoxPool& boxes,
              BoxEntry const& entry, Scalar const& value) {
  Column column(slot.fn.in);
  column.append(value);
  ColumnView const view = column.view();
  AccumulatorSlot at_zero = slot;
  at_zero.offset = 0;
  at_zero.fn.column = 0;
  std::uint32_t const row = 0;
  EventTime const time{entry.time_us};
  fold_slot(FoldInput{{&row, 1}, {&accumulator, 1}, {&time, 1}, {&view, 1}, {}, entry.sequence},
            at_zero, boxes);
}

void extract_logged(RecordLayout const& layout, BoxPool& boxes, std::byte* record,
                    std::vector<Column>& out) {
  std::uint32_t& handle = layout.log_of(record);
  // Taken out of the pool, which may grow while it is folded.
  Box log = handle == 0 ? Box{} : boxes.take(handle);
  cancel(log);
  std::uint32_t skipped = 1;  // the pane
  for (std::size_t c = 0; c < layout.all_slots().size(); ++c) {
    AccumulatorSlot slot = layout.all_slots()[c];
    if (!slot.logged) {
      continue;
    }
    alignas(8) std::byte accumulator[sizeof(Moments)] = {};
    for (BoxEntry const& entry : log) {
      if (entry.weight < 0) {
        continue;
      }
      std::string_view values = entry.value;
      for (std::uint32_t i = 0; i < skipped; ++i) {
        decode(values);
      }
      fold_log(slot, accumulator, boxes, entry, decode(values));
    }
    slot.offset = 0;
    extract_slot(slot, boxes, accumulator, out[c]);
    if (slot.kind == AccumulatorKind::boxed) {
      boxes.free(*RecordLayout::at<std::uint32_t>(accumulator, 0));
    }
    ++skipped;
  }
  if (handle != 0) {
    boxes.put(handle, std::move(log));
  }
}

}  // namespace

void fold(RecordLayout const& layout, BoxPool& boxes, FoldInput const& in) {
  if (in.row.empty()) {
    return;
  }
  for (AccumulatorSlot const& slot : layout.all_slots()) {
    if (!slot.logged) {
      fold_slot(in, slot, boxes);
    }
  }
  if (layout.has_log) {
    fold_logs(layout, boxes, in);
  }
  if (layout.counts_contributions) {
    for (std::size_t i = 0; i < in.row.size(); ++i) {
      layout.contributions_of(in.record[i]) += in.weight.empty() ? 1 : in.weight[in.row[i]];
    }
  }
}

std::uint32_t extract(RecordLayout const& layout, BoxPool& boxes, std::byte* record,
                      std::vector<Column>& out) {
  std::uint32_t overflows = 0;
  for (std::size_t c = 0; c < layout.all_slots().size(); ++c) {
    AccumulatorSlot const& slot = layout.all_slots()[c];
    if (!slot.logged && !extract_slot(slot, boxes, record, out[c])) {
      ++overflows;
    }
  }
  if (layout.has_log) {
    extract_logged(layout, boxes, record, out);
  }
  return overflows;
}

}  // namespace windrow::cpu
