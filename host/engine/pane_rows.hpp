// The panes of one step and batch as rows: keys named, in the one order of R17.
#pragma once
#include <vector>

#include "host/engine/aggregation.hpp"
#include "host/engine/key_bytes.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

//   rows  columns as the Combine's output: group fields, then aggregates.  `origin`: the row's
//   place
//         where the phases are merged, which is the order of sinks (connectors.md 1.10)
struct PaneRows {
  EventBatch rows;
  std::vector<KeyId> key;
  std::uint32_t overflows = 0;  // rows with an overflowed aggregate
};

// Fills `out` anew.  `group`: how many fields of `output` are the key's; `taken`: how many panes
// the parts before it had.
void make_pane_rows(PaneBatch const& panes, KeyDictionary const& keys, KeyBytes const& key_bytes,
                    Schema const& output, std::size_t group, std::size_t taken, PaneRows& out);

// Appends the group fields of each key to the first columns.
void append_group_fields(std::span<KeyId const> key, KeyDictionary const& keys,
                         KeyBytes const& key_bytes, std::span<Column> group);

}  // namespace windrow
