// A device without memory: the batch in pieces, then the step on the CPU, nothing lost and nothing
// doubled, whichever allocation fails.
#include "kernels/fallback_aggregation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "host/cpu/cpu_aggregation.hpp"
#include "host/plan/windowing.hpp"
#include "kernels/primitives/twin_device.hpp"
#include "kernels/session_aggregation.hpp"
#include "kernels/slab_aggregation.hpp"

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr DeviceOptions small{.panes = 1024, .pairs = 4096, .cells_per_part = 1000};

WindowFn fixed() { return {WindowKind::fixed, 10 * second, 10 * second, 0, 0}; }
WindowFn many() { return {WindowKind::fixed, second, second, 0, 0}; }
WindowFn sliding() { return {WindowKind::sliding, 30 * second, 10 * second, 0, 0}; }
WindowFn sessions() { return {WindowKind::sessions, 0, 0, 0, 2 * second}; }

//   in_order  also aggregates that depend on the order of rows, which a device sorts
AggregationSpec step_of(WindowFn windows, bool in_order, bool withdrawals = false) {
  AggregationSpec spec;
  spec.windows = windows;
  spec.trigger = compile(Trigger{}, windows.kind == WindowKind::sessions);
  spec.lateness.us = 15 * second;
  spec.combines = {{CombineKind::count}, {CombineKind::sum, ValueType::integer, 1}};
  if (!withdrawals) {
    spec.combines.push_back({CombineKind::max, ValueType::number, 2});
    spec.combines.push_back({CombineKind::any, ValueType::boolean, 3});
  }
  if (in_order) {
    spec.combines.push_back({CombineKind::first, ValueType::integer, 1});
    spec.combines.push_back({CombineKind::last, ValueType::integer, 1});
  }
  spec.tombstones = windows.kind == WindowKind::sessions;
  spec.withdrawals = withdrawals;
  return spec;
}

// Column 0 is one that no combine reads.
struct Rows {
  std::vector<EventTime> time;
  std::vector<KeyId> key;
  std::vector<Column> values{Column(ValueType::string), Column(ValueType::integer),
                             Column(ValueType::number), Column(ValueType::boolean)};
  std::vector<std::int8_t> weight;
  void append(Rows const& more) {
    time.insert(time.end(), more.time.begin(), more.time.end());
    key.insert(key.end(), more.key.begin(), more.key.end());
    for (std::size_t c = 0; c < values.size(); ++c) {
      values[c].append_all(more.values[c]);
    }
  }
};

// Batch b, of rows in no order, some of them late, with more keys from batch to batch.
Rows rows_of(std::size_t b, bool withdrawals) {
  constexpr std::size_t sizes[] = {40, 3000, 0, 700, 5000, 1300};
  Rows rows;
  std::uint64_t state = 42 + b;
  for (std::size_t i = 0; i < sizes[b % std::size(sizes)]; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    auto const random = static_cast<std::uint32_t>(state >> 33U);
    auto const key = static_cast<KeyId>(random % (100 + 400 * b));
    auto const back = static_cast<std::int64_t>(random / 7919 % 40'000'000);
    std::size_t const times = withdrawals && i % 5 == 0 ? 2 : 1;  // the second takes the first back
    for (std::size_t t = 0; t < times; ++t) {
      rows.time.push_back(
          EventTime{static_cast<std::int64_t>(b) * 12 * second + 12 * second - back});
      rows.key.push_back(key);
      rows.weight.push_back(t == 0 ? 1 : -1);
      rows.values[0].append_text("unused");
      if (i % 7 == 0) {
        rows.values[1].append_null();
      } else {
        rows.values[1].append(static_cast<std::int64_t>(random % 1000) - 500);
      }
      rows.values[2].append(static_cast<double>(random % 997) / 8);
      i % 11 == 0 ? rows.values[3].append_null() : rows.values[3].append(random % 3 == 0);
    }
  }
  return rows;
}

