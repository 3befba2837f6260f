// The matrix of `windrow bench`: what each of its cells is.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace windrow::cli::bench {

// One workload and the form in which its rows come.
//   windows       tumbling of 1 s, sliding of 60 s every 1 s, or sessions with a gap of 10 s
//   skew          exponent of Zipf's law, 0 = uniform
//   late_percent  rows that come 1 to 5 s behind the watermark, all within the allowed lateness
//   input         resident: columns where the backend works; pinned: columns of the host, in memory
//                 that a copy engine reads; ndjson: bytes in memory; kafka: a broker beside it
enum class Windows : std::uint8_t { tumbling, sliding, session };
enum class Input : std::uint8_t { resident, pinned, ndjson, kafka };
struct Cell {
  Windows windows = Windows::tumbling;
  std::uint64_t keys = 10'000;
  double skew = 0;
  int late_percent = 0;
  Input input = Input::pinned;
  [[nodiscard]] std::uint64_t windows_per_row() const {
    return windows == Windows::sliding ? 60 : 1;
  }
};

// Words of the command line, by the enumerators' order.
[[nodiscard]] std::vector<std::string> const& window_words();
[[nodiscard]] std::vector<std::string> const& skew_words();
[[nodiscard]] std::vector<std::string> const& input_words();
[[nodiscard]] std::string skew_word(double skew);

// What the command line picks of each dimension; empty: not said.
struct Selection {
  std::vector<std::string> windows, skew, input;
  std::vector<std::uint64_t> keys;
  std::vector<int> late;
  bool all = false;
};

// Nothing said: a dozen cells that show each dimension once.  Else the product of what was said,
// with all values of the other dimensions (`all`) or those of the default Cell.
[[nodiscard]] std::vector<Cell> cells_of(Selection const& selection);

}  // namespace windrow::cli::bench
