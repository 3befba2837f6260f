// Rows as lines of JSON, appended to a file or to stdout.
//
// Idempotence: none in the file itself.  Every row is a line of its own with its pane_version;
// readers take the highest per id.  A batch that could be written in part only (disk full) goes on
// where it stopped when it is sent again, so its lines are neither torn nor doubled.
#pragma once
#include <optional>
#include <string>

#include "host/engine/sink.hpp"
#include "sinks/json_row.hpp"

namespace windrow {

class JsonSink final : public Sink {
 public:
  // `path`: "-" is stdout.  `cut_torn`: a torn last line is cut off, since the run that goes on
  // writes it whole; else it is refused.
  JsonSink(std::string path, SinkSchema const& schema, bool cut_torn = false);
  ~JsonSink() override;
  JsonSink(JsonSink const&) = delete;  // owns a file
  JsonSink& operator=(JsonSink const&) = delete;
  // EnvironmentError 69 if the file cannot be opened, 74 if its last line is torn and not to be
  // cut.
  void open() override;
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override;
  // fsync.  EnvironmentError 74: after a failed fsync nobody knows which lines are on the disk, and
  // trying again would say "done" for what is lost.
  void flush() override;

 private:
  std::string path_;
  bool cut_torn_;
  JsonRow json_;
  int file_ = -1;
  std::string text_;                        // lines of the batch in hand
  std::size_t sent_ = 0;                    // bytes of `text_` that are in the file
  std::optional<std::int64_t> unfinished_;  // number of the batch whose lines were written in part
};

}  // namespace windrow
