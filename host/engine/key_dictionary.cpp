// One open-addressing table per shard: short keys inside their slot, long ones in an arena.
#define XXH_INLINE_ALL
#include "host/engine/key_dictionary.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::size_t group = 64;       // keys whose slots are prefetched together
constexpr std::size_t slots_min = 256;  // power of two, and room for one group at half load
constexpr std::size_t inline_max = 15;  // longest key inside a slot
constexpr std::size_t piece_bytes = 1U << 20U;
constexpr std::uint32_t ids_max = (1U << 28U) - 1;  // local ids of a shard; one less: no_key
constexpr std::uint32_t no_slot = UINT32_MAX;

// The key's bytes, zero-padded, with their number in the top byte; of a long key
// `low` = place in the arena, `high` = long_mark | length.
struct KeyWords {
  std::uint64_t low = 0, high = 0;
  bool operator==(KeyWords const&) const = default;
};
constexpr std::uint64_t long_mark = std::uint64_t{255} << 56U;

template <class T>
std::uint64_t load(char const* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
// Two loads that overlap: reads no byte outside the key.  Requires size <= inline_max.
KeyWords short_words(std::string_view key) {
  char const* const p = key.data();
  std::size_t const n = key.size();
  KeyWords words;
  if (n >= 8) {
    words.low = load<std::uint64_t>(p);
    if (n > 8) {
      words.high = load<std::uint64_t>(p + n - 8) >> (8 * (16 - n));
    }
  } else if (n >= 4) {
    words.low = load<std::uint32_t>(p) | load<std::uint32_t>(p + n - 4) << (8 * (n - 4));
  } else if (n > 0) {
    words.low = load<std::uint8_t>(p) | load<std::uint8_t>(p + n / 2) << (8 * (n / 2)) |
                load<std::uint8_t>(p + n - 1) << (8 * (n - 1));
  }
  words.high |= std::uint64_t{n} << 56U;
  return words;
}

// id == no_key: empty.  `batch` is the low half of the number of the last batch that interned the
// key.
struct alignas(32) Slot {
  KeyWords key;
  std::uint64_t hash = 0;
  std::uint32_t id = KeyDictionary::no_key;
  std::uint32_t batch = 0;
};
static_assert(sizeof(Slot) == 32);

constexpr KeyId global_id(std::uint32_t shard, std::uint32_t local) {
  return (local / 64 * shards + shard) * 64 + local % 64;
}
constexpr std::uint32_t local_id(KeyId id) { return id / 64 / shards * 64 + id % 64; }

}  // namespace

//   slots    the table, linear probing from the low bits of the hash, at most half full
//   slot_of  [next] local id -> slot, no_slot: free
//   free     local ids below next that name no key
struct KeyDictionary::Shard {
  std::uint32_t number = 0;
  std::vector<Slot> slots = std::vector<Slot>(slots_min);
  std::vector<std::uint32_t> slot_of, free;
  std::size_t live = 0, trim_at = slots_min;
  std::string arena;
  std::size_t arena_dead = 0;

  [[nodiscard]] std::size_t mask() const { return slots.size() - 1; }

  [[nodiscard]] std::string_view key_of(Slot const& slot) const {
    if (slot.key.high >= long_mark) {
      return {arena.data() + slot.key.low, static_cast<std::uint32_t>(slot.key.high)};
    }
    return {reinterpret_cast<char const*>(&slot.key), slot.key.high >> 56U};
  }
  [[nodiscard]] bool holds(Slot const& slot, std::string_view key, KeyWords const& words,
                           std::uint64_t hash) const {
    if (key.size() <= inline_max) {
      return slot.key == words;
    }
    return slot.hash == hash && slot.key.high >= long_mark && key_of(slot) == key;
  }

  // The slot of the key, or the empty one where it belongs.
  std::size_t find(std::string_view key, KeyWords const& words, std::uint64_t hash) const {
    std::size_t at = hash & mask();
    while (slots[at].id != no_key && !holds(slots[at], key, words, hash)) {
      at = (at + 1) & mask();
    }
    return at;
  }

  void rehash(std::size_t size) {
    std::vector<Slot> const old = std::exchange(slots, std::vector<Slot>(size));
    for (Slot const& slot : old) {
      if (slot.id == no_key) {
        continue;
      }
      std::size_t at = slot.hash & mask();
      while (slots[at].id != no_key) {
        at = (at + 1) & mask();
      }
      slots[at] = slot;
      slot_of[local_id(slot.id)] = static_cast<std::uint32_t>(at);
    }
  }
  void make_room(std::size_t keys) {
    std::size_t size = slots.size();
    while ((live + keys) * 2 > size) {
      size *= 2;
    }
    if (size != slots.size()) {
      rehash(size);
    }
  }

