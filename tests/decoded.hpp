// What tests of decoding need: messages in, rows and set-aside records as text out.
#pragma once
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "ingest/json_decoder.hpp"

namespace windrow::testing {

// Messages in memory that end where their allocation ends, so that a read beyond is an error under
// the address sanitizer.
class Messages {
 public:
  void add(std::string_view bytes, EventTime time = T_MIN) {
    auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    auto const offset = static_cast<std::int64_t>(batch_.records.size());
    batch_.records.push_back(
        {copy.get(), static_cast<std::uint32_t>(bytes.size()), 0, offset, time});
    kept_.push_back(std::move(copy));
  }
  [[nodiscard]] RawBatch const& batch() const { return batch_; }

 private:
  RawBatch batch_;
  std::vector<std::unique_ptr<char[]>> kept_;
};

// "record: {"name":value,..} @time" of every row, then "record.line: reason" of every rejected one.
inline std::vector<std::string> lines_of(Schema const& schema, DecodedChunk& chunk,
                                         bool messages = false) {
  std::vector<std::string> lines;
  EventBatchView const view = chunk.rows.view();
  for (std::size_t row = 0; row < view.rows; ++row) {
    std::string line = fmt::format("{}: {{", view.origin[row]);
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      line += fmt::format("{}\"{}\":", i == 0 ? "" : ",", schema.fields[i].name);
      append_json(view.columns[i].at(row), line);
    }
    lines.push_back(
        line + "}" +
        (view.event_time[row] == T_MIN ? "" : fmt::format(" @{}", view.event_time[row].us)));
  }
  for (RejectedRecord const& rejected : chunk.rejected) {
    lines.push_back(fmt::format("{}.{}: {}{}", rejected.record, rejected.line,
                                fault_name(rejected.fault),
                                messages ? " " + rejected.message : ""));
  }
  return lines;
}

}  // namespace windrow::testing
