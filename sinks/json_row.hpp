// A row of a sink as a JSON object.
#pragma once
#include <string>
#include <vector>

#include "host/engine/sink.hpp"

namespace windrow {

// Integers exact (times are integers in us), numbers with the shortest digits that read back the
// same, bytes as base64, NaN and infinities as strings, lists and structures as JSON.
class JsonRow {
 public:
  explicit JsonRow(Schema const& columns);
  void append(SinkRowsView const& rows, std::size_t row, std::string& out) const;

 private:
  std::vector<std::string> names_;  // `{"name":` or `,"name":` per column
};

}  // namespace windrow
