#include "host/engine/sink_errors.hpp"

#include "host/engine/error_rows.hpp"
#include "host/engine/row_id.hpp"
#include "host/engine/sink_schema.hpp"

namespace windrow {

SinkErrors::SinkErrors(Graph const& graph, std::size_t transform)
    : schema_(sink_schema(graph, transform)), stage_(graph, transform, StageRows::refused) {
  append_id_field(Scalar::of_string(graph.transforms[transform].name), sink_);
}

StageChunk& SinkErrors::run(RefusedRows const& refused, std::vector<std::string> const& elements,
                            StageContext const& context) {
  if (batch_no_ != refused.batch_no) {
    batch_no_ = refused.batch_no;
    ids_.clear();
  }
  rows_.reset(error_schema());
  for (std::size_t row = 0; row < elements.size(); ++row) {
    SinkRowOrigin const& origin = refused.origins[row];
    std::string id;
    append_id(refused, row, id);
    if (std::uint32_t const before = ids_[id]++; before > 0) {
      id += '|' + std::to_string(before);
    }
    ErrorRow error;
    error.element = elements[row];
    error.message = refused.messages[row];
    error.fault = Fault::dead_letter;
    error.place = origin.record;
    error.window = origin.window;
    if (origin.window) {
      error.pane_version = refused.pane_version;
    }
    error.id = id;
    append_error_row(error, origin.event_time, rows_);
  }
  stage_.run(context, {}, rows_.view(), {}, chunk_);
  return chunk_;
}

// The same row refused again has the same id, and each row of a batch its own (connectors.md 2):
//   of a pane    sink|id|pane_version
//   of a record  sink|source|partition|offset|line|window_start
//   else         sink|pane_version
// and, behind further rows of one record or without one, how many of the batch came before.
void SinkErrors::append_id(RefusedRows const& refused, std::size_t row, std::string& out) const {
  out = sink_ + '|';
  std::string const version = std::to_string(refused.pane_version);
  if (schema_.id != SIZE_MAX) {
    out.append(refused.columns[schema_.id].view().text(row)).append("|").append(version);
  } else if (refused.origins[row].record) {
    append_record_id(refused.origins[row].record, {}, refused.origins[row].window, out);
  } else {
    out += version;
  }
}

}  // namespace windrow
