#include "host/engine/row_view.hpp"

#include <algorithm>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

template <class T>
std::span<T const> part(std::span<T const> all, std::size_t first, std::size_t count) {
  return all.empty() ? all : all.subspan(first, count);
}

std::size_t width_of(ValueType type) { return type == ValueType::boolean ? 1 : 8; }

}  // namespace

void start_like(EventBatchView const& rows, EventBatch& out) {
  std::vector<Column> columns = std::move(out.columns);  // keep their memory
  out.reset(Schema{});
  out.columns = std::move(columns);
  out.columns.resize(rows.columns.size());
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    out.columns[i].reset(rows.columns[i].type);
  }
}

void append_row_frame(EventBatchView const& rows, std::size_t row, EventBatch& out) {
  auto const copy = [row](auto const& from, auto& to) {
    if (!from.empty()) {
      to.push_back(from[row]);
    }
  };
  out.event_time.push_back(rows.event_time[row]);
  copy(rows.origin, out.origin);
  copy(rows.window, out.window);
  copy(rows.info, out.info);
  copy(rows.deleted, out.deleted);
  copy(rows.overflowed, out.overflowed);
  copy(rows.weight, out.weight);
  copy(rows.pane, out.pane);
  copy(rows.place, out.place);
}

void append_row(EventBatchView const& rows, std::size_t row, EventBatch& out) {
  append_row_frame(rows, row, out);
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    out.columns[i].append(rows.columns[i], row);
  }
}

void select_rows(EventBatchView const& rows, std::span<std::uint32_t const> selected,
                 EventBatch& out) {
  start_like(rows, out);
  for (std::uint32_t const row : selected) {
    append_row_frame(rows, row, out);
  }
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    for (std::uint32_t const row : selected) {
      out.columns[i].append(rows.columns[i], row);
    }
  }
}

void join_rows(std::span<EventBatchView const> parts, EventBatch& out) {
  if (parts.empty()) {
    return;
  }
  start_like(parts[0], out);
  struct From {
    EventBatchView const* part;
    std::size_t row;
  };
  std::vector<From> from;
  bool placed = true;
  for (EventBatchView const& part : parts) {
    placed = placed && part.place.size() == part.rows;
    for (std::size_t row = 0; row < part.rows; ++row) {
      from.push_back({&part, row});
    }
  }
  if (placed) {
    std::stable_sort(from.begin(), from.end(), [](From const& a, From const& b) {
      return a.part->place[a.row] < b.part->place[b.row];
    });
  }
  auto const join = [&](auto EventBatchView::*member, auto& to, auto const& absent) {
    bool const carried = std::any_of(parts.begin(), parts.end(),
                                     [&](auto const& part) { return !(part.*member).empty(); });
    for (From const& at : from) {
      if (carried) {
        auto const& values = at.part->*member;
        to.push_back(values.empty() ? absent : values[at.row]);
      }
    }
  };
  join(&EventBatchView::event_time, out.event_time, T_MIN);
  join(&EventBatchView::origin, out.origin, no_origin);
  join(&EventBatchView::window, out.window, Window{T_MIN, T_END});
  join(&EventBatchView::info, out.info, PaneInfo{});
  join(&EventBatchView::deleted, out.deleted, std::uint8_t{0});
  join(&EventBatchView::overflowed, out.overflowed, std::uint8_t{0});
  join(&EventBatchView::weight, out.weight, std::int8_t{1});
  join(&EventBatchView::pane, out.pane, std::uint64_t{0});
  if (placed) {
    join(&EventBatchView::place, out.place, std::uint32_t{0});
  }
  for (std::size_t i = 0; i < out.columns.size(); ++i) {
    for (From const& at : from) {
      out.columns[i].append(at.part->columns[i], at.row);
    }
  }
}

EventBatchView part_of(EventBatchView const& rows, std::size_t first, std::size_t count,
                       std::vector<ColumnView>& columns) {
  WINDROW_ASSERT(first % 64 == 0 && first + count <= rows.rows, "a part starts at a word of bits");
  columns.assign(rows.columns.begin(), rows.columns.end());
  for (ColumnView& column : columns) {
    if (is_text(column.type)) {
      column.offsets = column.offsets.subspan(first, count + 1);
    } else {
      std::size_t const width = width_of(column.type);
      column.data = column.data.subspan(first * width, count * width);
    }
    column.valid = part(column.valid, first / 64, (count + 63) / 64);
  }
  EventBatchView out;
  out.rows = count;
  out.event_time = part(rows.event_time, first, count);
  out.columns = columns;
  out.origin = part(rows.origin, first, count);
  out.window = part(rows.window, first, count);
  out.info = part(rows.info, first, count);
  out.deleted = part(rows.deleted, first, count);
  out.overflowed = part(rows.overflowed, first, count);
  out.weight = part(rows.weight, first, count);
  out.pane = part(rows.pane, first, count);
  out.place = part(rows.place, first, count);
  return out;
}

void append_row_json(Schema const& schema, EventBatchView const& rows, std::size_t row,
                     std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (i > 0) {
      out += ", ";
    }
    append_json(Scalar::of_string(schema.fields[i].name), out);
    out += ": ";
    append_json(rows.columns[i].at(row), out);
  }
  out += '}';
}

}  // namespace windrow
