// The key dictionary against a map, over interning, recycling and a snapshot.
#include "host/engine/key_dictionary.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/memory_pieces.hpp"

namespace windrow {
namespace {

// Interns keys of any shard; ids in the order of the keys.
std::vector<KeyId> intern(KeyDictionary& dictionary, std::vector<std::string> const& keys,
                          std::uint64_t batch, bool refuse_new = false) {
  std::array<std::vector<std::string_view>, shards> by_shard;
  std::array<std::vector<std::uint64_t>, shards> hashes;
  std::array<std::vector<std::size_t>, shards> rows;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::uint64_t const hash = hash_of(keys[i]);
    std::uint32_t const shard = shard_of_hash(hash);
    by_shard[shard].push_back(keys[i]);
    hashes[shard].push_back(hash);
    rows[shard].push_back(i);
  }
  std::vector<KeyId> ids(keys.size());
  for (std::uint32_t s = 0; s < shards; ++s) {
    std::vector<KeyId> out(by_shard[s].size());
    dictionary.intern(s, by_shard[s], hashes[s], batch, refuse_new, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      ids[rows[s][i]] = out[i];
    }
  }
  return ids;
}

}  // namespace

TEST(KeyDictionaryTest, KeysOfEveryLengthAreExactAndComeBack) {
  KeyDictionary dictionary;
  std::vector<std::string> keys;
  for (std::size_t n = 0; n <= 40; ++n) {
    keys.push_back(std::string(n, '\0'));
    keys.push_back(std::string(n, 'a'));
    if (n > 0) {
      keys.push_back(std::string(n - 1, 'a') + '\xff');
      keys.push_back('\xff' + std::string(n - 1, '\0') + 'b');
    }
  }
  std::set<std::string> const distinct(keys.begin(), keys.end());
  std::vector<KeyId> const ids = intern(dictionary, keys, 1);
  EXPECT_EQ(dictionary.size(), distinct.size());
  std::map<KeyId, std::string> named;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(dictionary.bytes_of(ids[i]), keys[i]);
    EXPECT_EQ(shard_of(ids[i]), shard_of_hash(hash_of(keys[i])));
    EXPECT_TRUE(named.try_emplace(ids[i], keys[i]).first->second == keys[i]);
  }
  EXPECT_EQ(intern(dictionary, keys, 2), ids);
}

TEST(KeyDictionaryTest, IdsAreDensePerShard) {
  KeyDictionary dictionary;
  std::vector<std::string> keys;
  for (int i = 0; i < 20000; ++i) {
    keys.push_back(std::to_string(i));
  }
  std::array<std::set<std::uint32_t>, shards> local;
  for (KeyId const id : intern(dictionary, keys, 1)) {
    local[shard_of(id)].insert(id / 64 / shards * 64 + id % 64);
  }
  for (auto const& ids : local) {
    EXPECT_EQ(*ids.rbegin() + 1, ids.size());
  }
}

TEST(KeyDictionaryTest, RefusedKeysGetNoIdButKnownOnesKeepTheirs) {
  KeyDictionary dictionary;
  std::vector<KeyId> const ids = intern(dictionary, {"a", "a long key of more bytes"}, 1);
  std::vector<KeyId> const again =
      intern(dictionary, {"a", "b", "a long key of more bytes", "another long key here"}, 2, true);
  EXPECT_EQ(again,
            (std::vector<KeyId>{ids[0], KeyDictionary::no_key, ids[1], KeyDictionary::no_key}));
  EXPECT_EQ(dictionary.size(), 2U);
}

TEST(KeyDictionaryTest, AnIdThatALaterBatchUsesIsNotRecycled) {
  KeyDictionary dictionary;
  KeyId const id = intern(dictionary, {"a"}, 1)[0];
  intern(dictionary, {"a"}, 3);
  dictionary.recycle(std::vector<KeyId>{id}, 2);  // batch 3 is in flight
  EXPECT_EQ(dictionary.bytes_of(id), "a");
  dictionary.recycle(std::vector<KeyId>{id}, 3);
  EXPECT_EQ(dictionary.size(), 0U);
  dictionary.recycle(std::vector<KeyId>{id, id}, 3);  // already free
  EXPECT_EQ(dictionary.size(), 0U);
}

