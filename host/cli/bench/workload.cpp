// The rows of one cell of `windrow bench`.
#include "host/cli/bench/workload.hpp"

#include <fmt/format.h>

#include <random>

#include "host/cli/bench/zipf.hpp"
#include "host/plan/windowing.hpp"

namespace windrow::cli::bench {
namespace {

constexpr std::int64_t second = 1'000'000, begin_us = 100 * second, span_us = 20 * second;
constexpr std::int64_t speaks_us = 5 * second, turns = 4, lateness_s = 10;
constexpr std::uint64_t bytes_per_line = 200;  // twice, with what holds it
constexpr std::uint64_t bytes_per_cell = 200;  // of a slab that has just grown
constexpr std::uint64_t bytes_per_key = 20;    // of tables by key id

std::int64_t arrival_us(std::size_t row, std::size_t rows) {
  return begin_us + static_cast<std::int64_t>(row) * span_us / static_cast<std::int64_t>(rows);
}

// All windows of the row hold it.
void expect_row(Windows windows, std::uint64_t key, std::int64_t time_us, std::int64_t value,
                Tally& out) {
  if (windows == Windows::session) {
    out.add(place_hash(key, 0), 1, value, value, value);
    return;
  }
  std::int64_t const last = floor_div(time_us, second) * second;
  std::int64_t const back = windows == Windows::sliding ? 59 : 0;
  for (std::int64_t start = last - back * second; start <= last; start += second) {
    out.add(place_hash(key, start), 1, value, value, value);
  }
}

}  // namespace

Workload make_workload(Cell const& cell, std::size_t rows, std::uint64_t seed) {
  bool const sessions = cell.windows == Windows::session;
  std::uint64_t const drawn = sessions ? std::max<std::uint64_t>(cell.keys / turns, 1) : cell.keys;
  std::mt19937_64 random(seed);
  Zipf const zipf(drawn, cell.skew);
  Workload out;
  out.cell = cell;
  out.rows.time.reserve(rows);
  out.rows.key.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    std::int64_t time_us = arrival_us(i, rows);
    if (random() % 100 < static_cast<std::uint64_t>(cell.late_percent)) {
      time_us -=
          second + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(4 * second));
    }
    std::uint64_t key = cell.skew == 0 ? random() % drawn : zipf(random);
    if (sessions) {
      key =
          key * turns + static_cast<std::uint64_t>(floor_mod(floor_div(time_us, speaks_us), turns));
    }
    auto const value = static_cast<std::int64_t>(random() % 100'000);
    out.rows.time.push_back({time_us});
    out.rows.key.push_back(windrow::bench::key_of(key));
    out.rows.value.append(value);
    expect_row(cell.windows, key, time_us, value, out.expected);
  }
  for (std::size_t end = batch_rows; end < rows; end += batch_rows) {
    out.watermark.push_back({arrival_us(end, rows)});
  }
  out.watermark.push_back(T_MAX);
  return out;
}

AggregationSpec spec_of(Cell const& cell) {
  AggregationSpec spec;
  switch (cell.windows) {
    case Windows::tumbling:
      spec.windows = {WindowKind::fixed, second, second, 0, 0};
      break;
    case Windows::sliding:
      spec.windows = {WindowKind::sliding, 60 * second, second, 0, 0};
      break;
    case Windows::session:
      spec.windows = {WindowKind::sessions, 0, 0, 0, 10 * second};
      break;
  }
  spec.trigger = compile({}, cell.windows == Windows::session);
  spec.lateness = {cell.late_percent > 0 ? lateness_s * second : 0};
  spec.discarding = true;
  for (CombineKind const kind :
       {CombineKind::count, CombineKind::sum, CombineKind::min, CombineKind::max}) {
    spec.combines.push_back({kind, ValueType::integer, 0});
  }
  return spec;
}

std::string json_of(Workload const& workload, std::size_t i) {
  return fmt::format(R"({{"user":"u{}","ts":{},"n":{}}})",
                     windrow::bench::index_of(workload.rows.key[i]), workload.rows.time[i].us,
                     workload.rows.value.view().integers()[i]);
}

std::string pipeline_of(Cell const& cell, std::string const& bootstrap_servers) {
  std::string_view const windows = cell.windows == Windows::tumbling ? "type: fixed, size: 1s"
                                   : cell.windows == Windows::sliding
                                       ? "type: sliding, size: 60s, period: 1s"
                                       : "type: sessions, gap: 10s";
  return fmt::format(R"(
pipeline:
  type: chain
  transforms:
    - type: ReadFromKafka
      config:
        topic: bench
        bootstrap_servers: "{}"
        format: JSON
        schema: |
          {{"type": "object", "required": ["user", "ts", "n"], "properties":
            {{"user": {{"type": "string"}}, "ts": {{"type": "integer"}},
             "n": {{"type": "integer"}}}}}}
        auto_offset_reset_config: earliest
        event_time: {{field: ts, unit: us}}
        watermark: {{idle_timeout: none}}
    - type: Combine
      windowing: {{{}, allowed_lateness: {}s, accumulation_mode: discarding}}
      config:
        group_by: user
        combine:
          rows: {{value: n, fn: count}}
          total: {{value: n, fn: sum}}
          least: {{value: n, fn: min}}
          most: {{value: n, fn: max}}
    - {{type: WriteToJson, config: {{path: "-"}}}}
)",
                     bootstrap_servers, windows, cell.late_percent > 0 ? lateness_s : 0);
}

std::uint64_t input_bytes(Cell const& cell, std::size_t rows) {
  bool const text = cell.input == Input::ndjson || cell.input == Input::kafka;
  return rows *
         (sizeof(EventTime) + sizeof(KeyId) + sizeof(std::int64_t) + (text ? bytes_per_line : 0));
}

std::uint64_t state_bytes(Cell const& cell, std::size_t rows) {
  std::uint64_t const per_row = cell.windows_per_row();
  std::uint64_t const open = per_row + 2 + (cell.late_percent > 0 ? lateness_s : 0);
  return std::min(rows * per_row, cell.keys * open) * bytes_per_cell + cell.keys * bytes_per_key;
}

}  // namespace windrow::cli::bench
