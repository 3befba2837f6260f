// JSON lines through a whole pipeline: decoder, dictionary, aggregation, sink.
#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "host/cli/bench/runs.hpp"
#include "host/cli/bench/stopwatch.hpp"
#include "host/cli/invocation.hpp"
#include "host/cli/parts.hpp"
#include "host/cli/system_clock.hpp"
#include "host/engine/sink_schema.hpp"
#include "host/plan/pipeline_file.hpp"
#include "ingest/json_decoder.hpp"
#include "ingest/memory_source.hpp"

namespace windrow::cli::bench {
namespace {

constexpr auto patience = std::chrono::seconds(60);  // without a record

// Adds up what comes, on the sink's thread.
class AddingSink final : public Sink {
 public:
  AddingSink(SinkSchema const& schema, bool sessions, Tally& tally)
      : sessions_(sessions), tally_(tally) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (std::size_t c = 0; c < schema.columns.fields.size(); ++c) {
        if (schema.columns.fields[c].name == names[i]) {
          place_[i] = c;
        }
      }
    }
  }
  void open() override {}
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override {
    faults.clear();
    std::fill(out.begin(), out.end(), Outcome::ok);
    ColumnView const& user = rows.columns[place_[0]];
    ColumnView const& least = rows.columns[place_[5]];
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::string_view const name = user.text(row);
      std::uint64_t key = 0;
      std::from_chars(name.data() + 1, name.data() + name.size(), key);
      auto const integer = [&](std::size_t of) { return rows.columns[place_[of]].integers()[row]; };
      std::int64_t const start = integer(1);
      ++tally_.panes;
      std::uint64_t hash = place_hash(key, start);
      for (std::size_t of = 2; of < names.size(); ++of) {
        hash = mixed(hash + static_cast<std::uint64_t>(integer(of)));
      }
      tally_.content += hash;
      if (least.is_valid(row)) {
        tally_.add(place_hash(key, sessions_ ? 0 : start), integer(3), integer(4), integer(5),
                   integer(6));
      }
    }
  }

 private:
  static constexpr std::array<std::string_view, 8> names = {
      "user", "window_start", "window_end", "rows", "total", "least", "most", "pane_index"};
  bool sessions_;
  Tally& tally_;
  std::array<std::size_t, names.size()> place_{};
};

// Steps until all rows came and all their panes went.  Of a topic the time begins with the step
// that reads its first rows, when the client has connected, and a drain fires what is open.
void read_all(Pipeline& pipeline, bool from_kafka, Stopwatch& watch, Reading& reading) {
  std::uint64_t read = 0;
  auto last = std::chrono::steady_clock::now();
  watch.start();
  for (bool more = true; more;) {
    if (from_kafka && read == 0) {
      watch.start();
    }
    more = pipeline.step();
    Progress const progress = pipeline.progress();
    reading.state_bytes =
        std::max(reading.state_bytes, progress.state_bytes + progress.steps[0].stats.device_bytes);
    std::uint64_t const now = progress.sources[0].read;
    if (!from_kafka) {
      continue;
    }
    if (now == reading.rows) {
      pipeline.drain();
      more = false;
    } else if (now != read) {
      last = std::chrono::steady_clock::now();
    } else if (std::chrono::steady_clock::now() - last > patience) {
      throw EnvironmentError(fmt::format("bench: the broker should give all records: read={} of={}",
                                         now, reading.rows),
                             exit_unreachable);
    }
    read = now;
  }
}

}  // namespace

Reading run_stream(Workload const& workload, std::vector<std::string> const& lines,
                   std::string const& bootstrap_servers, Backend const& backend, Workers& workers) {
  bool const from_kafka = !bootstrap_servers.empty();
  LoadResult const loaded =
      load("bench.yaml", pipeline_of(workload.cell, from_kafka ? bootstrap_servers : "none:1"), {});
  WINDROW_ASSERT(loaded.ok(), "the pipeline of the benchmark is right");
  Graph const& graph = loaded.graph;
  SystemClock clock(1, false);
  Observer nobody;
  Reading reading;
  reading.rows = workload.rows.size();
  PipelineParts parts{.graph = graph,
                      .sources = make_sources(graph, clock),
                      .sinks = {},
                      .make_aggregation = [&](AggregationSpec const& spec,
                                              std::size_t) { return backend.make(spec); },
                      .clock = clock,
                      .workers = workers,
                      .observer = nobody};
  if (!from_kafka) {
    parts.sources[0].source = std::make_unique<MemorySource>("bench", lines);
  }
  std::size_t const sink = graph.transforms.size() - 1;
  parts.sinks.push_back({sink, std::make_unique<AddingSink>(
                                   sink_schema(graph, sink),
                                   workload.cell.windows == Windows::session, reading.tally)});
  Pipeline pipeline(std::move(parts));
  pipeline.open();
  Stopwatch watch;
  read_all(pipeline, from_kafka, watch, reading);
  pipeline.settle();
  watch.stop();
  reading.wall_s = watch.wall_s();
  reading.cpu_s = watch.cpu_s();
  AggregationStats const stats = pipeline.progress().steps[0].stats;
  reading.bytes_to_device = stats.bytes_to_device;
  reading.bytes_from_device = stats.bytes_from_device;
  return reading;
}

}  // namespace windrow::cli::bench
