// Writes to stderr above a block of lines that is drawn again in place.
#pragma once
#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace windrow::cli {

// Lines of a screen: each fits into `columns`, and there are at most `rows` of them.  A longer line
// goes on in the next, indented, broken between words where it can be.  What is no text (line
// breaks, escapes) becomes a blank.  A character counts as one column.
[[nodiscard]] std::vector<std::string> laid_out(std::vector<std::string> const& lines,
                                                std::size_t columns, std::size_t rows);

class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void write_above(std::string_view text);          // whole lines
  void draw_block(std::vector<std::string> lines);  // instead of the block before; none: removes it

 protected:
  void sink_it_(spdlog::details::log_msg const& message) override;
  void flush_() override {}

 private:
  [[nodiscard]] std::string erasure() const;
  [[nodiscard]] std::string drawing();
  std::vector<std::string> block_, drawn_;  // as given, as laid out when it was drawn
};

}  // namespace windrow::cli
