// The sessions of one shard: a chain per key.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/cpu/cell_rules.hpp"
#include "host/cpu/lazy_heap.hpp"
#include "host/model/window.hpp"

namespace windrow::cpu {

struct Session {
  Window window{};
  std::uint32_t next = 0;  // session of the same key + 1, 0 = none
  QueuedTimes queued;
  Pending pending;
};

// A session keeps its number and its record while its window grows.  Records move when the pool
// grows.
class SessionPool {
 public:
  // Session of a key with a zeroed record that has its key.
  std::uint32_t create(RecordLayout const& layout, KeyId key, Window window);
  // Unlinks it; its accumulators must be cleared before.
  void erase(RecordLayout const& layout, std::uint32_t session);
  [[nodiscard]] Session& at(std::uint32_t session) { return sessions_[session]; }
  [[nodiscard]] std::byte* record(RecordLayout const& layout, std::uint32_t session) {
    return records_.data() + std::size_t{session} * layout.bytes;
  }
  // First session of the key + 1, 0 = none.
  [[nodiscard]] std::uint32_t first_of(KeyId key) const {
    std::size_t const i = dense_index(key);
    return i < first_.size() ? first_[i] : 0;
  }
  // What `first_of` reads, to prefetch it.
  [[nodiscard]] void const* first_place(KeyId key) const {
    return first_.data() + std::min(dense_index(key), first_.size());
  }
  // Numbers of all sessions, by key and window.
  [[nodiscard]] std::vector<std::uint32_t> in_order() const;
  [[nodiscard]] std::size_t size() const { return sessions_.size() - free_.size(); }
  // Is most of its memory that of sessions which are gone?  Then it is worth to pack it.
  [[nodiscard]] bool is_sparse() const {
    return free_.size() >= sparse_min && free_.size() > 3 * size();
  }
  [[nodiscard]] std::size_t bytes() const;

 private:
  static constexpr std::size_t sparse_min = 256;
  std::vector<Session> sessions_;
  std::vector<std::byte> records_;
  std::vector<std::uint32_t> first_;  // by dense_index
  std::vector<std::uint32_t> free_;
};

}  // namespace windrow::cpu
