// The one table of finding codes: what is refused (E) and what is warned of (W).  Rules:
// semantics.md R69.
#pragma once
#include <span>
#include <string_view>

namespace windrow {

// `waits_for`: the part of Windrow that must exist before the code can occur, or the verb that
// knows what it takes to find it; empty: the checker finds it.
struct CodeEntry {
  std::string_view code;     // "E100"
  std::string_view meaning;  // "unknown key"
  std::string_view waits_for;
};

// In order of code.  W210 is retired.
[[nodiscard]] std::span<CodeEntry const> codes();
[[nodiscard]] CodeEntry const* find_code(std::string_view code);

}  // namespace windrow
