// What `explain` and memory_limit say of memory, against what is really allocated.
#include "host/cpu/state_bytes.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "host/cpu/cpu_aggregation.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/latest_panes.hpp"
#include "host/plan/windowing.hpp"

namespace {
std::atomic<std::size_t> live{0};  // bytes, as the allocator rounds them
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  live += malloc_usable_size(memory);
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  void* const memory = std::aligned_alloc(static_cast<std::size_t>(alignment), size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  live += malloc_usable_size(memory);
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  void* const memory = std::malloc(size);
  live += malloc_usable_size(memory);
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  live -= malloc_usable_size(memory);
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  operator delete(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  operator delete(memory);
}

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::size_t rows_per_batch = 1024;
constexpr std::size_t scratch_max = 500'000;  // of one batch, which is no state

AggregationSpec spec_of(WindowFn windows, Trigger const& trigger = {}) {
  AggregationSpec spec;
  spec.windows = windows;
  spec.trigger = compile(trigger, windows.kind == WindowKind::sessions);
  spec.combines = {{CombineKind::count}, {CombineKind::mean, ValueType::number, 0}};
  spec.tombstones = windows.kind == WindowKind::sessions;
  return spec;
}
WindowFn fixed() { return {WindowKind::fixed, 60 * second, 60 * second, 0, 0}; }
WindowFn sliding() { return {WindowKind::sliding, 60 * second, 20 * second, 0, 0}; }
WindowFn sessions() { return {WindowKind::sessions, 0, 0, 0, 60 * second}; }
Trigger early() {
  Trigger delay{TriggerOp::after_processing_time};
  delay.transforms = {TimeTransform{.delay_us = 5 * second}};
  Trigger every{TriggerOp::element_count, 1};
  return {TriggerOp::after_end_of_window, 0, {}, {delay, every}, true, true};
}

// Key `i` of shard `i % 16`, as the dictionary numbers them.
KeyId key_of(std::size_t i) {
  std::size_t const dense = i / shards;
  return static_cast<KeyId>(((dense / 64) * shards + i % shards) * 64 + dense % 64);
}

struct Claim {
  char const* name;
  AggregationSpec spec;
};

class StateBytesTest : public ::testing::Test {
 protected:
  // Pushes one row per key and ends the batch.
  static void push(Aggregation& aggregation, AggregationSpec const& spec, std::size_t first,
                   std::size_t keys, std::int64_t at_s, Watermark w) {
    Column value{spec.combines[1].in};
    std::vector<EventTime> time;
    std::vector<KeyId> key;
    for (std::size_t k = first; k < first + keys; ++k) {
      key.push_back(key_of(k));
      time.push_back(EventTime{at_s * second});
      if (spec.combines[1].in == ValueType::string) {
        value.append_text(std::string(100, 'x'));
      } else {
        value.append(1.0);
      }
    }
    std::vector<ColumnView> const values{value.view()};
    aggregation.push({time, key, values, {}, {}, {}});
    aggregation.advance(w, ProcessingTime{0});
  }
  static std::vector<std::int64_t> counts(Aggregation& aggregation) {
    std::vector<std::int64_t> out;
    AggregationOutput output;
    for (bool more = true; more;) {
      more = aggregation.take_output(output);
      for (std::size_t i = 0; i < output.panes.size(); ++i) {
        out.push_back(output.panes.values[0].view().at(i).integer);
      }
    }
    return out;
  }

  // `keys` keys, one row each, at `times` times.
  static void hold(AggregationSpec const& spec, std::size_t keys, std::size_t times) {
    Workers workers(1);
    std::size_t const before = live;
    std::unique_ptr<Aggregation> const aggregation = make_cpu_aggregation(spec, workers);
    for (std::size_t at = 0; at < times; ++at) {
      for (std::size_t i = 0; i < keys; i += rows_per_batch) {
        push(*aggregation, spec, i, std::min(rows_per_batch, keys - i),
             static_cast<std::int64_t>(at) * 600, T_MIN);
        counts(*aggregation);
      }
    }
    AggregationStats const stats = aggregation->stats();
    std::size_t const bytes = live - before;
    CellBytes const cell = cpu_cell_bytes(spec);
    std::size_t const windows = spec.windows.kind == WindowKind::sliding ? 3 * times : times;
    EXPECT_EQ(stats.keys, keys);
    EXPECT_GE(bytes, stats.cells * cell.record);
    EXPECT_LE(bytes, stats.cells * cell.most + keys * cpu_key_bytes_max(spec) +
                         windows * cell.window + scratch_max);
    // The account is what is allocated, but for scratch and for what malloc rounds up.
    EXPECT_LE(stats.host_bytes, bytes);
    EXPECT_GE(stats.host_bytes + scratch_max, bytes - bytes / 10);
  }
};

TEST_F(StateBytesTest, AStepHoldsWhatItIsSaidToCost) {
  for (std::size_t const keys : {100'000U, 131'072U, 140'000U}) {
    for (auto const& [name, spec] :
         {Claim{"fixed", spec_of(fixed())}, Claim{"fixed early", spec_of(fixed(), early())},
          Claim{"sliding", spec_of(sliding())}, Claim{"sessions", spec_of(sessions())},
          Claim{"sessions early", spec_of(sessions(), early())}}) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(keys));
      hold(spec, keys, 1);
    }
  }
}

TEST_F(StateBytesTest, ManyWindowsOfFewKeysCostWhatTheirWindowsAreSaidToCost) {
  hold(spec_of(fixed()), 16, 5'000);
  hold(spec_of(sessions()), 16, 500);  // a batch looks at all sessions of its keys
}

// Only the account can say what lists hold.
TEST_F(StateBytesTest, TheAccountOfListsIsWhatTheyHold) {
  for (CombineKind const kind :
       {CombineKind::group, CombineKind::concat, CombineKind::max, CombineKind::first}) {
    SCOPED_TRACE(static_cast<int>(kind));
    AggregationSpec spec = spec_of(fixed());
    spec.combines[1] = {kind, ValueType::string, 0};
    Workers workers(1);
    std::size_t const before = live;
    std::unique_ptr<Aggregation> const aggregation = make_cpu_aggregation(spec, workers);
    for (int batch = 0; batch < 50; ++batch) {
      push(*aggregation, spec, 0, rows_per_batch, 0, T_MIN);
      counts(*aggregation);
    }
    std::size_t const bytes = live - before;
    auto const said = static_cast<double>(aggregation->stats().host_bytes);
    EXPECT_GT(said, 100.0 * rows_per_batch);
    EXPECT_NEAR(said, static_cast<double>(bytes), static_cast<double>(bytes) / 10 + scratch_max);
    push(*aggregation, spec, 0, 1, 100, EventTime{90 * second});
    counts(*aggregation);
    EXPECT_LT(aggregation->stats().host_bytes, 1'000'000U);
  }
}

// As whole tables of registers (12) and as lists of them (18).
TEST_F(StateBytesTest, TheAccountOfSketchesIsWhatTheyHold) {
  for (std::uint32_t const n : {12U, 18U}) {  // precision, and buckets
    SCOPED_TRACE(n);
    AggregationSpec spec = spec_of(fixed());
    spec.combines = {{CombineKind::count},
                     {CombineKind::approx_distinct, ValueType::integer, 0, n},
                     {CombineKind::approx_quantile, ValueType::integer, 0, n}};
    Workers workers(1);
    std::size_t const before = live;
    std::unique_ptr<Aggregation> const aggregation = make_cpu_aggregation(spec, workers);
    std::int64_t const values = 700;
    for (std::int64_t value = 0; value < values; ++value) {
      Column column{ValueType::integer};
      std::vector<EventTime> const time(rows_per_batch);
      std::vector<KeyId> key;
      for (std::size_t k = 0; k < rows_per_batch; ++k) {
        key.push_back(key_of(k));
        column.append(value << (k % 32));
      }
      ColumnView const view = column.view();
      aggregation->push({time, key, {&view, 1}, {}, {}, {}});
      aggregation->advance(T_MIN, ProcessingTime{0});
      counts(*aggregation);
    }
    std::size_t const bytes = live - before;
    auto const said = static_cast<double>(aggregation->stats().host_bytes);
    EXPECT_NEAR(said, static_cast<double>(bytes), static_cast<double>(bytes) / 10 + scratch_max);
    EXPECT_GT(said, 5'000.0 * rows_per_batch);
    aggregation->advance(T_MAX, ProcessingTime{0});
    EXPECT_EQ(counts(*aggregation), std::vector<std::int64_t>(rows_per_batch, values));
    EXPECT_LT(aggregation->stats().host_bytes, 1'000'000U);
  }
}

TEST_F(StateBytesTest, SessionsThatAreGoneGiveTheirMemoryBackAndTheOthersStayWhatTheyAre) {
  AggregationSpec const spec = spec_of(sessions(), early());
  Workers workers(1);
  std::unique_ptr<Aggregation> const aggregation = make_cpu_aggregation(spec, workers);
  constexpr std::size_t all = 50'000, some = 100;
  push(*aggregation, spec, 0, all, 0, T_MIN);
  counts(*aggregation);
  push(*aggregation, spec, 0, some, 1000, T_MIN);
  counts(*aggregation);
  AggregationStats const peak = aggregation->stats();
  push(*aggregation, spec, 0, some, 1010, EventTime{500 * second});
  EXPECT_EQ(counts(*aggregation).size(), all);
  AggregationStats const left = aggregation->stats();
  EXPECT_EQ(left.windows_with_state, some);
  EXPECT_LT(left.host_bytes, peak.host_bytes / 4);
  push(*aggregation, spec, 0, some / 2, 1060, EventTime{600 * second});  // joins what was packed
  counts(*aggregation);
  aggregation->advance(EventTime{1075 * second}, ProcessingTime{0});
  EXPECT_EQ(counts(*aggregation), std::vector<std::int64_t>(some / 2, 2));
  aggregation->advance(T_MAX, ProcessingTime{0});
  EXPECT_EQ(counts(*aggregation), std::vector<std::int64_t>(some / 2, 3));
  EXPECT_EQ(aggregation->stats().windows_with_state, 0U);
}

TEST_F(StateBytesTest, TheDictionaryHoldsWhatAKeyIsSaidToCost) {
  for (std::size_t const length : {8U, 40U}) {
    for (std::size_t const keys : {100'000U, 131'072U, 140'000U}) {
      SCOPED_TRACE(std::to_string(keys) + " of " + std::to_string(length));
      std::size_t const before = live;
      KeyDictionary dictionary;
      for (std::size_t i = 0; i < keys; ++i) {
        std::string text = std::to_string(i);
        text.resize(length, '.');
        std::string_view const key = text;
        std::uint64_t const hash = hash_of(key);
        KeyId id = 0;
        dictionary.intern(shard_of_hash(hash), {&key, 1}, {&hash, 1}, 1, false, {&id, 1});
      }
      std::size_t const bytes = live - before;
      EXPECT_LE(bytes, keys * KeyDictionary::key_bytes_max(length) + 100'000);
      EXPECT_NEAR(static_cast<double>(dictionary.bytes()), static_cast<double>(bytes),
                  static_cast<double>(bytes) / 50);
    }
  }
}

TEST_F(StateBytesTest, LatestPanesHoldWhatAPaneIsSaidToCost) {
  std::size_t const panes = 100'000;
  std::size_t const before = live;
  LatestPanes latest(0, {ValueType::integer}, false);
  EventBatch out;
  out.reset(Schema{{{"n", {ValueType::integer, {}}, true}}});
  std::vector<KeyId> out_key;
  EventBatch rows;
  for (std::size_t i = 0; i < panes; ++i) {
    rows.reset(Schema{{{"n", {ValueType::integer, {}}, true}}});
    rows.columns[0].append(std::int64_t{1});
    rows.event_time.push_back(EventTime{1});
    rows.window.push_back({EventTime{0}, EventTime{2}});
    rows.info.emplace_back();
    rows.deleted.push_back(0);
    KeyId const key = key_of(i);
    out.reset(Schema{{{"n", {ValueType::integer, {}}, true}}});
    out_key.clear();
    latest.replace({&key, 1}, rows.view(), out, out_key);
  }
  std::size_t const bytes = live - before;
  EXPECT_LE(bytes, panes * LatestPanes::pane_bytes_max + 100'000);
  EXPECT_NEAR(static_cast<double>(latest.bytes()), static_cast<double>(bytes),
              static_cast<double>(bytes) / 10);
}

}  // namespace
}  // namespace windrow
