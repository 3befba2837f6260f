#include "host/engine/aggregation_spec.hpp"

namespace windrow {
namespace {

bool reads_by_replace(Graph const& graph, std::size_t transform, std::size_t producer) {
  auto const* combine = std::get_if<Combine>(&graph.transforms[transform].config);
  return combine != nullptr && combine->input_panes == Combine::InputPanes::replace &&
         producer_of(graph, transform) == producer;
}

}  // namespace

std::optional<std::size_t> producer_of(Graph const& graph, std::size_t combine) {
  Edge const input = graph.transforms[combine].inputs.at(0);
  if (input.errors) {
    return std::nullopt;  // rows of an error output are no panes
  }
  if (std::holds_alternative<Combine>(graph.transforms[input.transform].config)) {
    return input.transform;
  }
  return graph.transforms[input.transform].step;
}

AggregationSpec aggregation_spec(Graph const& graph, std::size_t combine) {
  auto const& config = std::get<Combine>(graph.transforms[combine].config);
  Windowing const& windowing = config.windowing;
  AggregationSpec spec;
  spec.windows = windowing.windows;
  spec.trigger = compile(windowing.trigger, windowing.merging);
  spec.lateness = windowing.lateness;
  spec.discarding = windowing.discarding;
  spec.timestamp_combiner = windowing.timestamp_combiner;
  spec.on_time = windowing.on_time;
  spec.closing = windowing.closing;
  spec.combines = config.combines;
  spec.tombstones = windowing.windows.kind == WindowKind::sessions && !windowing.discarding;
  spec.relaxed = graph.settings.relaxed;
  spec.withdrawals = config.input_panes == Combine::InputPanes::replace;
  for (std::size_t i = combine + 1; i < graph.transforms.size(); ++i) {
    spec.report_ended = spec.report_ended || reads_by_replace(graph, i, combine);
  }
  return spec;
}

}  // namespace windrow
