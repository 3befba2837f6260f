// Names in SQL text.
#pragma once
#include <string>
#include <string_view>

namespace windrow {

// "name" with quotes doubled: an identifier of any spelling.
[[nodiscard]] inline std::string quoted(std::string_view identifier) {
  std::string out = "\"";
  for (char const c : identifier) {
    out += c;
    if (c == '"') {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace windrow
