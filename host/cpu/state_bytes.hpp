// What the state of a step costs in memory, for plans and budgets; tests/state_bytes_test.cpp holds
// it to what is really allocated.
#pragma once
#include <cstddef>

#include "host/engine/aggregation.hpp"

namespace windrow {

//   record  bytes of one (key, window), or of one (key, slice) where windows share slices
//   most    .. with what finds it, just after its tables have grown
//   window  of one open window, whatever its keys, at the most; of sessions nothing
//   boxed   lists, texts, sketches and logged rows lie beside the record and grow with their rows
struct CellBytes {
  std::size_t record = 0, most = 0, window = 0;
  bool boxed = false;
};
[[nodiscard]] CellBytes cpu_cell_bytes(AggregationSpec const& spec);

// Of one key, beside its windows and the dictionary: its place in its shard, at the most.
[[nodiscard]] std::size_t cpu_key_bytes_max(AggregationSpec const& spec);

}  // namespace windrow
