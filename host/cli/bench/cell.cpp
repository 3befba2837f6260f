// The matrix of `windrow bench`.
#include "host/cli/bench/cell.hpp"

#include <algorithm>
#include <array>

namespace windrow::cli::bench {
namespace {

constexpr std::array skews = {0.0, 1.0, 1.5};
constexpr std::array lates = {0, 1, 10};
constexpr std::array<std::uint64_t, 4> key_counts = {100, 10'000, 1'000'000, 100'000'000};

std::size_t place(std::vector<std::string> const& words, std::string const& word) {
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

// The values of one dimension.
template <class T, class All>
std::vector<T> picked(std::vector<T> const& said, All const& every, bool all, T otherwise) {
  if (!said.empty()) {
    return said;
  }
  return all ? std::vector<T>(every.begin(), every.end()) : std::vector<T>{otherwise};
}

std::vector<Cell> default_cells() {
  return {{Windows::tumbling, 100, 0, 0, Input::pinned},
          {Windows::tumbling, 10'000, 0, 0, Input::pinned},
          {Windows::tumbling, 1'000'000, 0, 0, Input::pinned},
          {Windows::tumbling, 1'000'000, 1.0, 0, Input::pinned},
          {Windows::tumbling, 10'000, 1.5, 0, Input::pinned},
          {Windows::tumbling, 10'000, 0, 10, Input::pinned},
          {Windows::sliding, 100, 0, 0, Input::pinned},
          {Windows::sliding, 10'000, 0, 0, Input::pinned},
          {Windows::session, 10'000, 0, 0, Input::pinned},
          {Windows::session, 1'000'000, 0, 1, Input::pinned},
          {Windows::tumbling, 10'000, 0, 0, Input::resident},
          {Windows::tumbling, 10'000, 0, 0, Input::ndjson},
          {Windows::tumbling, 10'000, 0, 0, Input::kafka}};
}

}  // namespace

std::vector<std::string> const& window_words() {
  static std::vector<std::string> const words = {"tumbling", "sliding", "session"};
  return words;
}
std::vector<std::string> const& skew_words() {
  static std::vector<std::string> const words = {"uniform", "zipf-1.0", "zipf-1.5"};
  return words;
}
std::vector<std::string> const& input_words() {
  static std::vector<std::string> const words = {"resident", "pinned", "ndjson", "kafka"};
  return words;
}
std::string skew_word(double skew) {
  auto const at = std::find(skews.begin(), skews.end(), skew) - skews.begin();
  return skew_words()[static_cast<std::size_t>(at)];
}

std::vector<Cell> cells_of(Selection const& said) {
  bool const nothing = said.windows.empty() && said.skew.empty() && said.input.empty() &&
                       said.keys.empty() && said.late.empty() && !said.all;
  if (nothing) {
    return default_cells();
  }
  std::vector<Cell> cells;
  for (auto const& windows : picked(said.windows, window_words(), said.all, window_words()[0])) {
    for (auto const keys : picked(said.keys, key_counts, said.all, Cell{}.keys)) {
      for (auto const& skew : picked(said.skew, skew_words(), said.all, skew_words()[0])) {
        for (auto const late : picked(said.late, lates, said.all, 0)) {
          for (auto const& input : picked(said.input, input_words(), said.all, input_words()[1])) {
            cells.push_back({static_cast<Windows>(place(window_words(), windows)), keys,
                             skews[place(skew_words(), skew)], late,
                             static_cast<Input>(place(input_words(), input))});
          }
        }
      }
    }
  }
  return cells;
}

}  // namespace windrow::cli::bench
