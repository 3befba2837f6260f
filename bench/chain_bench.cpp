// The way of a page view through one process, one thread: bytes -> columns -> rows of a step ->
// cells -> panes.  ns per event of each hop, medians over batches.
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "host/cpu/cpu_aggregation.hpp"
#include "host/engine/clock.hpp"
#include "host/engine/step.hpp"
#include "host/plan/pipeline_file.hpp"
#include "ingest/json_decoder.hpp"

namespace windrow {
namespace {

constexpr std::size_t batch_rows = 65536, chunk_rows = 4096;

constexpr char pipeline[] = R"(
pipeline:
  type: chain
  transforms:
    - type: ReadFromKafka
      config:
        topic: views
        bootstrap_servers: nowhere
        format: JSON
        schema: |
          {"type": "object", "required": ["user_id", "url", "ts"], "properties":
            {"user_id": {"type": "string"}, "url": {"type": "string"}, "ts": {"type": "integer"}}}
    - type: AssignTimestamps
      config: {timestamp: ts, unit: ms, watermark: {max_out_of_orderness: 30s}}
    - type: Combine
      windowing: {type: fixed, size: 5m}
      config: {group_by: url, combine: {views: {value: url, fn: count}}}
    - {type: WriteToJson, config: {path: "-"}}
)";

struct NoClock : Clock {
  ProcessingTime processing_time() override { return {}; }
  std::int64_t real_time_us() override { return 0; }
};

struct NoSource : Source {
  void open() override {}
  bool poll(RawBatch&, std::size_t, std::int64_t) override { return false; }
  void read(std::span<Range const>, RawBatch&) override {}
  [[nodiscard]] bool bounded() const override { return true; }
  [[nodiscard]] std::string_view name() const override { return "bench"; }
  [[nodiscard]] std::string partition_name(std::uint32_t) const override { return "0"; }
  [[nodiscard]] std::string_view path_of(std::uint32_t, std::int64_t) const override {
    return "bench";
  }
  void snapshot(SnapshotWriter&) const override {}
  void restore(SnapshotReader&) override {}
};

// Views of one batch, 50 s long, uniform over `pages` and over 16 partitions.
std::vector<std::string> page_views(std::size_t pages) {
  std::mt19937_64 random(42);
  std::vector<std::string> records;
  for (std::size_t i = 0; i < batch_rows; ++i) {
    records.push_back(fmt::format(R"({{"event_id":"u{0:05}-1","ts":{1},"user_id":"u{0:05}",)"
                                  R"("url":"/page/{2}","dwell_ms":{3},"country":"BR"}})",
                                  random() % 100'000, 1'763'794'800'000 + i * 50'000 / batch_rows,
                                  random() % pages, random() % 100'000));
  }
  return records;
}

void chain(benchmark::State& state) {
  LoadResult const loaded = load("bench.yaml", pipeline, {});
  if (!loaded.ok()) {
    state.SkipWithError("the pipeline file");
    return;
  }
  Graph const& graph = loaded.graph;
  NoClock clock;
  NoSource source;
  Workers workers(1);
  Observer observer;
  PipelineParts const parts{
      graph,
      {},
      {},
      [&](AggregationSpec const& spec, std::size_t) { return make_cpu_aggregation(spec, workers); },
      clock,
      workers,
      observer};
  RowStage const stage(graph, 0, StageRows::plain);
  Step step(graph, stage.shape().keyed.at(0).transform, parts);
  std::vector<WatermarkTracker> trackers;
  for (auto const& settings : stage.shape().trackers) {
    trackers.emplace_back(settings);
  }

  std::vector<std::string> const records = page_views(static_cast<std::size_t>(state.range(0)));
  RawBatch batch;
  for (std::string const& record : records) {
    auto const partition = static_cast<std::uint32_t>(batch.records.size() % 16);
    batch.records.push_back(
        {record.data(), static_cast<std::uint32_t>(record.size()), partition, 0, T_MIN});
  }
  RecordsView const view{&source, &batch};
  BatchPlan plan;
  plan.processing_time = {1'763'794'900'000'000};  // no view is of the future
  StageContext context;
  context.stamp.processing_time = plan.processing_time;
  context.records = &view;
  context.trackers = trackers;

  JsonDecoder decoder({graph.transforms[0].output, PayloadFormat::json, {}, false});
  std::vector<DecodedChunk> decoded(batch_rows / chunk_rows);
  std::vector<StageChunk> chunks(decoded.size());
  std::vector<StageChunk*> refs;
  for (StageChunk& chunk : chunks) {
    refs.push_back(&chunk);
  }
  bench::Hops hops(batch_rows);
  for (auto _ : state) {
    plan.batch_no += 1;
    hops.start();
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      decoder.decode(batch, i * chunk_rows, chunk_rows, decoded[i]);
    }
    hops.done("decode_ns");
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      stage.run(context, decoded[i].rows.view(), {}, {}, chunks[i]);
    }
    hops.done("rows_ns");
    step.push(stage, 0, refs, context, nullptr, plan);
    hops.done("intern_fold_ns");
    step.advance(EventTime{0}, plan);
    while (step.take_part(context)) {
    }
    step.recycle(plan);
    hops.done("advance_ns");
  }
  hops.report(state);
}

BENCHMARK(chain)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace windrow