  void put(std::size_t at, std::uint32_t local, std::string_view key, KeyWords const& words,
           std::uint64_t hash, std::uint32_t batch) {
    Slot& slot = slots[at];
    slot.key = words;
    if (key.size() > inline_max) {
      WINDROW_ASSERT(key.size() <= UINT32_MAX, "a key is shorter than 4 GiB");
      slot.key = {arena.size(), long_mark | key.size()};
      arena.append(key);
    }
    slot.hash = hash;
    slot.id = global_id(number, local);
    slot.batch = batch;
    slot_of[local] = static_cast<std::uint32_t>(at);
    ++live;
  }

  void intern(std::span<std::string_view const> keys, std::span<std::uint64_t const> hashes,
              std::uint32_t batch, bool refuse_new, std::span<KeyId> out) {
    make_room(keys.size());
    for (std::uint64_t const hash : hashes) {
      __builtin_prefetch(&slots[hash & mask()], 1);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      WINDROW_ASSERT(shard_of_hash(hashes[i]) == number, "the key is of this shard");
      KeyWords const words = keys[i].size() <= inline_max ? short_words(keys[i]) : KeyWords{};
      std::size_t const at = find(keys[i], words, hashes[i]);
      if (slots[at].id != no_key) {
        slots[at].batch = batch;
      } else if (refuse_new || (free.empty() && slot_of.size() == ids_max)) {
        out[i] = no_key;
        continue;
      } else {
        std::uint32_t local = static_cast<std::uint32_t>(slot_of.size());
        if (free.empty()) {
          slot_of.push_back(no_slot);
        } else {
          local = free.back();
          free.pop_back();
        }
        put(at, local, keys[i], words, hashes[i], batch);
      }
      out[i] = slots[at].id;
    }
  }

  // Empties slot `at` and moves back what a search would no longer reach.
  void erase(std::size_t at) {
    if (slots[at].key.high >= long_mark) {
      arena_dead += key_of(slots[at]).size();
    }
    std::uint32_t const local = local_id(slots[at].id);
    slot_of[local] = no_slot;
    free.push_back(local);
    --live;
    std::size_t hole = at;
    for (std::size_t next = (at + 1) & mask(); slots[next].id != no_key;
         next = (next + 1) & mask()) {
      std::size_t const home = slots[next].hash & mask();
      if (((next - home) & mask()) < ((next - hole) & mask())) {
        continue;
      }  // home is after the hole
      slots[hole] = slots[next];
      slot_of[local_id(slots[hole].id)] = static_cast<std::uint32_t>(hole);
      hole = next;
    }
    slots[hole] = Slot{};
  }

  // Gives memory back after many keys went; each part costs at most a constant per key that went.
  void shrink() {
    if (arena_dead > arena.size() / 2 && (arena_dead > piece_bytes / 16 || live == 0)) {
      compact();
    }
    if (live * 8 < slots.size() && slots.size() > slots_min) {
      std::size_t size = slots_min;
      while (live * 4 > size) {
        size *= 2;
      }
      rehash(size);
    }
    if (free.size() < trim_at && live > 0) {
      return;
    }
    while (!slot_of.empty() && slot_of.back() == no_slot) {
      slot_of.pop_back();
    }
    slot_of.shrink_to_fit();
    find_free();
    trim_at = std::max(slots_min, 2 * free.size());
  }
  void compact() {
    std::string kept;
    kept.reserve(arena.size() - arena_dead);
    for (Slot& slot : slots) {
      if (slot.id == no_key || slot.key.high < long_mark) {
        continue;
      }
      std::string_view const key = key_of(slot);
      slot.key.low = kept.size();
      kept.append(key);
    }
    arena.swap(kept);  // a move into a short string would keep the old memory
    arena_dead = 0;
  }
  // The lowest ids come first, so that ids stay dense.
  void find_free() {
    std::vector<std::uint32_t> found;
    for (auto local = static_cast<std::uint32_t>(slot_of.size()); local-- > 0;) {
      if (slot_of[local] == no_slot) {
        found.push_back(local);
      }
    }
    free = std::move(found);
    free.shrink_to_fit();
  }
};

std::uint64_t hash_of(std::string_view key_bytes) {
  return XXH3_64bits(key_bytes.data(), key_bytes.size());
}

KeyDictionary::KeyDictionary() : shards_(std::make_unique<Shard[]>(shards)) {
  for (std::uint32_t i = 0; i < shards; ++i) {
    shards_[i].number = i;
  }
}
KeyDictionary::~KeyDictionary() = default;
KeyDictionary::KeyDictionary(KeyDictionary&&) noexcept = default;
KeyDictionary& KeyDictionary::operator=(KeyDictionary&&) noexcept = default;

void KeyDictionary::intern(std::uint32_t shard, std::span<std::string_view const> keys,
                           std::span<std::uint64_t const> hashes, std::uint64_t batch_no,
                           bool refuse_new, std::span<KeyId> out) {
  WINDROW_ASSERT(shard < shards && keys.size() == hashes.size() && keys.size() == out.size(),
                 "one hash and one place per key");
  for (std::size_t i = 0; i < keys.size(); i += group) {
    std::size_t const n = std::min(group, keys.size() - i);
    shards_[shard].intern(keys.subspan(i, n), hashes.subspan(i, n),
                          static_cast<std::uint32_t>(batch_no), refuse_new, out.subspan(i, n));
  }
}

