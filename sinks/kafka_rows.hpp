// Rows of a sink as Kafka messages: the key is the row's id, the value the row as JSON.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/sink.hpp"
#include "sinks/json_row.hpp"

namespace windrow {

class KafkaRows {
 public:
  KafkaRows(JsonRow const& json, SinkSchema const& schema, SinkRowsView const& rows);
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  // None for rows that no step produced: they have no id.
  [[nodiscard]] std::optional<std::string_view> key(std::size_t row) const;
  [[nodiscard]] std::string_view value(std::size_t row) const;
  [[nodiscard]] std::string_view pane_version() const { return version_; }

 private:
  struct Ends {
    std::size_t key, value;  // in `text_`; a row begins where the one before ends
  };
  [[nodiscard]] std::size_t begin_of(std::size_t row) const {
    return row == 0 ? 0 : ends_[row - 1].value;
  }
  std::string text_, version_;
  std::vector<Ends> ends_;
  bool keyed_ = false;
};

}  // namespace windrow
