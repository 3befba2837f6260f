// When a step can give its first result: the first question when nothing comes out.
#pragma once
#include <cstddef>
#include <string>

#include "host/plan/graph.hpp"

namespace windrow::cli {

// "60s after the first row of a key", "the end of the input": what must have happened before, in
// words; a result may well be later.  `at`: a Combine.
[[nodiscard]] std::string first_result(Graph const& graph, std::size_t at);

}  // namespace windrow::cli
