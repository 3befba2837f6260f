// Rows into a topic of a real broker, by both deliveries: 200 bytes a row, one partition.
//   tests/kafka_broker.sh build-bench/bench/kafka_sink_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "ingest/kafka_topic.hpp"
#include "sinks/kafka_sink.hpp"
#include "sinks/kafka_transaction_sink.hpp"

namespace {

using namespace windrow;

// id, window_start, url, views, pane_version, deleted
struct Rows {
  SinkSchema schema;
  std::vector<Column> columns;
  std::vector<ColumnView> views;
  explicit Rows(std::size_t count) {
    auto const add = [&](char const* name, ValueType type) -> Column& {
      schema.columns.fields.push_back({name, {type, {}}, true});
      return columns.emplace_back(type);
    };
    columns.reserve(6);
    Column& id = add("id", ValueType::string);
    Column& start = add("window_start", ValueType::integer);
    Column& url = add("url", ValueType::string);
    Column& views_of = add("views", ValueType::integer);
    Column& version = add("pane_version", ValueType::integer);
    Column& deleted = add("deleted", ValueType::boolean);
    for (std::size_t i = 0; i < count; ++i) {
      std::string const page = "/shop/page/" + std::to_string(i);
      id.append_text("1767225600000000|" + page);
      start.append(std::int64_t{1767225600000000});
      url.append_text(page);
      views_of.append(static_cast<std::int64_t>(i));
      version.append(std::int64_t{1767225600000000});
      deleted.append(false);
    }
    schema.upsert = true;
    schema.id = 0;
    schema.version = 4;
    schema.deleted = 5;
    for (Column const& column : columns) {
      views.push_back(column.view());
    }
  }
};

template <class KafkaSinkType>
void write(benchmark::State& state, bool transactions) {
  char const* const servers = std::getenv("BOOTSTRAP_SERVERS");
  if (servers == nullptr) {
    state.SkipWithError("no BOOTSTRAP_SERVERS: run it under tests/kafka_broker.sh");
    return;
  }
  auto const count = static_cast<std::size_t>(state.range(0));
  Rows const rows(count);
  std::string const name =
      "bench" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  KafkaTopic const topic(servers, name, 1);
  KafkaSinkType sink({servers, name, transactions ? name : "", {}}, rows.schema);
  sink.open();
  std::vector<Outcome> out(count);
  std::vector<SinkFault> faults;
  std::int64_t batch_no = 0;
  for (auto _ : state) {
    ++batch_no;
    sink.write({batch_no, batch_no, count, rows.views}, out, faults);
    if (std::any_of(out.begin(), out.end(), [](Outcome o) { return o != Outcome::ok; })) {
      state.SkipWithError(faults.empty() ? "not written" : faults.front().message.c_str());
      return;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_AtLeastOnce(benchmark::State& state) { write<KafkaSink>(state, false); }
BENCHMARK(BM_AtLeastOnce)->Arg(100)->Arg(10'000)->Arg(65'536)->UseRealTime();
void BM_ExactlyOnce(benchmark::State& state) { write<KafkaTransactionSink>(state, true); }
BENCHMARK(BM_ExactlyOnce)->Arg(100)->Arg(10'000)->Arg(65'536)->UseRealTime();

}  // namespace
