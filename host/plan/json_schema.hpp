// A JSON Schema of pipeline files for editors, made from the tables that check them.
#pragma once
#include <string>

namespace windrow {

// Draft 7, one document.  It accepts what `check` accepts; what only the whole graph can tell
// (references, fields, windows that never end) it lets pass.
[[nodiscard]] std::string json_schema();

}  // namespace windrow
