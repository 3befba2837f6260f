// The files of examples/, as they were when the command was built.
#pragma once
#include <string_view>

namespace windrow::cli {

// The text of examples/<name>, empty if there is none.
[[nodiscard]] std::string_view example(std::string_view name);

}  // namespace windrow::cli
