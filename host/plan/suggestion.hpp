// "Did you mean": the nearest of the names that are legal at a place.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace windrow {

// Insertions, deletions, substitutions and swaps of neighbours, each 1; letters of either case are
// equal.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// The nearest name within a third of the word's length (at least 1), "" if there is none.
[[nodiscard]] std::string nearest(std::string_view word, std::span<std::string const> names);

}  // namespace windrow
