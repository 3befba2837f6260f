// The end summary of a run, with both conservation laws (operations.md 4).
#pragma once
#include <string>

#include "host/engine/progress.hpp"

namespace windrow::cli {

[[nodiscard]] std::string summary_text(Summary const& summary);
[[nodiscard]] std::string summary_json(Summary const& summary);

}  // namespace windrow::cli
