#include "host/engine/error_rows.hpp"

#include "host/engine/row_id.hpp"

namespace windrow {

void append_error_row(ErrorRow const& error, EventTime event_time, EventBatch& out) {
  std::string partition;
  Scalar source_name, partition_name, offset, line, start, end, version;
  if (error.records != nullptr && error.origin != no_origin) {
    RawRecord const& record = error.records->raw->records[error.origin];
    partition = error.records->source->partition_name(record.partition);
    source_name =
        Scalar::of_string(error.records->source->path_of(record.partition, record.offset));
    partition_name = Scalar::of_string(partition);
    offset = Scalar::of(record.offset);
  }
  if (error.line) {
    line = Scalar::of(std::int64_t{*error.line});
  }
  if (error.window) {
    start = Scalar::of(error.window->start.us);
    end = Scalar::of(error.window->end.us);
  }
  if (error.pane_version) {
    version = Scalar::of(*error.pane_version);
  }
  std::string id(error.id);
  if (id.empty()) {
    for (Scalar const& field : {source_name, partition_name, offset, line, start}) {
      if (!id.empty()) {
        id += '|';
      }
      append_id_field(field, id);
    }
  }
  Scalar const cells[] = {Scalar::of_string(error.element),
                          Scalar::of_string(error.message),
                          Scalar::of_string(fault_name(error.fault)),
                          source_name,
                          partition_name,
                          offset,
                          line,
                          start,
                          end,
                          version,
                          Scalar::of_string(id)};
  for (std::size_t c = 0; c < std::size(cells); ++c) {
    out.columns[c].append(cells[c]);
  }
  out.event_time.push_back(event_time);
  out.origin.push_back(error.origin);
}

}  // namespace windrow
