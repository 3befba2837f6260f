#include "host/plan/suggestion.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace windrow {
namespace {

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const replaced = last[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0U : 1U);
      now[j] = std::min({replaced, last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1])) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string nearest(std::string_view word, std::span<std::string const> names) {
  constexpr std::size_t longest_word = 200;  // the distance is quadratic
  if (word.size() > longest_word) {
    return {};
  }
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string found;
  for (std::string const& name : names) {
    if (name.size() > longest_word) {
      continue;
    }
    if (std::size_t const distance = edit_distance(word, name); distance < best) {
      best = distance;
      found = name;
    }
  }
  return found;
}

}  // namespace windrow
