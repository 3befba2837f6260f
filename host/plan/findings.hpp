// What is wrong with a pipeline file, where, and what to do: collected, never stopped at the first.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace windrow {

// beam: nothing is wrong, but Apache Beam takes it otherwise.
enum class Severity : std::uint8_t { error, warning, beam };

//   code         of codes.hpp; of Severity::beam: refused, ignored or differs; unreadable: of a
//   file
//                that cannot be read, which has no line
//   file         name of the text it is in: the pipeline file, the -c overlay or "command line"
//   line, column from 1, in that text as the user wrote it
//   path         full key path: pipeline.transforms[2].windowing.size
//   source_line  the line, without line break; secrets blackened
//   length       of the caret line
//   suggestion   "did you mean 'size'?", or empty
struct Finding {
  Severity severity = Severity::error;
  std::string code;
  std::string file;
  int line = 0, column = 0;
  std::string text, path, source_line;
  int length = 1;
  std::string suggestion;
};

[[nodiscard]] bool has_errors(std::vector<Finding> const& findings);

// operations.md 2: `file:line:column: severity[code] text`, the line, a caret, the suggestion, the
// path.
[[nodiscard]] std::string to_text(Finding const& finding);
// One JSON array of objects, one key per member above.
[[nodiscard]] std::string to_json(std::vector<Finding> const& findings);

}  // namespace windrow
