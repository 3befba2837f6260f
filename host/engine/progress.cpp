// The laws of conservation: nothing is lost between two counters.
#include "host/engine/progress.hpp"

#include <fmt/format.h>

namespace windrow {

std::vector<std::string> broken_laws(Progress const& progress) {
  std::vector<std::string> broken;
  for (SourceProgress const& source : progress.sources) {
    if (source.read != source.decoded + source.rejected) {
      broken.push_back(
          fmt::format("source: read = decoded + rejected: source={} read={} decoded={} rejected={}",
                      source.name, source.read, source.decoded, source.rejected));
    }
  }
  for (StepProgress const& step : progress.steps) {
    AggregationStats const& stats = step.stats;
    if (stats.assigned != stats.aggregated + stats.dropped_late + stats.dropped_closed) {
      broken.push_back(fmt::format(
          "step: assigned = aggregated + dropped_late + dropped_closed: step={} assigned={} "
          "aggregated={} dropped_late={} dropped_closed={}",
          step.name, stats.assigned, stats.aggregated, stats.dropped_late, stats.dropped_closed));
    }
  }
  for (SinkProgress const& sink : progress.sinks) {
    if (sink.taken != sink.rows + sink.superseded + sink.dead_letters + sink.queued) {
      broken.push_back(fmt::format(
          "sink: taken = rows + superseded + dead_letters + queued: sink={} taken={} rows={} "
          "superseded={} dead_letters={} queued={}",
          sink.name, sink.taken, sink.rows, sink.superseded, sink.dead_letters, sink.queued));
    }
  }
  return broken;
}

}  // namespace windrow
