// What `windrow bench` prints: a table for people, or a JSON line per cell and backend.
#pragma once
#include <string>
#include <vector>

#include "host/cli/bench/ceilings.hpp"
#include "host/cli/bench/runs.hpp"

namespace windrow::cli::bench {

// What all lines of one run share.
struct RunFacts {
  Ceilings ceilings;
  std::size_t rows = 0;
  unsigned threads = 1;
  int rounds = 1;
  std::uint64_t seed = 0;
  std::string commit, processor;
};

// One backend in one cell.
//   readings  of the timed rounds; empty: it did not run, `skipped` says why
//   wrong     why its rows are not the right ones; empty: they are
//   row_bytes of a row in the form of the cell
struct Result {
  Cell cell;
  Backend const* backend = nullptr;
  std::vector<Reading> readings;
  std::string skipped, wrong;
  double row_bytes = 0;
};

[[nodiscard]] std::string head_text(RunFacts const& facts, std::vector<Backend> const& backends);
//   base_ns  median of the first backend in this cell, 0: it did not run, or is this one
[[nodiscard]] std::string line_text(Result const& result, RunFacts const& facts, double base_ns);
[[nodiscard]] std::string line_json(Result const& result, RunFacts const& facts);
// Nanoseconds per row, median over rounds; 0: it did not run.
[[nodiscard]] double median_ns(Result const& result);

}  // namespace windrow::cli::bench
