// What a pipeline under a transcript gave, and the comparison with what the transcript expects.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/cli/transcript/node.hpp"
#include "host/engine/batch.hpp"

namespace windrow::transcript {

// One pane or tombstone, copied out of its batch.
struct Observed {
  std::string step;
  std::vector<std::string> key;  // group fields as text
  Window window;
  EventTime timestamp;
  PaneInfo info;
  bool deleted = false, drained = false;
  std::vector<std::pair<std::string, std::string>> columns;  // name, encoded value
  std::size_t order = 0;  // place among the panes since the last action, as the format counts
};

// Does a pane agree with every attribute that the expectation gives?
bool agrees(Node const& expected, Observed const& pane, std::int64_t unit_us);
std::string describe(Observed const& pane);

}  // namespace windrow::transcript
