// `tests` of a pipeline file, kept as written for `windrow test`.
#pragma once
#include <vector>

#include "host/plan/context.hpp"

namespace windrow {

[[nodiscard]] std::vector<PipelineTest> read_tests(Context& context, YamlNode const& node);

}  // namespace windrow
