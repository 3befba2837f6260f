// What of a graph decides results, by name: a state belongs to one such list (connectors.md 1.2).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "host/engine/snapshot.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// One transform, in the order of the graph.
//   inputs  names of the transforms that it reads
//   parts   by the names of their keys in pipeline files, where they have one
struct TransformParts {
  struct Part {
    std::string name;
    std::uint64_t hash = 0;
    bool operator==(Part const&) const = default;
  };
  std::string name;
  std::vector<std::string> inputs;
  std::vector<Part> parts;
  bool operator==(TransformParts const&) const = default;
};
using GraphParts = std::vector<TransformParts>;

// Sources (what they read and how time follows it), row transforms, steps, schemas, edges, names,
// and how sinks name their rows.  Not: addresses, credentials, paths of sinks, start positions,
// which a state makes meaningless, engine settings, places in the file.
[[nodiscard]] GraphParts graph_parts(Graph const& graph);
[[nodiscard]] std::uint64_t graph_hash(GraphParts const& parts);

void put(ByteWriter& out, GraphParts const& parts);
[[nodiscard]] GraphParts get_graph_parts(ByteReader& in);

// What a change of the graph means for the state of one transform.
//   kept          it and all that it reads are the same
//   reset         it is new, and would begin empty, or it is gone
//   incompatible  `parts` of it differ, or what it `reads`
struct TransformChange {
  enum class Kind : std::uint8_t { kept, added, gone, incompatible } kind = Kind::kept;
  std::string name;
  std::vector<std::string> parts, reads;
};
// Those of `now`, then what is gone.
[[nodiscard]] std::vector<TransformChange> compare(GraphParts const& before, GraphParts const& now);
// In a few words, what a start refuses for; empty where the two are the same, in the same order.
[[nodiscard]] std::string differences(GraphParts const& before, GraphParts const& now);

}  // namespace windrow
