// A snapshot in memory, for tests of components.
#pragma once
#include <string>
#include <vector>

#include "host/engine/snapshot.hpp"

namespace windrow::testing {

class MemorySnapshot : public SnapshotWriter, public SnapshotReader {
 public:
  void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) override {
    pieces_.push_back({std::string(name), shard, std::string(bytes)});
  }
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (at_ == pieces_.size()) {
      return false;
    }
    name = pieces_[at_].name;
    shard = pieces_[at_].shard;
    bytes = pieces_[at_].bytes;
    at_ += 1;
    return true;
  }

 private:
  struct Piece {
    std::string name;
    std::uint32_t shard = 0;
    std::string bytes;
  };
  std::vector<Piece> pieces_;
  std::size_t at_ = 0;
};

}  // namespace windrow::testing
