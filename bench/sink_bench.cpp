// Rows per second of the sinks that keep tables: page views per URL, in the columns that every such
// row has, one transaction per batch.  `new`: no id is there yet; `overwrite`: every id is, with a
// lower version.  Time is the wall's, since a server works in processes of its own:
//
//   tests/postgres_server.sh build-bench/bench/sink_bench
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>

#include "host/engine/sink_schema.hpp"
#include "host/plan/pipeline_file.hpp"
#include "sinks/postgres_sink.hpp"
#include "sinks/sqlite_sink.hpp"

namespace windrow {
namespace {

constexpr char pipeline[] = R"(
pipeline:
  transforms:
    - {type: Generate, name: Views, config: {kind: pageviews, events: 1}}
    - type: Combine
      name: PerPage
      input: Views
      windowing: {type: fixed, size: 5m}
      config: {group_by: url, combine: {views: {value: url, fn: count}}}
    - {type: WriteToSqlite, input: PerPage, config: {path: none, table: views}}
)";

// Rows of one batch: `rows` URLs of window `window`.
std::vector<Column> batch_of(SinkSchema const& schema, std::size_t rows, std::int64_t window,
                             std::int64_t version) {
  std::vector<Column> columns;
  for (Field const& field : schema.columns.fields) {
    Column& column = columns.emplace_back(field.type.kind);
    for (std::size_t row = 0; row < rows; ++row) {
      std::string const url = fmt::format("/page/{}", row);
      if (field.name == "id") {
        column.append_text(fmt::format("{}|{}", window, url));
      } else if (field.name == "url") {
        column.append_text(url);
      } else if (field.name == "pane_timing") {
        column.append_text("ON_TIME");
      } else if (field.name == "pane_version") {
        column.append(version);
      } else if (field.name == "window_start" || field.name == "window_end") {
        column.append(window);
      } else if (field.type.kind == ValueType::boolean) {
        column.append(false);
      } else {
        column.append(static_cast<std::int64_t>(row));
      }
    }
  }
  return columns;
}

void write_batches(benchmark::State& state,
                   std::function<std::unique_ptr<Sink>(SinkSchema const&)> const& make) {
  auto const rows = static_cast<std::size_t>(state.range(0));
  bool const overwrite = state.range(1) != 0;
  LoadResult const loaded = load("bench.yaml", pipeline, {});
  if (!loaded.ok()) {
    return state.SkipWithError("the pipeline file");
  }
  SinkSchema const schema = sink_schema(loaded.graph, 2);
  std::unique_ptr<Sink> const sink = make(schema);
  sink->open();
  std::vector<Outcome> out(rows);
  std::vector<SinkFault> faults;
  auto const write = [&](std::int64_t batch_no) {
    std::int64_t const window = overwrite ? 0 : batch_no * 300'000'000;
    std::vector<Column> const columns =
        batch_of(schema, rows, window, 1'760'000'000'000'000 + batch_no);
    std::vector<ColumnView> views;
    for (Column const& column : columns) {
      views.push_back(column.view());
    }
    state.ResumeTiming();
    sink->write({batch_no, 1'760'000'000'000'000 + batch_no, rows, views}, out, faults);
  };
  std::int64_t batch_no = 0;
  for (auto _ : state) {
    state.PauseTiming();
    if (overwrite && batch_no == 0) {
      write(++batch_no);
      state.PauseTiming();
    }
    write(++batch_no);
    if (out.front() != Outcome::ok) {
      return state.SkipWithError(faults.empty() ? "a row was not written"
                                                : faults.front().message.c_str());
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows));
}

void sqlite(benchmark::State& state) {
  std::filesystem::path const path =
      std::filesystem::temp_directory_path() / fmt::format("windrow-bench-{}.db", getpid());
  write_batches(state, [&](SinkSchema const& schema) {
    return std::make_unique<SqliteSink>(
        SqliteSettings{
            .name = "bench", .path = path.string(), .table = "views", .create_table = true},
        schema);
  });
  for (char const* const end : {"", "-wal", "-shm"}) {
    std::filesystem::remove(path.string() + end);
  }
}

void postgres(benchmark::State& state) {
  char const* const url = std::getenv("POSTGRES_URL");
  if (url == nullptr) {
    return state.SkipWithError("no server: run me by tests/postgres_server.sh");
  }
  PostgresLogin login;
  login.url = url;
  PostgresConnection(login).run_script("DROP TABLE IF EXISTS views");
  write_batches(state, [&](SinkSchema const& schema) {
    return std::make_unique<PostgresSink>(
        PostgresSettings{.name = "bench", .login = login, .table = "views", .create_table = true},
        schema);
  });
}

BENCHMARK(sqlite)
    ->ArgsProduct({{1'000, 10'000, 65'536}, {0, 1}})
    ->ArgNames({"rows", "overwrite"})
    ->UseRealTime();
BENCHMARK(postgres)
    ->ArgsProduct({{1'000, 10'000, 65'536}, {0, 1}})
    ->ArgNames({"rows", "overwrite"})
    ->UseRealTime();

}  // namespace
}  // namespace windrow
