#include "host/engine/error_rows.hpp"

#include <iterator>

#include "host/engine/row_id.hpp"

namespace windrow {

std::uint32_t origin_of(RecordsView const* records, EventBatchView const& rows, std::size_t row) {
  return records == nullptr || rows.origin.empty() ? no_origin : rows.origin[row];
}

std::optional<RecordPlace> place_of(RecordsView const* records, std::uint32_t origin) {
  if (records == nullptr || origin == no_origin) {
    return std::nullopt;
  }
  RawRecord const& record = records->raw->records[origin];
  return RecordPlace{records->source, record.partition, record.offset};
}

void append_record_id(std::optional<RecordPlace> const& place, std::optional<std::uint32_t> line,
                      std::optional<Window> const& window, std::string& out) {
  std::string partition;
  Scalar fields[5];
  if (place) {
    partition = place->source->partition_name(place->partition);
    fields[0] = Scalar::of_string(place->source->path_of(place->partition, place->offset));
    fields[1] = Scalar::of_string(partition);
    fields[2] = Scalar::of(place->source->offset_in_path(place->offset));
  }
  if (line) {
    fields[3] = Scalar::of(std::int64_t{*line});
  }
  if (window) {
    fields[4] = Scalar::of(window->start.us);
  }
  append_id_field(fields[0], out);
  for (std::size_t i = 1; i < std::size(fields); ++i) {
    out += '|';
    append_id_field(fields[i], out);
  }
}

void append_error_row(ErrorRow const& error, EventTime event_time, EventBatch& out) {
  std::string partition;
  Scalar source_name, partition_name, offset, line, start, end, version;
  if (error.place) {
    auto const& [source, number, at] = *error.place;
    partition = source->partition_name(number);
    source_name = Scalar::of_string(source->path_of(number, at));
    partition_name = Scalar::of_string(partition);
    offset = Scalar::of(source->offset_in_path(at));
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
    append_record_id(error.place, error.line, error.window, id);
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
