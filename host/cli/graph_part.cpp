// Depth first from the ends, so that the result is in topological order again.
#include "host/cli/graph_part.hpp"

#include <algorithm>

namespace windrow::cli {
namespace {

class Part {
 public:
  explicit Part(std::vector<Transform> all) : all_(std::move(all)), place_(all_.size(), SIZE_MAX) {}

  void keep(std::size_t at) {
    if (place_[at] != SIZE_MAX) {
      return;
    }
    Transform transform = all_[at];
    for (Edge& edge : transform.inputs) {
      keep(edge.transform);
      edge.transform = place_[edge.transform];
    }
    place_[at] = kept_.size();
    kept_.push_back(std::move(transform));
  }

  std::vector<Transform> take() {
    for (std::size_t at = 0; at < kept_.size(); ++at) {
      if (kept_[at].step) {
        kept_[at].step = place_[*kept_[at].step];
      }
      bool const read = std::any_of(kept_.begin(), kept_.end(), [&](Transform const& other) {
        return std::any_of(other.inputs.begin(), other.inputs.end(),
                           [&](Edge const& edge) { return edge.errors && edge.transform == at; });
      });
      kept_[at].has_errors = kept_[at].has_errors && read;
    }
    return std::move(kept_);
  }

 private:
  std::vector<Transform> all_;
  std::vector<std::size_t> place_;  // of a transform among those kept
  std::vector<Transform> kept_;
};

}  // namespace

Graph part_leading_to(Graph graph, std::vector<std::size_t> const& ends) {
  Part part(std::move(graph.transforms));
  for (std::size_t const end : ends) {
    part.keep(end);
  }
  graph.transforms = part.take();
  return graph;
}

}  // namespace windrow::cli
