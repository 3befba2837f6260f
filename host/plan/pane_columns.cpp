// The columns that every row of a step has besides its fields (semantics.md 16.3).
#include "host/plan/graph.hpp"

namespace windrow {

Schema const& pane_columns() {
  static Schema const schema{{{"window_start", {ValueType::integer, {}}, false},
                              {"window_end", {ValueType::integer, {}}, false},
                              {"timestamp", {ValueType::integer, {}}, false},
                              {"pane_version", {ValueType::integer, {}}, false},
                              {"pane_index", {ValueType::integer, {}}, true},
                              {"nonspeculative_index", {ValueType::integer, {}}, true},
                              {"pane_timing", {ValueType::string, {}}, true},
                              {"is_first", {ValueType::boolean, {}}, true},
                              {"is_last", {ValueType::boolean, {}}, true},
                              {"deleted", {ValueType::boolean, {}}, false},
                              {"drained", {ValueType::boolean, {}}, false}}};
  return schema;
}

}  // namespace windrow
