#include "sinks/kafka_rows.hpp"

namespace windrow {

KafkaRows::KafkaRows(JsonRow const& json, SinkSchema const& schema, SinkRowsView const& rows)
    : version_(std::to_string(rows.pane_version)), keyed_(schema.id != SIZE_MAX) {
  ends_.reserve(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if (keyed_) {
      text_ += rows.columns[schema.id].text(row);
    }
    std::size_t const key = text_.size();
    json.append(rows, row, text_);
    ends_.push_back({key, text_.size()});
  }
}

std::optional<std::string_view> KafkaRows::key(std::size_t row) const {
  std::size_t const begin = begin_of(row);
  return keyed_ ? std::optional(std::string_view(text_).substr(begin, ends_[row].key - begin))
                : std::nullopt;
}

std::string_view KafkaRows::value(std::size_t row) const {
  return std::string_view(text_).substr(ends_[row].key, ends_[row].value - ends_[row].key);
}

}  // namespace windrow
