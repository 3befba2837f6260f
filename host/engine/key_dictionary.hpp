// Key bytes <-> dense id of one step: exact, one table per shard, no locks.  Design:
// performance.md 2.5.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "host/engine/batch.hpp"
#include "host/engine/snapshot.hpp"

namespace windrow {

// XXH3-64 of the key bytes; its top four bits are the shard.
[[nodiscard]] std::uint64_t hash_of(std::string_view key_bytes);
[[nodiscard]] constexpr std::uint32_t shard_of_hash(std::uint64_t hash) noexcept {
  return static_cast<std::uint32_t>(hash >> 60U);
}

class KeyDictionary {
 public:
  KeyDictionary();
  ~KeyDictionary();
  KeyDictionary(KeyDictionary&&) noexcept;
  KeyDictionary& operator=(KeyDictionary&&) noexcept;
  // Interns keys of one shard (all hashes of that shard); threads may work on different shards at
  // once.
  //   keys, hashes [n] in, out [n] out.  `batch_no` marks the ids as used by that batch.
  //   refuse_new: unknown keys get `no_key` instead of an id (memory_limit); so do keys beyond 2^28
  //   in one shard, where ids end.
  void intern(std::uint32_t shard, std::span<std::string_view const> keys,
              std::span<std::uint64_t const> hashes, std::uint64_t batch_no, bool refuse_new,
              std::span<KeyId> out);
  static constexpr KeyId no_key = UINT32_MAX;
  // Of a live id; the view holds until the next intern or recycle in its shard.
  [[nodiscard]] std::string_view bytes_of(KeyId id) const;
  // Frees ids that no state holds, except those interned after batch `batch_no`, which a later
  // batch will name again when it frees them.  Ids already free are passed over.
  void recycle(std::span<KeyId const> freed, std::uint64_t batch_no);
  [[nodiscard]] std::size_t size() const;   // live keys
  [[nodiscard]] std::size_t bytes() const;  // host memory
  // Of a key of that length, just after the tables have grown.
  [[nodiscard]] static std::size_t key_bytes_max(std::size_t length);
  void snapshot(SnapshotWriter& out) const;
  void restore(SnapshotReader& in);

 private:
  struct Shard;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace windrow
