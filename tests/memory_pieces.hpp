// Snapshots in memory, for tests: the components of a whole graph.
#pragma once
#include <deque>
#include <string>
#include <string_view>

#include "host/engine/snapshot.hpp"

namespace windrow {

class MemoryStateWriter final : public StateWriter {
 public:
  struct Component {
    std::string name;
    MemoryPieces pieces;
  };
  SnapshotWriter& component(std::string_view name) override {
    components_.push_back({std::string(name), {}});
    return components_.back().pieces;
  }
  [[nodiscard]] std::deque<Component> const& components() const { return components_; }

 private:
  std::deque<Component> components_;
};

// Reads from the start what a writer has; several readers may read one writer.
class MemoryStateReader final : public StateReader {
 public:
  explicit MemoryStateReader(MemoryStateWriter const& written) : left_(written.components()) {}
  SnapshotReader& component(std::string_view name) override {
    if (begun_) {
      left_.pop_front();
    }
    begun_ = true;
    if (left_.empty() || left_.front().name != name) {
      throw EnvironmentError("snapshot: another component is expected: " + std::string(name), 74);
    }
    return left_.front().pieces;
  }

 private:
  std::deque<MemoryStateWriter::Component> left_;
  bool begun_ = false;
};

}  // namespace windrow
