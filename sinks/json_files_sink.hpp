// Rows as lines of JSON, a file per batch in one directory.
//
// Idempotence: the name of a file is that of its batch's pane_version, and it has this name only
// once its lines are durable.  A batch that is written again, also by another process after a
// crash, puts the same lines in its place.
#pragma once
#include <cstdint>
#include <filesystem>

#include "host/engine/sink.hpp"
#include "sinks/json_row.hpp"

namespace windrow {

//   <directory>/batch-<pane_version>.ndjson
// A batch that comes in parts has `-<part>` behind the version from its second part on.  Readers
// that want one row per id take that of the highest pane_version.
class JsonFilesSink final : public Sink {
 public:
  JsonFilesSink(std::filesystem::path directory, SinkSchema const& schema);
  void open() override;  // makes the directory; EnvironmentError 69 if it cannot
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override;

 private:
  std::filesystem::path directory_;
  JsonRow json_;
  std::int64_t batch_no_ = 0;
  std::uint32_t part_ = 0;  // of the batch, written before this one
};

}  // namespace windrow
