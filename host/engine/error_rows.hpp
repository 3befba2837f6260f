// Rows of the `error_handling` outputs: what was set aside, why and where it came from.
#pragma once
#include <cstdint>
#include <optional>
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

// A row of error_schema(); absent fields are null.
//   origin  record of `records`, or no_origin
//   id      connectors.md 2: source|partition|offset|line|window_start, made here; of a pane `id`
struct ErrorRow {
  std::string_view element, message;
  Fault fault = Fault::bad_json;
  RecordsView const* records = nullptr;
  std::uint32_t origin = no_origin;
  std::optional<std::uint32_t> line;
  std::optional<Window> window;
  std::optional<std::int64_t> pane_version;
  std::string_view id;
};

// `out` has the columns of error_schema() and an origin per row.
void append_error_row(ErrorRow const& error, EventTime event_time, EventBatch& out);

}  // namespace windrow
