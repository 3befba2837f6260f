// The columns of a step's panes.
#include "host/engine/aggregation.hpp"

namespace windrow {

void PaneBatch::reset(std::vector<CombineFn> const& combines) {
  key.clear();
  window.clear();
  firing.clear();
  timestamp.clear();
  info.clear();
  deleted.clear();
  phase.clear();
  overflow.clear();
  values.resize(combines.size());
  for (std::size_t i = 0; i < combines.size(); ++i) {
    values[i].reset(result_type(combines[i]));
  }
}

}  // namespace windrow