TEST(KeyDictionaryTest, TenMillionRecycledKeysLeaveItEmptyAndSmall) {
  KeyDictionary dictionary;
  std::size_t const start = dictionary.bytes();
  constexpr std::size_t batch = 1 << 16U, batches = 153;  // 10.03 M
  std::size_t largest = 0;
  std::array<std::vector<std::string_view>, shards> keys;
  std::array<std::vector<std::uint64_t>, shards> hashes;
  std::deque<std::vector<KeyId>> live;
  std::vector<KeyId> ids;
  for (std::size_t b = 0; b < batches; ++b) {
    std::vector<std::array<char, 24>> text(batch);
    for (std::size_t i = 0; i < batch; ++i) {
      // Half of the keys are long.
      std::size_t const n = i % 2 == 0 ? 9 : 24;
      text[i].fill('k');
      std::uint64_t const number = b * batch + i;
      std::copy_n(reinterpret_cast<char const*>(&number), 8, text[i].begin() + 1);
      std::string_view const key(text[i].data(), n);
      std::uint64_t const hash = hash_of(key);
      keys[shard_of_hash(hash)].push_back(key);
      hashes[shard_of_hash(hash)].push_back(hash);
    }
    live.emplace_back();
    for (std::uint32_t s = 0; s < shards; ++s) {
      ids.resize(keys[s].size());
      dictionary.intern(s, keys[s], hashes[s], b, false, ids);
      live.back().insert(live.back().end(), ids.begin(), ids.end());
      keys[s].clear();
      hashes[s].clear();
    }
    largest = std::max(largest, dictionary.bytes());
    if (live.size() == 3) {
      dictionary.recycle(live.front(), b);
      live.pop_front();
    }
  }
  for (std::vector<KeyId> const& last : live) {
    dictionary.recycle(last, batches);
  }
  EXPECT_EQ(dictionary.size(), 0U);
  EXPECT_EQ(dictionary.bytes(), start);
  // Three batches live at most: 64 B of slots (load 0.25 to 0.5: up to 128) and 24 B of text each.
  EXPECT_LT(largest, start + 3 * batch * (128 + 3 * 24));
}

TEST(KeyDictionaryTest, ManyKeysAtOnceGiveTheirMemoryBack) {
  KeyDictionary dictionary;
  std::vector<std::string> keys;
  for (int i = 0; i < 100000; ++i) {
    keys.push_back("a key of more than fifteen bytes " + std::to_string(i));
  }
  std::vector<KeyId> ids = intern(dictionary, keys, 1);
  std::size_t const full = dictionary.bytes();
  KeyId const kept = ids.back();
  ids.pop_back();
  dictionary.recycle(ids, 1);
  EXPECT_EQ(dictionary.size(), 1U);
  EXPECT_EQ(dictionary.bytes_of(kept), keys.back());
  EXPECT_LT(dictionary.bytes(), full / 20);
}

// Random interning and recycling, mirrored in a map; now and then through a snapshot.
RC_GTEST_PROP(KeyDictionaryTest, ItIsAnExactMapWhateverIsRecycled, ()) {
  KeyDictionary dictionary;
  std::map<std::string, KeyId> model;
  std::map<std::string, std::uint64_t> last_batch;
  for (std::uint64_t batch = 1; batch <= 30; ++batch) {
    int const n = *rc::gen::inRange(0, 300);
    int const range = *rc::gen::element(20, 400, 100000);
    auto const picks = *rc::gen::container<std::vector<int>>(static_cast<std::size_t>(n),
                                                             rc::gen::inRange(0, range));
    std::vector<std::string> keys;
    for (int const pick : picks) {
      keys.push_back(std::string(static_cast<std::size_t>(pick % 23), 'x') + std::to_string(pick));
    }
    std::vector<KeyId> const ids = intern(dictionary, keys, batch);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      RC_ASSERT(model.try_emplace(keys[i], ids[i]).first->second == ids[i]);
      last_batch[keys[i]] = batch;
    }
    std::set<KeyId> distinct;
    for (auto const& [key, id] : model) {
      RC_ASSERT(dictionary.bytes_of(id) == key);
      distinct.insert(id);
    }
    RC_ASSERT(distinct.size() == model.size());
    // Free a share of all keys; those of the current batch stay when it is in flight.
    int const share = *rc::gen::inRange(0, 5);
    bool const in_flight = *rc::gen::arbitrary<bool>();
    std::vector<KeyId> freed;
    for (auto it = model.begin(); it != model.end();) {
      bool const free = static_cast<int>(it->second % 4) < share;
      if (free) {
        freed.push_back(it->second);
      }
      it = free && (!in_flight || last_batch[it->first] < batch) ? model.erase(it) : std::next(it);
    }
    dictionary.recycle(freed, in_flight ? batch - 1 : batch);
    RC_ASSERT(dictionary.size() == model.size());
    if (batch % 7 == 0) {
      MemoryPieces pieces;
      dictionary.snapshot(pieces);
      KeyDictionary fresh;
      fresh.restore(pieces);
      dictionary = std::move(fresh);
    }
  }
}

TEST(KeyDictionaryTest, AWrongSnapshotIsAnErrorOfTheWorld) {
  ByteWriter piece;
  piece.put(KeyId{64});  // shard 1
  piece.put(std::uint32_t{0});
  piece.text("a");
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    if (shard == 1 && shard_of_hash(hash_of("a")) == 1) {
      continue;
    }
    MemoryPieces pieces;
    pieces.piece("keys", shard, piece.bytes());
    KeyDictionary dictionary;
    EXPECT_THROW(dictionary.restore(pieces), EnvironmentError);
  }
  MemoryPieces pieces;
  pieces.piece("other", 0, "");
  KeyDictionary dictionary;
  EXPECT_THROW(dictionary.restore(pieces), EnvironmentError);
}

}  // namespace windrow
