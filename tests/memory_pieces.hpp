// Snapshots in memory, for tests: the pieces of one component, and the components of a whole graph.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/snapshot.hpp"

namespace windrow {

struct MemoryPieces final : SnapshotWriter, SnapshotReader {
  struct Piece {
    std::string name;
    std::uint32_t shard;
    std::string bytes;
  };
  std::vector<Piece> pieces;
  std::size_t at = 0;

  void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) override {
    pieces.push_back({std::string(name), shard, std::string(bytes)});
  }
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (at == pieces.size()) {
      return false;
    }
    Piece const& piece = pieces[at++];
    name = piece.name;
    shard = piece.shard;
    bytes = piece.bytes;
    return true;
  }
};

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
