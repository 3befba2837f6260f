// The records of one window: found again whatever index the slab has.
#include "host/cpu/slab.hpp"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

#include "host/plan/windowing.hpp"

namespace windrow::cpu {
namespace {

AggregationSpec counting() {
  AggregationSpec spec;
  spec.trigger = compile({}, false);
  spec.combines.push_back({CombineKind::count, ValueType::integer, 0});
  return spec;
}

// Key `i` of shard 3, as the dictionary gives ids.
KeyId key_of(std::size_t i) { return static_cast<KeyId>(((i / 64) * shards + 3) * 64 + i % 64); }

// Keys drawn from [0, range): dense or sparse, few or many; the slab serves several windows.
void check(std::size_t range, std::size_t draws) {
  RecordLayout const layout(counting());
  std::mt19937_64 random(range);
  Slab slab;
  for (int window = 0; window < 3; ++window) {
    std::unordered_map<KeyId, std::uint32_t> expected;
    for (std::size_t i = 0; i < draws; ++i) {
      // Ever larger keys, so that a direct index meets keys beyond its end.
      std::size_t const below = std::max<std::size_t>(1, range * (i + 1) / draws);
      KeyId const key = key_of(random() % below);
      auto const [at, fresh] = expected.emplace(key, static_cast<std::uint32_t>(expected.size()));
      bool created = false;
      std::uint32_t const record = slab.find_or_create(layout, key, created);
      ASSERT_EQ(record, at->second) << "range " << range << " draw " << i;
      ASSERT_EQ(created, fresh);
      std::byte* const bytes = slab.record(layout, record);
      ASSERT_EQ(RecordLayout::head(bytes).key, key);
      if (slab.size() > 8) {  // open addressing hints at whatever is in the first slot
        ASSERT_NE(slab.slot_place(key), nullptr);
      }
    }
    ASSERT_EQ(slab.size(), expected.size());
    slab.reset(window == 0);
  }
}

TEST(SlabTest, RecordsAreFoundAgainUnderEveryIndex) {
  for (std::size_t const range : {1U, 8U, 9U, 64U, 1000U, 50'000U, 5'000'000U}) {
    check(range, 20'000);
  }
}

}  // namespace
}  // namespace windrow::cpu