std::string_view KeyDictionary::bytes_of(KeyId id) const {
  Shard const& shard = shards_[shard_of(id)];
  std::uint32_t const local = local_id(id);
  WINDROW_ASSERT(local < shard.slot_of.size() && shard.slot_of[local] != no_slot, "the id is live");
  return shard.key_of(shard.slots[shard.slot_of[local]]);
}

void KeyDictionary::recycle(std::span<KeyId const> freed, std::uint64_t batch_no) {
  std::array<bool, shards> touched{};
  for (KeyId const id : freed) {
    Shard& shard = shards_[shard_of(id)];
    std::uint32_t const local = local_id(id);
    if (local >= shard.slot_of.size() || shard.slot_of[local] == no_slot) {
      continue;
    }
    std::size_t const at = shard.slot_of[local];
    // A difference, since only the low halves are kept: right for 2^31 batches, years at 10 a
    // second.
    auto const ahead =
        static_cast<std::int32_t>(shard.slots[at].batch - static_cast<std::uint32_t>(batch_no));
    if (ahead > 0) {
      continue;
    }
    shard.erase(at);
    touched[shard_of(id)] = true;
  }
  for (std::uint32_t i = 0; i < shards; ++i) {
    if (touched[i]) {
      shards_[i].shrink();
    }
  }
}

std::size_t KeyDictionary::size() const {
  std::size_t keys = 0;
  for (std::uint32_t i = 0; i < shards; ++i) {
    keys += shards_[i].live;
  }
  return keys;
}

std::size_t KeyDictionary::bytes() const {
  std::size_t sum = 0;
  for (std::uint32_t i = 0; i < shards; ++i) {
    Shard const& s = shards_[i];
    sum += sizeof s + s.slots.capacity() * sizeof(Slot) + s.arena.capacity() +
           (s.slot_of.capacity() + s.free.capacity()) * sizeof(std::uint32_t);
  }
  return sum;
}

// A table is a quarter full at the least, vectors and the arena double.
std::size_t KeyDictionary::key_bytes_max(std::size_t length) {
  return 4 * sizeof(Slot) + 2 * 2 * sizeof(std::uint32_t) + (length > inline_max ? 2 * length : 0);
}

// Pieces "keys" of a shard: (id, batch, text) of every live key by ascending id.
void KeyDictionary::snapshot(SnapshotWriter& out) const {
  ByteWriter piece;
  for (std::uint32_t i = 0; i < shards; ++i) {
    Shard const& shard = shards_[i];
    for (std::uint32_t const at : shard.slot_of) {
      if (at == no_slot) {
        continue;
      }
      piece.put(shard.slots[at].id);
      piece.put(shard.slots[at].batch);
      piece.text(shard.key_of(shard.slots[at]));
      if (piece.bytes().size() >= piece_bytes) {
        out.piece("keys", i, piece.bytes());
        piece.clear();
      }
    }
    if (!piece.bytes().empty()) {
      out.piece("keys", i, piece.bytes());
    }
    piece.clear();
  }
}

void KeyDictionary::restore(SnapshotReader& in) {
  WINDROW_ASSERT(size() == 0, "a fresh dictionary is restored");
  std::string_view name, bytes;
  std::uint32_t number = 0;
  while (in.next(name, number, bytes)) {
    if (name != "keys" || number >= shards) {
      throw EnvironmentError("snapshot: unknown piece of a key dictionary: " + std::string(name),
                             74);
    }
    Shard& shard = shards_[number];
    ByteReader reader(bytes);
    while (!reader.empty()) {
      auto const id = reader.get<KeyId>();
      auto const batch = reader.get<std::uint32_t>();
      std::string_view const key = reader.text();
      std::uint64_t const hash = hash_of(key);
      std::uint32_t const local = local_id(id);
      if (local < shard.slot_of.size() || id == no_key || shard_of(id) != number ||
          shard_of_hash(hash) != number) {
        throw EnvironmentError(
            "snapshot: a key of a dictionary is out of order: id=" + std::to_string(id), 74);
      }
      shard.make_room(1);
      KeyWords const words = key.size() <= inline_max ? short_words(key) : KeyWords{};
      std::size_t const at = shard.find(key, words, hash);
      if (shard.slots[at].id != no_key) {
        throw EnvironmentError("snapshot: a key is twice in a dictionary: id=" + std::to_string(id),
                               74);
      }
      shard.slot_of.resize(local + 1, no_slot);
      shard.put(at, local, key, words, hash, batch);
    }
  }
  for (std::uint32_t i = 0; i < shards; ++i) {
    shards_[i].find_free();
  }
}

}  // namespace windrow
