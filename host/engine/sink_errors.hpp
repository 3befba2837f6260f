// The error output of one sink: rows that it refused for good, through the row transforms below.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/engine/row_stage.hpp"
#include "host/engine/sink_writer.hpp"

namespace windrow {

class SinkErrors {
 public:
  SinkErrors(Graph const& graph, std::size_t transform);
  // `elements`: the rows as JSON.  Parts of a batch come in order; the rows hold until the next
  // call.
  StageChunk& run(RefusedRows const& refused, std::vector<std::string> const& elements,
                  StageContext const& context);
  [[nodiscard]] RowStage const& stage() const { return stage_; }

 private:
  void append_id(RefusedRows const& refused, std::size_t row, std::string& out) const;

  std::string sink_;  // its name, as a field of an id
  SinkSchema schema_;
  RowStage stage_;
  EventBatch rows_;
  StageChunk chunk_;
  std::int64_t batch_no_ = 0;
  std::unordered_map<std::string, std::uint32_t> ids_;  // of this batch: how often
};

}  // namespace windrow
