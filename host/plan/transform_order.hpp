// The order of a graph: inputs before readers.
#pragma once
#include <vector>

#include "host/plan/report.hpp"
#include "host/plan/structure.hpp"

namespace windrow {

// Inputs before their readers, else in the order given; edges are renumbered.  What is in a cycle,
// or behind one, is left out; each cycle is told once (E102).
[[nodiscard]] std::vector<WrittenTransform> inputs_first(std::vector<WrittenTransform> transforms,
                                                         Report& report);

}  // namespace windrow
