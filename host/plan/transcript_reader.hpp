// The `transcript` of a test in a pipeline file (semantics.md 18.1): its actions, checked by name
// and kind; what they do is up to `windrow test`.
#pragma once
#include <vector>

#include "host/plan/context.hpp"

namespace windrow {

[[nodiscard]] std::vector<TestAction> read_transcript(Context& context, YamlNode const& list);

}  // namespace windrow
