// What durability costs: batches of a pipeline with a plan on disk before each, beside the same
// pipeline without one; wall time, batch by batch in turn.  WINDROW_BENCH_STATE names the directory
// (the disk matters): ./plan-log-bench if not given.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "host/cpu/cpu_aggregation.hpp"
#include "host/engine/clock.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/state_directory.hpp"
#include "host/plan/pipeline_file.hpp"
#include "ingest/json_decoder.hpp"

namespace windrow {
namespace {

constexpr char pipeline[] = R"(
pipeline:
  type: chain
  transforms:
    - type: ReadFromKafka
      config:
        topic: views
        bootstrap_servers: nowhere
        format: JSON
        schema: {properties: {url: {type: string}, ts: {type: integer}}}
    - type: AssignTimestamps
      config: {timestamp: ts, unit: ms, watermark: {max_out_of_orderness: 30s}}
    - type: Combine
      windowing: {type: fixed, size: 5m}
      config: {group_by: url, combine: {views: {value: url, fn: count}}}
    - {type: WriteToJson, config: {path: "-"}}
)";

struct WallClock : Clock {
  static std::int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  ProcessingTime processing_time() override { return {now_us()}; }
  std::int64_t real_time_us() override { return now_us(); }
};

// The same records of 16 partitions in every poll.
struct LoopSource : Source {
  explicit LoopSource(std::size_t rows) {
    for (std::size_t i = 0; i < rows; ++i) {
      records.push_back(fmt::format(R"({{"url":"/page/{}","ts":1763794800000}})", i % 1000));
    }
  }
  void open() override {}
  bool poll(RawBatch& out, std::size_t, std::int64_t) override {
    out = {};
    auto const each = static_cast<std::int64_t>(records.size() / partitions);
    for (std::uint32_t p = 0; p < partitions; ++p) {
      for (std::int64_t i = 0; i < each; ++i) {
        std::string const& text = records[static_cast<std::size_t>(p * each + i)];
        out.records.push_back(
            {text.data(), static_cast<std::uint32_t>(text.size()), p, offset + i, T_MIN});
      }
      out.ranges.push_back({p, offset, offset + each, false, false, {}});
    }
    offset += each;
    return true;
  }
  void read(std::span<Range const>, RawBatch&) override {}
  [[nodiscard]] bool bounded() const override { return false; }
  [[nodiscard]] std::string_view name() const override { return "bench"; }
  [[nodiscard]] std::string partition_name(std::uint32_t p) const override {
    return std::to_string(p);
  }
  [[nodiscard]] std::string_view path_of(std::uint32_t, std::int64_t) const override {
    return "bench";
  }
  void snapshot(SnapshotWriter&) const override {}
  void restore(SnapshotReader&) override {}

  static constexpr std::uint32_t partitions = 16;
  std::vector<std::string> records;
  std::int64_t offset = 0;
};

struct NoSink : Sink {
  void open() override {}
  void write(SinkRowsView const&, std::span<Outcome> out, std::vector<SinkFault>&) override {
    std::fill(out.begin(), out.end(), Outcome::ok);
  }
};

double quantile(std::vector<double> values, double q) {
  auto const at =
      values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void plan_log(benchmark::State& state) {
  LoadResult const loaded = load("bench.yaml", pipeline, {});
  if (!loaded.ok()) {
    state.SkipWithError("the pipeline file");
    return;
  }
  char const* const named = std::getenv("WINDROW_BENCH_STATE");
  std::filesystem::path const directory = named == nullptr ? "plan-log-bench" : named;
  std::filesystem::remove_all(directory);
  WallClock clock;
  Workers workers(2);  // with one, nothing runs beside the write of a plan
  Observer observer;
  StateDirectory log(directory, "bench", graph_parts(loaded.graph));
  static_cast<void>(log.recover());
  auto const make = [&](PlanLog* plans) {
    PipelineParts parts{
        .graph = loaded.graph,
        .sources = {},
        .sinks = {},
        .make_aggregation = [&](AggregationSpec const& spec,
                                std::size_t) { return make_cpu_aggregation(spec, workers); },
        .clock = clock,
        .workers = workers,
        .observer = observer,
        .plan_log = plans};
    JsonDecoderOptions const options{
        loaded.graph.transforms[0].output, PayloadFormat::json, {}, false};
    parts.sources.push_back({0,
                             std::make_unique<LoopSource>(static_cast<std::size_t>(state.range(0))),
                             [options] { return std::make_unique<JsonDecoder>(options); }});
    parts.sinks.push_back({3, std::make_unique<NoSink>()});
    auto made = std::make_unique<Pipeline>(std::move(parts));
    made->open();
    return made;
  };
  auto const without = make(nullptr), with = make(&log);
  std::vector<double> without_us, with_us;
  for (auto _ : state) {
    for (auto const& [one, times] :
         {std::pair{without.get(), &without_us}, {with.get(), &with_us}}) {
      auto const begin = std::chrono::steady_clock::now();
      one->step();
      times->push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
              .count());
    }
  }
  std::filesystem::remove_all(directory);
  for (auto const& [name, times] :
       {std::pair{std::string("without"), without_us}, {std::string("with"), with_us}}) {
    double total_us = 0;
    for (double const us : times) {
      total_us += us;
    }
    state.counters[name + "_per_s"] = static_cast<double>(times.size()) / total_us * 1e6;
    state.counters[name + "_p50_us"] = quantile(times, 0.5);
    state.counters[name + "_p99_us"] = quantile(times, 0.99);
  }
}

BENCHMARK(plan_log)->Arg(16)->Arg(1'600)->Arg(65'536)->Iterations(2'000)->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace windrow
