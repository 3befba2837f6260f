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

namespace {

// body(field) for the totals that last, in the order in which they are written.
template <class Stats, class Body>
void each_total(Stats& stats, Body&& body) {
  for (auto* const counter :
       {&stats.rows, &stats.late, &stats.assigned, &stats.aggregated, &stats.dropped_late,
        &stats.dropped_closed, &stats.no_window, &stats.overflow, &stats.panes_early,
        &stats.panes_on_time, &stats.panes_late, &stats.tombstones, &stats.evaluations}) {
    body(*counter);
  }
}

}  // namespace

void AggregationClocks::write(SnapshotWriter& out) const {
  ByteWriter bytes;
  bytes.put(w.us);
  bytes.put(w_out.us);
  bytes.put(p_us);
  bytes.put(rows);
  each_total(totals, [&](std::uint64_t counter) { bytes.put(counter); });
  out.piece("clocks", 0, bytes.bytes());
}

void AggregationClocks::read(std::string_view bytes) {
  ByteReader in(bytes);
  w.us = in.get<std::int64_t>();
  w_out.us = in.get<std::int64_t>();
  p_us = in.get<std::int64_t>();
  rows = in.get<std::uint64_t>();
  each_total(totals, [&](std::uint64_t& counter) { counter = in.get<std::uint64_t>(); });
  if (!in.empty()) {
    throw EnvironmentError("snapshot: a piece is too long", 74);
  }
}

}  // namespace windrow
