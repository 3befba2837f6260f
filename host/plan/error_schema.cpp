// The one form of all rows of error_handling outputs (semantics.md 16.3).
#include "host/plan/graph.hpp"

namespace windrow {

Schema const& error_schema() {
  static Schema const schema = [] {
    auto const field = [](char const* name, ValueType type) {
      return Field{name, FieldType{type, {}}, true};
    };
    return Schema{{field("element", ValueType::string), field("msg", ValueType::string),
                   field("reason", ValueType::string), field("source", ValueType::string),
                   field("partition", ValueType::string), field("offset", ValueType::integer),
                   field("line", ValueType::integer), field("window_start", ValueType::integer),
                   field("window_end", ValueType::integer),
                   field("pane_version", ValueType::integer), field("id", ValueType::string)}};
  }();
  return schema;
}

}  // namespace windrow
