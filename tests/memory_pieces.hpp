// A snapshot of one component in memory: pieces are read back in order.
#pragma once
#include <cstdint>
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

}  // namespace windrow
