// Look-ups in the key dictionary: 9 byte keys, uniform, steady state, one thread
// (performance.md 2.5).
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "host/engine/key_dictionary.hpp"

namespace {

using namespace windrow;

// One batch of rows, keys by shard, as the row stage hands them over.
struct Rows {
  std::vector<char> text;
  std::array<std::vector<std::string_view>, shards> keys;
  std::array<std::vector<std::uint64_t>, shards> hashes;
};
constexpr std::size_t batch_rows = 65536, key_bytes = 9;

void fill(Rows& rows, std::size_t key_count, std::mt19937_64& random, std::uint64_t first,
          bool in_order) {
  rows.text.resize(batch_rows * (key_bytes + 1));
  for (std::uint32_t s = 0; s < shards; ++s) {
    rows.keys[s].clear();
    rows.hashes[s].clear();
  }
  for (std::size_t i = 0; i < batch_rows; ++i) {
    char* const p = rows.text.data() + i * (key_bytes + 1);
    std::uint64_t const number = (in_order ? first + i : random()) % key_count;
    std::snprintf(p, key_bytes + 1, "k%08u", static_cast<unsigned>(number));
    std::string_view const key(p, key_bytes);
    std::uint64_t const hash = hash_of(key);
    rows.keys[shard_of_hash(hash)].push_back(key);
    rows.hashes[shard_of_hash(hash)].push_back(hash);
  }
}

void intern(KeyDictionary& dictionary, Rows const& rows, std::vector<KeyId>& ids) {
  for (std::uint32_t s = 0; s < shards; ++s) {
    ids.resize(rows.keys[s].size());
    dictionary.intern(s, rows.keys[s], rows.hashes[s], 1, false, ids);
    benchmark::DoNotOptimize(ids.data());
  }
}

void BM_Intern(benchmark::State& state) {
  auto const key_count = static_cast<std::size_t>(state.range(0));
  KeyDictionary dictionary;
  std::mt19937_64 random(42);
  std::vector<KeyId> ids;
  std::vector<Rows> batches(8);
  for (std::uint64_t first = 0; first < key_count; first += batch_rows) {
    fill(batches[0], key_count, random, first, true);
    intern(dictionary, batches[0], ids);
  }
  for (Rows& rows : batches) {
    fill(rows, key_count, random, 0, false);
  }
  std::size_t at = 0;
  for (auto _ : state) {
    intern(dictionary, batches[at++ % batches.size()], ids);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_rows));
  state.counters["bytes/key"] =
      static_cast<double>(dictionary.bytes()) / static_cast<double>(dictionary.size());
}
BENCHMARK(BM_Intern)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Arg(10'000'000);

}  // namespace
