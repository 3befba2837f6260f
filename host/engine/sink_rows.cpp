#include "host/engine/sink_rows.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "host/engine/row_id.hpp"

namespace windrow {
namespace {

// Of rows that no step produced, beside some of a step: the global window.
Window window_of(EventBatchView const& rows, std::size_t row) {
  return rows.window.empty() ? Window{T_MIN, T_END} : rows.window[row];
}

// `id` is filled by the caller.
Scalar cell_of(SinkLayout::Cell const& cell, EventBatchView const& rows, std::size_t row,
               BatchStamp const& stamp, std::string_view id) {
  if (!cell.pane) {
    return rows.columns[cell.input].at(row);
  }
  Window const window = window_of(rows, row);
  PaneInfo const info = rows.info.empty() ? PaneInfo{} : rows.info[row];  // R31
  bool const tombstone = !rows.deleted.empty() && rows.deleted[row] != 0;
  auto const of_pane = [&](Scalar const& value) { return tombstone ? Scalar::null() : value; };
  switch (*cell.pane) {
    case PaneColumn::id:
      return Scalar::of_string(id);
    case PaneColumn::window_start:
      return Scalar::of(window.start.us);
    case PaneColumn::window_end:
      return Scalar::of(window.end.us);
    case PaneColumn::timestamp:
      return Scalar::of(rows.event_time[row].us);
    case PaneColumn::pane_version:
      return Scalar::of(stamp.pane_version);
    case PaneColumn::pane_index:
      return of_pane(Scalar::of(std::int64_t{info.index}));
    case PaneColumn::nonspeculative_index:
      return of_pane(Scalar::of(std::int64_t{info.nonspeculative_index}));
    case PaneColumn::pane_timing:
      return of_pane(Scalar::of_string(timing_name(info.timing)));
    case PaneColumn::is_first:
      return of_pane(Scalar::of(info.first));
    case PaneColumn::is_last:
      return of_pane(Scalar::of(info.last));
    case PaneColumn::deleted:
      return Scalar::of(tombstone);
    case PaneColumn::drained:
      return Scalar::of(!tombstone && stamp.is_drained(window));
  }
  return Scalar::null();
}

std::vector<Column> columns_of(SinkSchema const& schema) {
  std::vector<Column> columns;
  for (Field const& field : schema.columns.fields) {
    columns.emplace_back(field.type.kind);
  }
  return columns;
}

}  // namespace

SinkRows::SinkRows(SinkLayout layout)
    : layout_(std::move(layout)), columns_(columns_of(layout_.schema)) {}

void SinkRows::add(EventBatchView const& rows, BatchStamp const& stamp,
                   RecordsView const* records) {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if (layout_.has_id) {
      id_.clear();
      id_fields_.clear();
      for (SinkLayout::Cell const& field : layout_.id_fields) {
        id_fields_.push_back(cell_of(field, rows, row, stamp, {}));
      }
      append_row_id(layout_.id_prefix, window_of(rows, row), id_fields_, id_);
      if (layout_.numbered) {
        id_ += '|' + std::to_string(handed_over_ + place_.size());
      }
    }
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      columns_[c].append(cell_of(layout_.cells[c], rows, row, stamp, id_));
    }
    place_.push_back(layout_.has_id && !rows.origin.empty() ? rows.origin[row] : 0);
    tombstone_.push_back(!rows.deleted.empty() && rows.deleted[row] != 0 ? 1 : 0);
    if (layout_.has_errors) {
      SinkRowOrigin& origin = origins_.emplace_back();
      origin.event_time = rows.event_time[row];
      if (!rows.window.empty()) {
        origin.window = rows.window[row];
      }
      origin.record = place_of(records, origin_of(records, rows, row));
    }
  }
}

SinkBatch SinkRows::take(BatchStamp const& stamp, bool is_last) {
  std::vector<std::uint32_t> order(place_.size());
  std::iota(order.begin(), order.end(), 0U);
  if (layout_.schema.upsert) {
    ColumnView const ids = columns_[layout_.schema.id].view();
    std::unordered_map<std::string_view, std::uint32_t> winner;
    for (std::uint32_t const row : order) {
      auto const [at, is_new] = winner.try_emplace(ids.text(row), row);
      if (!is_new && (tombstone_[row] == 0 || tombstone_[at->second] != 0)) {
        at->second = row;
      }
    }
    std::erase_if(order, [&](std::uint32_t row) { return winner.at(ids.text(row)) != row; });
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return place_[a] < place_[b]; });

  SinkBatch out;
  out.batch_no = stamp.batch_no;
  out.pane_version = stamp.pane_version;
  out.is_last = is_last;
  out.rows = order.size();
  for (std::uint32_t const row : order) {
    out.tombstones += tombstone_[row];
  }
  bool const as_collected =
      order.size() == place_.size() && std::is_sorted(order.begin(), order.end());
  if (as_collected) {
    out.columns = std::move(columns_);
    columns_ = columns_of(layout_.schema);
    out.origins = std::exchange(origins_, {});
  } else {
    out.columns = columns_of(layout_.schema);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      ColumnView const from = columns_[c].view();
      for (std::uint32_t const row : order) {
        out.columns[c].append(from, row);
      }
    }
    for (Column& column : columns_) {
      column.clear();
    }
    if (layout_.has_errors) {
      for (std::uint32_t const row : order) {
        out.origins.push_back(origins_[row]);
      }
      origins_.clear();
    }
  }
  handed_over_ = is_last ? 0 : handed_over_ + place_.size();
  place_.clear();
  tombstone_.clear();
  return out;
}

}  // namespace windrow
