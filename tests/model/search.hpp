// Visits every state that a protocol can reach, nearest first.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/model/protocol.hpp"

namespace windrow::model {

//   trace     the shortest one to what is broken, or empty
//   complete  states in which the whole input is in the sink
//   taken     how often each action was
struct Result {
  Broken broken = Broken::none;
  std::vector<Step> trace;
  std::size_t states = 0, transitions = 0, complete = 0;
  bool whole = true;  // not ended by `states_max`
  double seconds = 0;
  std::map<std::string, std::size_t> taken;
};

// Ends at the first step, or state, that breaks an invariant; with `promise_only` one of the
// promise.
[[nodiscard]] Result search(Rules const& rules, Bounds const& bounds, bool promise_only,
                            std::size_t states_max = 1U << 30U);
[[nodiscard]] std::string text_of(Step const& step);

}  // namespace windrow::model
