// Rows of the `error_handling` outputs: what was set aside, why and where it came from.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/engine/batch.hpp"
#include "host/engine/source.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// The records of one source and batch, to say where a row comes from.
struct RecordsView {
  Source const* source = nullptr;
  RawBatch const* raw = nullptr;
};

// Where a record stands, for as long as its source lives.
struct RecordPlace {
  Source const* source = nullptr;
  std::uint32_t partition = 0;
  std::int64_t offset = 0;
};
// The record that a row comes from; no_origin without records.
[[nodiscard]] std::uint32_t origin_of(RecordsView const* records, EventBatchView const& rows,
                                      std::size_t row);
[[nodiscard]] std::optional<RecordPlace> place_of(RecordsView const* records, std::uint32_t origin);

// A row of error_schema(); absent fields are null.
//   origin  of its batch, or no_origin
//   id      connectors.md 2: source|partition|offset|line|window_start, made here unless it is
//   given
struct ErrorRow {
  std::string_view element, message;
  Fault fault = Fault::bad_json;
  std::optional<RecordPlace> place;
  std::uint32_t origin = no_origin;
  std::optional<std::uint32_t> line;
  std::optional<Window> window;
  std::optional<std::int64_t> pane_version;
  std::string_view id;

  void comes_from(RecordsView const* records, std::uint32_t record) {
    place = place_of(records, record);
    origin = record;
  }
};

// source|partition|offset|line|window_start, absent fields as null.
void append_record_id(std::optional<RecordPlace> const& place, std::optional<std::uint32_t> line,
                      std::optional<Window> const& window, std::string& out);

// `out` has the columns of error_schema() and an origin per row.
void append_error_row(ErrorRow const& error, EventTime event_time, EventBatch& out);

}  // namespace windrow
