// What AssertEqual saw, against what it expects: as a multiset, nulls and order ignored.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/engine/snapshot.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

class EqualityCheck {
 public:
  EqualityCheck(Transform const& transform, Schema schema);
  void add(EventBatchView const& rows);  // tombstones and withdrawn rows are no elements
  // Empty if all is equal; else what is missing and what came unasked, at most 20 lines each.
  [[nodiscard]] std::string difference() const;
  void snapshot(SnapshotWriter& out) const;
  void restore(SnapshotReader& in);

 private:
  std::string name_;
  Schema schema_;
  std::map<std::string, std::int64_t> missing_;  // canonical text -> expected minus seen
};

}  // namespace windrow
