// Rows of a step as columns, and key ids as a dictionary gives them: what all benchmarks of the
// aggregation push.
#pragma once
#include <vector>

#include "host/engine/aggregation.hpp"

namespace windrow::bench {

// Key `i` of shard `i % 16`, dense within each shard.
[[nodiscard]] constexpr KeyId key_of(std::size_t i) {
  auto const dense = static_cast<std::uint32_t>(i / shards);
  return ((dense / 64) * shards + static_cast<std::uint32_t>(i % shards)) * 64 + dense % 64;
}
// The other way round.
[[nodiscard]] constexpr std::size_t index_of(KeyId id) {
  return (std::size_t{id / 64 / shards} * 64 + id % 64) * shards + shard_of(id);
}
static_assert(index_of(key_of(123'457)) == 123'457 && key_of(16) == 1);

struct Rows {
  std::vector<EventTime> time;
  std::vector<KeyId> key;
  Column value;
  [[nodiscard]] std::size_t size() const { return time.size(); }
  [[nodiscard]] KeyedBatchView view(ColumnView const& values) const {
    return {time, key, {&values, 1}, {}, {}};
  }
};

}  // namespace windrow::bench
