// ns per event of decoding page views of about 91 bytes, beside bare simdjson over the same bytes
// (performance.md 1.1, 2.1).
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <random>
#include <string>
#include <vector>

#include "ingest/json_decoder.hpp"

namespace windrow {
namespace {

constexpr std::size_t events = 8192;

enum class Shape { in_order, any_order, poisoned };

std::vector<std::string> page_views(Shape shape) {
  std::mt19937_64 random(42);
  std::vector<std::string> records;
  for (std::size_t i = 0; i < events; ++i) {
    std::string const user = fmt::format("\"user_id\":\"u{:07}\"", random() % 1'000'000);
    std::string const url = fmt::format("\"url\":\"/page/{:05}\"", random() % 50'000);
    std::string const ts = fmt::format("\"ts\":{}", 1'763'794'800'000 + i);
    std::string const ms = fmt::format("\"duration_ms\":{}", 1000 + random() % 9000);
    bool const other = shape == Shape::any_order && random() % 2 == 0;
    records.push_back(other ? fmt::format("{{{},{},{},{}}}", ms, ts, user, url)
                            : fmt::format("{{{},{},{},{}}}", user, url, ts, ms));
    if (shape == Shape::poisoned && i % 1000 == 999) {
      records.back().resize(records.back().size() / 2);
    }
  }
  return records;
}

void decode(benchmark::State& state, Shape shape, PayloadFormat format, bool full) {
  std::vector<std::string> const records = page_views(shape);
  std::string packed;
  RawBatch batch;
  for (std::string const& record : records) {
    batch.records.push_back(
        {record.data(), static_cast<std::uint32_t>(record.size()), 0, 0, T_MIN});
    packed += record + "\n";
  }
  if (format == PayloadFormat::ndjson) {
    batch.records.assign(1,
                         {packed.data(), static_cast<std::uint32_t>(packed.size()), 0, 0, T_MIN});
  }
  Schema const schema{{{"user_id", {ValueType::string, {}}, false},
                       {"url", {ValueType::string, {}}, false},
                       {"ts", {ValueType::integer, {}}, false},
                       {"duration_ms", {ValueType::integer, {}}, true}}};
  JsonDecoder decoder({schema, format, {{"ts", TimeUnit::ms}}, full});
  DecodedChunk chunk;
  for (auto _ : state) {
    decoder.decode(batch, 0, batch.records.size(), chunk);
    benchmark::DoNotOptimize(chunk.rows.rows());
  }
  auto const total = static_cast<std::int64_t>(state.iterations() * events);
  state.SetItemsProcessed(total);
  state.SetBytesProcessed(static_cast<std::int64_t>(packed.size() * state.iterations()));
  state.counters["ns/event"] = benchmark::Counter(
      static_cast<double>(total) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Bare On-Demand over the bytes already joined: the same four fields, nothing kept.
void bare_iterate_many(benchmark::State& state) {
  std::string joined;
  for (std::string const& record : page_views(Shape::in_order)) {
    joined += record + "\n";
  }
  std::size_t const bytes = joined.size();
  joined.append(simdjson::SIMDJSON_PADDING, ' ');
  simdjson::ondemand::parser parser;
  parser.threaded = false;
  for (auto _ : state) {
    simdjson::ondemand::document_stream documents;
    if (parser.iterate_many(joined.data(), bytes, bytes + 1).get(documents) != simdjson::SUCCESS) {
      state.SkipWithError("stage 1");
      return;
    }
    std::int64_t sum = 0;
    for (auto document : documents) {
      simdjson::ondemand::object object = document.get_object();
      sum +=
          static_cast<std::int64_t>(object.find_field("user_id").raw_json_token().value().size());
      sum += static_cast<std::int64_t>(object.find_field("url").raw_json_token().value().size());
      sum += object.find_field("ts").get_int64().value();
      sum += object.find_field("duration_ms").get_int64().value();
    }
    benchmark::DoNotOptimize(sum);
  }
  auto const total = static_cast<std::int64_t>(state.iterations() * events);
  state.SetItemsProcessed(total);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes * state.iterations()));
  state.counters["ns/event"] = benchmark::Counter(
      static_cast<double>(total) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(bare_iterate_many);
BENCHMARK_CAPTURE(decode, in_order, Shape::in_order, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, ndjson, Shape::in_order, PayloadFormat::ndjson, false);
BENCHMARK_CAPTURE(decode, any_order, Shape::any_order, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, poisoned_one_in_1000, Shape::poisoned, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, validate_full, Shape::in_order, PayloadFormat::json, true);

}  // namespace
}  // namespace windrow
