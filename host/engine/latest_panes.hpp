// The pane that is out per row id (key, window start; of sessions through R77 the whole window): makes
// rows of weight -1 and +1 of panes and tombstones, for a consumer with `input_panes: replace` (R78).
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "host/engine/aggregation.hpp"

namespace windrow {

//   holds    the values, window and stamp of the pane that is out per row id
//   created  by a pane / replaced by the next / erased by a tombstone or `end`
class LatestPanes {
 public:
  // `columns`: types of the value columns.  `by_end`: row identity is (key, start, end).
  LatestPanes(std::vector<ValueType> columns, bool by_end);
  ~LatestPanes();
  LatestPanes(LatestPanes&&) noexcept;
  // Reads panes (in R17's order; rows = panes, columns = values) and appends to `out` the rows they
  // mean, to `source_row` the pane row each comes from: -old +new for a pane, -old for a tombstone.
  // A withdrawn row carries the window, stamp and values as they were.  `key` [n]: key id per pane.
  void replace(std::span<KeyId const> key, EventBatchView const& panes, EventBatch& out,
               std::vector<KeyId>& out_key);
  void end(std::span<EndedWindow const> ended);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t bytes() const;
  void snapshot(SnapshotWriter& out) const;
  void restore(SnapshotReader& in);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