void push(Aggregation& step, Rows const& rows, std::size_t begin, std::size_t end, bool weights) {
  std::vector<Column> part{Column(ValueType::string), Column(ValueType::integer),
                           Column(ValueType::number), Column(ValueType::boolean)};
  std::vector<ColumnView> views;
  for (std::size_t c = 0; c < part.size(); ++c) {
    for (std::size_t i = begin; i < end; ++i) {
      part[c].append(rows.values[c].view(), i);
    }
    views.push_back(part[c].view());
  }
  KeyedBatchView view{std::span(rows.time).subspan(begin, end - begin),
                      std::span(rows.key).subspan(begin, end - begin),
                      views,
                      {},
                      {}};
  if (weights) {
    view.weight = std::span(rows.weight).subspan(begin, end - begin);
  }
  step.push(view);
}

// What came out of one batch, in an order of its own.
std::vector<std::string> lines_of(AggregationOutput const& out) {
  std::vector<std::string> lines;
  PaneBatch const& panes = out.panes;
  for (std::size_t i = 0; i < panes.size(); ++i) {
    std::string line =
        std::to_string(panes.key[i]) + " " + std::to_string(panes.window[i].start.us) + " " +
        std::to_string(panes.timestamp[i].us) + " " +
        (panes.deleted[i] != 0 ? "tombstone"
                               : std::to_string(static_cast<int>(panes.info[i].timing)) + " #" +
                                     std::to_string(panes.info[i].index));
    for (Column const& column : panes.values) {
      line += " ";
      Scalar const value = column.view().at(i);
      value.is_null() ? static_cast<void>(line += "null") : append_json(value, line);
    }
    lines.push_back(std::move(line));
  }
  for (DroppedRun const& run : out.dropped) {
    lines.push_back("dropped " + std::to_string(run.row) + " " +
                    std::to_string(run.window.start.us) + " " + std::to_string(run.windows));
  }
  for (KeyId const key : out.freed) {
    lines.push_back("freed " + std::to_string(key));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> take(Aggregation& step) {
  AggregationOutput all, part;
  bool more = step.take_output(all);
  while (more) {
    more = step.take_output(part);
    all.append(part);
  }
  std::vector<std::string> lines = lines_of(all);
  AggregationStats const s = step.stats();
  for (std::uint64_t const counter :
       {s.rows, s.late, s.assigned, s.aggregated, s.dropped_late, s.panes_on_time, s.panes_late,
        s.tombstones, s.evaluations, s.cells, s.keys}) {
    lines.push_back(std::to_string(counter));
  }
  lines.push_back(std::to_string(step.output_watermark().us) + " " +
                  std::to_string(step.next_wakeup().event_time.us));
  return lines;
}

constexpr std::size_t batches = 6;

// Batches [from, batches), each in two pushes, and the end.
std::vector<std::vector<std::string>> play(Aggregation& step, bool withdrawals,
                                           std::size_t from = 0, std::size_t until = batches) {
  std::vector<std::vector<std::string>> out;
  for (std::size_t b = from; b < until; ++b) {
    Rows const rows = rows_of(b, withdrawals);
    std::size_t const n = rows.time.size();
    push(step, rows, 0, n / 3, false);
    push(step, rows, n / 3, n, withdrawals);
    step.advance(EventTime{static_cast<std::int64_t>(b) * 12 * second}, ProcessingTime{0});
    out.push_back(take(step));
  }
  if (until == batches) {
    step.advance(T_MAX, ProcessingTime{0});
    out.push_back(take(step));
  }
  return out;
}

// Two batches of 40,000 rows of few keys.
std::vector<std::vector<std::string>> play_large(Aggregation& step) {
  std::vector<std::vector<std::string>> out;
  for (std::size_t b = 0; b < 2; ++b) {
    Rows all;
    for (std::size_t i = 0; i < 8; ++i) {
      all.append(rows_of(4, false));
    }
    for (KeyId& key : all.key) {
      key %= 50;
    }
    push(step, all, 0, all.time.size(), false);
    step.advance(EventTime{static_cast<std::int64_t>(b) * 60 * second}, ProcessingTime{0});
    out.push_back(take(step));
  }
  return out;
}

std::unique_ptr<DeviceStep> on(std::unique_ptr<TwinDevice> device, AggregationSpec const& spec) {
  if (spec.windows.kind == WindowKind::sessions) {
    return std::make_unique<gpu::SessionAggregation<TwinDevice>>(spec, std::move(device), small);
  }
  return std::make_unique<gpu::SlabAggregation<TwinDevice>>(spec, std::move(device), small);
}

class FallbackAggregationTest : public ::testing::Test {
 protected:
  // On a device of so many bytes whose n-th allocation fails (0: none does).
  std::unique_ptr<Aggregation> step(AggregationSpec const& spec, std::uint64_t n,
                                    std::size_t budget = SIZE_MAX) {
    told_.clear();
    return make_fallback_aggregation(
        {.make_device =
             [=] {
               auto device = std::make_unique<TwinDevice>(budget);
               device->fail_allocation(n);
               return on(std::move(device), spec);
             },
         .make_cpu = [this, spec] { return make_cpu_aggregation(spec, workers_); },
         .on_move = [this](std::string const& reason) { told_.push_back(reason); }});
  }
  // Every allocation of a whole run fails once.
  void fail_all(AggregationSpec const& spec, bool goes_in_pieces) {
    auto const cpu = make_cpu_aggregation(spec, workers_);
    auto const expected = play(*cpu, spec.withdrawals);
    int moved = 0, in_pieces = 0;
    for (std::uint64_t n = 1;; ++n) {
      ASSERT_LT(n, 1000U);
      auto const aggregation = step(spec, n);
      auto const found = play(*aggregation, spec.withdrawals);
      ASSERT_EQ(found, expected) << "allocation " << n;
      AggregationBackend const backend = aggregation->backend();
      ASSERT_EQ(backend.moved.empty() ? 0U : 1U, told_.size());
      ASSERT_EQ(backend.name, backend.moved.empty() ? "twin" : "cpu");
      if (backend.moved.empty() && backend.halved == 0) {
        break;  // none has failed
      }
      ++(backend.moved.empty() ? in_pieces : moved);
    }
    EXPECT_GT(moved, 10);
    EXPECT_EQ(in_pieces > 0, goes_in_pieces);
  }

  Workers workers_{1};
  std::vector<std::string> told_;
};

TEST_F(FallbackAggregationTest, WhicheverAllocationOfFixedWindowsFailsNothingIsLostOrDoubled) {
  fail_all(step_of(fixed(), false), true);
}
TEST_F(FallbackAggregationTest, WhicheverAllocationOfManyWindowsFailsNothingIsLostOrDoubled) {
  fail_all(step_of(many(), false), true);
}
TEST_F(FallbackAggregationTest, WhicheverAllocationOfSlidingWindowsFailsNothingIsLostOrDoubled) {
  fail_all(step_of(sliding(), true), true);
}
TEST_F(FallbackAggregationTest, WhicheverAllocationUnderWithdrawalsFailsNothingIsLostOrDoubled) {
  fail_all(step_of(sliding(), false, true), true);
}
TEST_F(FallbackAggregationTest, WhicheverAllocationOfSessionsFailsNothingIsLostOrDoubled) {
  fail_all(step_of(sessions(), true), false);
}

// Of the rows of large batches only a piece need be there at a time.
TEST_F(FallbackAggregationTest, ASmallDeviceTakesPiecesAndASmallerOneLeavesTheStepToTheCpu) {
  for (WindowFn const& windows : {fixed(), sliding()}) {
    AggregationSpec const spec = step_of(windows, false);
    auto const cpu = make_cpu_aggregation(spec, workers_);
    auto const expected = play_large(*cpu);
    auto const whole = step(spec, 0);
    ASSERT_EQ(play_large(*whole), expected);
    ASSERT_EQ(whole->backend().halved, 0U);
    std::size_t const enough = whole->stats().device_bytes;
    int at_start = 0, later = 0, in_pieces = 0, whole_batches = 0;
    for (std::size_t part = 1; part <= 22; ++part) {
      auto const aggregation = step(spec, 0, enough * part * part / 400);
      bool const began = aggregation->backend().moved.empty();
      ASSERT_EQ(play_large(*aggregation), expected) << "budget " << enough * part * part / 400;
      AggregationBackend const backend = aggregation->backend();
      ++(!began                   ? at_start
         : !backend.moved.empty() ? later
         : backend.halved > 0     ? in_pieces
                                  : whole_batches);
    }
    EXPECT_GT(at_start, 0);
    EXPECT_GT(later, 0);
    EXPECT_GT(in_pieces, 0);
    EXPECT_GT(whole_batches, 0);
  }
}

TEST_F(FallbackAggregationTest, ARestoreWithoutMemoryGoesOnOnTheCpu) {
  for (WindowFn const& windows : {fixed(), sessions()}) {
    AggregationSpec const spec = step_of(windows, false);
    auto const cpu = make_cpu_aggregation(spec, workers_);
    play(*cpu, false, 0, 3);
    MemoryPieces saved;
    cpu->snapshot(saved);
    auto const expected = play(*cpu, false, 3);
    int moved = 0;
    for (std::uint64_t n = 1;; ++n) {
      ASSERT_LT(n, 1000U);
      auto const aggregation = step(spec, n);
      bool const began = aggregation->backend().moved.empty();
      saved.rewind();
      aggregation->restore(saved);
      moved += began && !aggregation->backend().moved.empty() ? 1 : 0;
      ASSERT_EQ(play(*aggregation, false, 3), expected) << "allocation " << n;
      if (aggregation->backend().moved.empty() && aggregation->backend().halved == 0) {
        break;
      }
    }
    EXPECT_GT(moved, 3);
  }
}

TEST_F(FallbackAggregationTest, WhoAsksForADeviceMayRefuseTheMove) {
  AggregationSpec const spec = step_of(fixed(), false);
  auto const refuse = [](std::string const& reason) { throw EnvironmentError(reason, 75); };
  for (std::size_t const budget : {std::size_t{1000}, std::size_t{1'000'000}}) {
    try {
      auto const aggregation = make_fallback_aggregation(
          {.make_device = [&] { return on(std::make_unique<TwinDevice>(budget), spec); },
           .make_cpu = [&] { return make_cpu_aggregation(spec, workers_); },
           .on_move = refuse});
      play(*aggregation, false);
      FAIL() << "it fits into " << budget;
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), 75);
      EXPECT_NE(std::string(error.what()).find("the device has no memory"), std::string::npos);
    }
  }
}

// A twin whose every call fails after a while.
class LostDevice : public TwinDevice {
 public:
  void synchronise() {
    if (calls_++ > 20) {
      throw DeviceLost("gpu: a call should succeed: device=lost");
    }
  }

 private:
  int calls_ = 0;
};

TEST_F(FallbackAggregationTest, ALostDeviceIsAnErrorThatATryAgainMayMend) {
  AggregationSpec const spec = step_of(fixed(), false);
  auto const aggregation = make_fallback_aggregation(
      {.make_device =
           [&] {
             return std::make_unique<gpu::SlabAggregation<LostDevice>>(
                 spec, std::make_unique<LostDevice>(), small);
           },
       .make_cpu = [&] { return make_cpu_aggregation(spec, workers_); },
       .on_move = [](std::string const&) { FAIL() << "its state is gone"; }});
  try {
    play(*aggregation, false);
    FAIL();
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), 75);
  }
}

}  // namespace
}  // namespace windrow
