// The fold and the firing of CpuAggregation on one thread: ns per row and ns per pane
// (performance.md 3).  `base_ns` of the folds is cells[key], a table that knows nothing but the
// key.
#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "bench/rows.hpp"
#include "bench/timing.hpp"
#include "host/cpu/cpu_aggregation.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::size_t batch_rows = 65536, batches = 16;

using bench::key_of;
using bench::Rows;

enum class Windows { fixed, sliding, many, sessions };

// count, sum, min, max, mean of one integer column.
std::vector<CombineFn> basic() {
  std::vector<CombineFn> combines;
  for (CombineKind const kind : {CombineKind::count, CombineKind::sum, CombineKind::min,
                                 CombineKind::max, CombineKind::mean}) {
    combines.push_back({kind, ValueType::integer, 0});
  }
  return combines;
}
// Of the same column, with the settings that a pipeline has by default.
std::vector<CombineFn> distinct() {
  return {{CombineKind::approx_distinct, ValueType::integer, 0, 12}};
}
std::vector<CombineFn> quantile() {
  return {{CombineKind::approx_quantile, ValueType::integer, 0, quantile_buckets(0.01)}};
}

// One pane per (key, window), at its end.
AggregationSpec spec_of(Windows windows, std::vector<CombineFn> combines = basic()) {
  AggregationSpec spec;
  switch (windows) {
    case Windows::fixed:
      spec.windows = {WindowKind::fixed, 300 * second, 300 * second, 0, 0};
      break;
    case Windows::sliding:  // 6 windows per row
      spec.windows = {WindowKind::sliding, 300 * second, 50 * second, 0, 0};
      break;
    case Windows::many:  // 60
      spec.windows = {WindowKind::sliding, 3000 * second, 50 * second, 0, 0};
      break;
    case Windows::sessions:
      spec.windows = {WindowKind::sessions, 0, 0, 0, 600 * second};
      spec.tombstones = true;
      break;
  }
  spec.trigger = compile({}, windows == Windows::sessions);
  spec.combines = std::move(combines);
  return spec;
}

