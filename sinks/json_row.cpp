#include "sinks/json_row.hpp"

#include "host/model/portable.hpp"

namespace windrow {

JsonRow::JsonRow(Schema const& columns) {
  for (Field const& field : columns.fields) {
    std::string name = names_.empty() ? "{" : ",";
    append_json(Scalar::of_string(field.name), name);
    names_.push_back(name + ":");
  }
  WINDROW_ASSERT(!names_.empty(), "a row has a column");
}

void JsonRow::append(SinkRowsView const& rows, std::size_t row, std::string& out) const {
  WINDROW_ASSERT(rows.columns.size() == names_.size(), "one column per field");
  for (std::size_t i = 0; i < names_.size(); ++i) {
    out += names_[i];
    append_json(rows.columns[i].at(row), out);
  }
  out += '}';
}

}  // namespace windrow
