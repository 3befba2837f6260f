#include "sinks/json_files_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "host/engine/crash_point.hpp"
#include "host/engine/durable_file.hpp"
#include "host/model/portable.hpp"

namespace windrow {

JsonFilesSink::JsonFilesSink(std::filesystem::path directory, SinkSchema const& schema)
    : directory_(std::move(directory)), json_(schema.columns) {}

void JsonFilesSink::open() {
  try {
    make_directories(directory_);
  } catch (EnvironmentError const& error) {
    throw EnvironmentError(fmt::format("json sink: the directory must be there: {}", error.what()),
                           69);
  }
}

void JsonFilesSink::write(SinkRowsView const& rows, std::span<Outcome> out,
                          std::vector<SinkFault>& faults) {
  WINDROW_ASSERT(out.size() == rows.rows, "one outcome per row");
  faults.clear();
  if (rows.batch_no != batch_no_) {
    batch_no_ = rows.batch_no;
    part_ = 0;
  }
  std::string const name = part_ == 0
                               ? fmt::format("batch-{}.ndjson", rows.pane_version)
                               : fmt::format("batch-{}-{}.ndjson", rows.pane_version, part_ + 1);
  std::string text;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    json_.append(rows, row, text);
    text += '\n';
  }
  try {
    DurableFile file(directory_ / name, "sink");
    file.append(text);
    file.complete();
    WINDROW_CRASH_POINT("sink.sent");
    file.replace();
  } catch (EnvironmentError const& error) {  // disk full, read-only: a person mends it
    std::fill(out.begin(), out.end(), Outcome::pause);
    faults.push_back({0, fmt::format("json sink: the file must be written: {}", error.what())});
    return;
  }
  ++part_;
  std::fill(out.begin(), out.end(), Outcome::ok);
}

}  // namespace windrow
