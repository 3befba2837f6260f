// The rows of one cell of `windrow bench`, and what their aggregation has to come to.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "bench/rows.hpp"
#include "host/cli/bench/cell.hpp"
#include "host/cli/bench/tally.hpp"

namespace windrow::cli::bench {

inline constexpr std::size_t batch_rows = 65536;  // as `batch_rows_max` of the engine

// 20 s of event time, evenly filled: key, time, value.  Of sessions each key speaks for 5 s and is
// silent for 15.
//   watermark  after each batch: up to here all rows came that are not late
//   expected   from the rows alone, by a loop that keeps no state
struct Workload {
  Cell cell;
  windrow::bench::Rows rows;
  std::vector<Watermark> watermark;
  Tally expected;
};
[[nodiscard]] Workload make_workload(Cell const& cell, std::size_t rows, std::uint64_t seed);

// count, sum, min, max of the value per key and window; the default trigger; each pane what is new.
[[nodiscard]] AggregationSpec spec_of(Cell const& cell);

// Row `i` as a JSON line, without the line feed.
[[nodiscard]] std::string json_of(Workload const& workload, std::size_t i);
// The pipeline file that does to such lines what spec_of does to rows.
[[nodiscard]] std::string pipeline_of(Cell const& cell, std::string const& bootstrap_servers);

// Bytes of the rows in their form, and about how many the state takes: for what fits in memory.
[[nodiscard]] std::uint64_t input_bytes(Cell const& cell, std::size_t rows);
[[nodiscard]] std::uint64_t state_bytes(Cell const& cell, std::size_t rows);

}  // namespace windrow::cli::bench
