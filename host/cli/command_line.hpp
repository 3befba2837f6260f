// From the words of the command line to one verb and its options.
#pragma once
#include <string>
#include <vector>

namespace windrow::cli {

// An Exit.  Whatever is wrong with the words ends with 64 and a message on stderr that names the
// word, and the one that was likely meant.
[[nodiscard]] int parse_and_run(std::vector<std::string> const& words);

}  // namespace windrow::cli
