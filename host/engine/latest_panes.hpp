// The pane that is out per row id (key, window start; of sessions through R77 the whole window):
// makes rows of weight -1 and +1 of panes and tombstones, for a consumer with `input_panes:
// replace` (R78).
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/engine/aggregation.hpp"

namespace windrow {

//   holds    per row id the pane that is out: window, stamp, PaneInfo, overflow and values
//   created  by a pane / replaced by the next / erased by a tombstone or `end`
class LatestPanes {
 public:
  // `step` tells the panes of different steps apart.  `columns`: types of the value columns.
  // `by_end`: row identity is (key, start, end).
  LatestPanes(std::size_t step, std::vector<ValueType> columns, bool by_end);
  ~LatestPanes();
  LatestPanes(LatestPanes&&) noexcept;
  // Reads panes (in R17's order; rows = panes, columns = the values) and appends to `out` the rows
  // they mean: -old +new for a pane, -old for a tombstone.  `key` [n]: key id per pane; `out_key`:
  // per row of `out`, whose columns are the value columns too (the caller adds what it derives from
  // the key). A withdrawn row is the pane as it was, but for its weight.  `out` gets every column
  // but `origin`.
  void replace(std::span<KeyId const> key, EventBatchView const& panes, EventBatch& out,
               std::vector<KeyId>& out_key);
  // Forgets row ids, after the panes of the same batch; those of which no pane is out are passed
  // over.
  void end(std::span<EndedWindow const> ended);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t bytes() const;
  static std::size_t const pane_bytes_max;  // of one pane; longer values lie beside it
  void snapshot(SnapshotWriter& out) const;
  void restore(SnapshotReader& in);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
