// The order of a graph: inputs before readers.
#include "host/plan/transform_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace windrow {
namespace {

// Those of the rest that can reach themselves are the cycle; the first of them tells it.
void report_cycle(std::vector<WrittenTransform> const& transforms, std::size_t start,
                  std::vector<bool>& done, Report& report) {
  std::vector<std::size_t> way{start};
  std::set<std::size_t> seen{start};
  for (;;) {
    auto const& inputs = transforms[way.back()].inputs;
    auto const next = std::find_if(inputs.begin(), inputs.end(),
                                   [&](WrittenEdge const& e) { return !done[e.transform]; });
    if (next == inputs.end()) {
      return;
    }
    way.push_back(next->transform);
    if (seen.insert(next->transform).second) {
      continue;
    }
    auto const begin = std::find(way.begin(), way.end(), way.back());
    std::vector<std::string> labels;
    std::size_t first = way.back();
    for (auto at = begin; at != way.end(); ++at) {
      labels.push_back(transforms[*at].label);
      first = std::min(first, *at);
    }
    std::reverse(labels.begin(), labels.end());
    auto const& edges = transforms[first].inputs;
    auto const edge = std::find_if(edges.begin(), edges.end(),
                                   [&](WrittenEdge const& e) { return !done[e.transform]; });
    YamlNode const& at = edge->at != nullptr ? *edge->at : *transforms[first].node;
    report.add("E102", at, fmt::format("cycle: {}", fmt::join(labels, " -> ")));
    for (auto node = begin; node != way.end(); ++node) {
      done[*node] = true;
    }
    return;
  }
}

}  // namespace

std::vector<WrittenTransform> inputs_first(std::vector<WrittenTransform> transforms,
                                           Report& report) {
  std::vector<std::size_t> order, place(transforms.size(), transforms.size());
  std::vector<bool> done(transforms.size(), false);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < transforms.size(); ++i) {
      bool const ready =
          !done[i] && std::all_of(transforms[i].inputs.begin(), transforms[i].inputs.end(),
                                  [&](WrittenEdge const& e) { return done[e.transform]; });
      if (!ready) {
        continue;
      }
      done[i] = moved = true;
      place[i] = order.size();
      order.push_back(i);
    }
  }
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    if (!done[i]) {
      report_cycle(transforms, i, done, report);
    }
  }
  std::vector<WrittenTransform> out;
  for (std::size_t const i : order) {
    out.push_back(std::move(transforms[i]));
    for (WrittenEdge& edge : out.back().inputs) {
      edge.transform = place[edge.transform];
    }
  }
  return out;
}

}  // namespace windrow
