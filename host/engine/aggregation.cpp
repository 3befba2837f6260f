// The columns of a step's panes.
#include "host/engine/aggregation.hpp"

namespace windrow {
namespace {

template <class T>
void append_all(std::vector<T>& to, std::vector<T> const& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

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

void PaneBatch::reserve(std::size_t panes) {
  key.reserve(panes);
  window.reserve(panes);
  timestamp.reserve(panes);
  info.reserve(panes);
  deleted.reserve(panes);
  phase.reserve(panes);
  overflow.reserve(panes);
}

void PaneBatch::append(PaneBatch const& from) {
  append_all(key, from.key);
  append_all(window, from.window);
  append_all(firing, from.firing);
  append_all(timestamp, from.timestamp);
  append_all(info, from.info);
  append_all(deleted, from.deleted);
  append_all(phase, from.phase);
  append_all(overflow, from.overflow);
  for (std::size_t c = 0; c < values.size(); ++c) {
    values[c].append_all(from.values[c]);
  }
}

void AggregationOutput::reset(std::vector<CombineFn> const& combines) {
  panes.reset(combines);
  dropped.clear();
  ended.clear();
  freed.clear();
}

void AggregationOutput::append(AggregationOutput const& from) {
  panes.append(from.panes);
  append_all(dropped, from.dropped);
  append_all(ended, from.ended);
  append_all(freed, from.freed);
}

}  // namespace windrow