// Uniform keys; times within 50 s from `from_s`, so in one window of any kind but sessions.
Rows rows_of(std::size_t keys, std::size_t count, std::int64_t from_s, std::mt19937_64& random,
             bool each_once) {
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.time.push_back({from_s * second + static_cast<std::int64_t>(random() % (50 * second))});
    rows.key.push_back(key_of(each_once ? i : random() % keys));
    rows.value.append(static_cast<std::int64_t>(random() % 100'000));
  }
  if (each_once) {
    std::shuffle(rows.key.begin(), rows.key.end(), random);
  }
  return rows;
}

class Base {
 public:
  explicit Base(std::size_t keys) : cells_(keys + 64 * shards) {}
  void operator()(Rows const& rows) {
    std::int64_t const* const value = rows.value.view().integers();
    for (std::size_t i = 0; i < rows.key.size(); ++i) {
      Cell& cell = cells_[rows.key[i]];
      cell.count += 1;
      cell.sum += value[i];
      cell.min = std::min(cell.min, value[i]);
      cell.max = std::max(cell.max, value[i]);
    }
    benchmark::DoNotOptimize(cells_.data());
  }

 private:
  struct Cell {
    std::int64_t count = 0, sum = 0, min = INT64_MAX, max = INT64_MIN;
  };
  std::vector<Cell> cells_;
};

// Returns the number of panes.
std::size_t take_all(Aggregation& aggregation, AggregationOutput& out) {
  std::size_t panes = 0;
  for (bool more = true; more;) {
    more = aggregation.take_output(out);
    panes += out.panes.size();
  }
  return panes;
}

// Rows of keys that all have their cell; W stays below every end, so nothing fires.
//   open  sessions: so many of each key
void fold(benchmark::State& state, Windows windows, std::int64_t open = 1,
          std::vector<CombineFn> const& combines = basic()) {
  auto const keys = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(42);
  Workers workers(1);
  auto const aggregation = make_cpu_aggregation(spec_of(windows, combines), workers);
  AggregationOutput out;
  Base base(keys);
  std::vector<Rows> input;
  for (std::size_t i = 0; i < batches; ++i) {
    input.push_back(rows_of(keys, batch_rows, 0, random, false));
  }
  for (std::int64_t session = 0; session < open; ++session) {
    Rows const all = rows_of(keys, keys, session * 3000, random, true);
    ColumnView const all_values = all.value.view();
    aggregation->push(all.view(all_values));
  }
  aggregation->advance(EventTime{0}, ProcessingTime{0});
  take_all(*aggregation, out);
  std::size_t at = 0;
  bench::Hops hops(batch_rows);
  for (auto _ : state) {
    ColumnView const values = input[at].value.view();
    hops.start();
    base(input[at]);
    hops.done("base_ns");
    aggregation->push(input[at].view(values));
    hops.done("push_ns");
    aggregation->advance(EventTime{0}, ProcessingTime{0});
    take_all(*aggregation, out);
    hops.done("advance_ns");
    at = (at + 1) % batches;
  }
  hops.report(state);
}

// Every row opens a cell, then all fire and end.
void open_and_fire(benchmark::State& state, Windows windows) {
  auto const keys = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(42);
  Workers workers(1);
  auto const aggregation = make_cpu_aggregation(spec_of(windows), workers);
  AggregationOutput out;
  Rows rows = rows_of(keys, keys, 0, random, true);
  std::size_t panes = 0;
  bench::Hops hops(keys);
  for (auto _ : state) {
    ColumnView const values = rows.value.view();
    hops.start();
    aggregation->push(rows.view(values));
    hops.done("push_ns");
    for (EventTime& time : rows.time) {  // the next round begins behind the watermark
      time.us += 3000 * second;
    }
    aggregation->advance(EventTime{rows.time[0].us - 1000 * second}, ProcessingTime{0});
    panes = take_all(*aggregation, out);
    hops.done("fire_ns");
  }
  hops.report(state);
  state.counters["panes_per_key"] = static_cast<double>(panes) / static_cast<double>(keys);
}

// A stream: every batch is the rows of 50 s, then W reaches their begin, so that windows fire and
// expire as rows come.  Nanoseconds per row of all that.
void stream(benchmark::State& state, Windows windows) {
  auto const keys = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(42);
  Workers workers(1);
  auto const aggregation = make_cpu_aggregation(spec_of(windows), workers);
  AggregationOutput out;
  Rows rows = rows_of(keys, batch_rows, 0, random, false);
  std::size_t panes = 0;
  bench::Hops hops(batch_rows);
  auto const next = [&](bool measured) {
    ColumnView const values = rows.value.view();
    std::int64_t const begin_us = floor_div(rows.time[0].us, 50 * second) * 50 * second;
    hops.start();
    aggregation->push(rows.view(values));
    aggregation->advance(EventTime{begin_us}, ProcessingTime{0});
    panes = take_all(*aggregation, out);
    if (measured) {
      hops.done("ns");
    }
    for (std::size_t i = 0; i < rows.time.size(); ++i) {
      rows.time[i].us += 50 * second;
    }
  };
  for (int warm_up = 0; warm_up < 65; ++warm_up) {  // all windows of a row are open
    next(false);
  }
  for (auto _ : state) {
    next(true);
  }
  hops.report(state);
  state.counters["panes_per_row"] = static_cast<double>(panes) / batch_rows;
}

BENCHMARK_CAPTURE(fold, fixed, Windows::fixed)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(fold, sliding, Windows::sliding)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(fold, many, Windows::many)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(fold, sessions, Windows::sessions)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(fold, many_sessions, Windows::sessions, 2000)->Arg(16);
BENCHMARK_CAPTURE(fold, distinct, Windows::fixed, 1, distinct())->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(fold, quantile, Windows::fixed, 1, quantile())->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(open_and_fire, fixed, Windows::fixed)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(open_and_fire, sliding, Windows::sliding)->Arg(100'000);
BENCHMARK_CAPTURE(open_and_fire, sessions, Windows::sessions)->Arg(100'000);
BENCHMARK_CAPTURE(stream, fixed, Windows::fixed)->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK_CAPTURE(stream, sliding, Windows::sliding)->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK_CAPTURE(stream, many, Windows::many)->Arg(1'000)->Arg(10'000)->Arg(100'000);

}  // namespace
}  // namespace windrow
