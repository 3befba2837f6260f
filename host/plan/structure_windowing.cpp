// Which windowing maps apply to which transform.
#include <algorithm>
#include <set>

#include "host/plan/structure_scope.hpp"

namespace windrow {
namespace {

void leaves(Composite const& scope, std::set<std::size_t>& out) {
  for (Entry const& entry : scope.entries) {
    if (entry.leaf) {
      out.insert(*entry.leaf);
    }
    if (entry.composite) {
      leaves(*entry.composite, out);
    }
  }
}

void push_down(Composite const& scope, std::vector<WrittenTransform>& flat) {
  std::set<std::size_t> inside;
  leaves(scope, inside);
  for (std::size_t const index : inside) {
    WrittenTransform& leaf = flat[index];
    YamlNode const* const own = leaf.node->find("windowing");
    bool const has_own = own != nullptr && !own->is_null();
    bool const root =
        std::none_of(leaf.inputs.begin(), leaf.inputs.end(),
                     [&](WrittenEdge const& edge) { return inside.contains(edge.transform); });
    if (root && !has_own && leaf.windowing.empty() && leaf.type != "WindowInto") {
      leaf.windowing = scope.windowing;
    }
  }
  for (Entry const& entry : scope.entries) {
    if (!entry.composite) {
      continue;
    }
    // An inner composite's own windowing counts more than that around it.
    if (!entry.composite->windowing.empty()) {
      std::set<std::size_t> inner;
      leaves(*entry.composite, inner);
      for (std::size_t const index : inner) {
        if (flat[index].windowing == scope.windowing) {
          flat[index].windowing.clear();
        }
      }
    }
    push_down(*entry.composite, flat);
  }
}

}  // namespace

void push_windowing(Composite const& root, std::vector<WrittenTransform>& flat) {
  push_down(root, flat);
  for (WrittenTransform& leaf : flat) {
    YamlNode const* const own = leaf.node->find("windowing");
    if (own != nullptr && !own->is_null()) {
      leaf.windowing = {own};
    }
  }
}

}  // namespace windrow
