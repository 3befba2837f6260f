// Scopes of a pipeline file while its structure is read: the pipeline and the composites in it.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/plan/structure.hpp"

namespace windrow {

struct Composite;

// One transform of a scope: a leaf (an index into the flat list) or a composite.
//   before   in a chain: reads the entry before it instead of an `input`
struct Entry {
  std::string name, type;
  YamlNode const* node = nullptr;
  std::optional<std::size_t> leaf;
  std::unique_ptr<Composite> composite;
  bool in_chain = false;
  std::optional<std::size_t> before;
};
struct Composite {
  YamlNode const* node = nullptr;
  std::string label;
  Composite* parent = nullptr;
  bool chain = false;
  std::vector<Entry> entries;
  std::size_t chain_length = 0;            // extra_transforms come after these
  std::vector<YamlNode const*> windowing;  // of this one and those around it
  std::size_t own = 0;                     // its entry in the parent
  bool resolving = false;  // its inputs or output: seen again, it is part of a cycle
};

// Fills `inputs` of every leaf below `root`, or reports why there are none (E102, E104).
void resolve_inputs(Report& report, Composite& root, std::vector<WrittenTransform>& flat);
// Windowing of composites goes to their roots: to what reads nothing of the same composite.
void push_windowing(Composite const& root, std::vector<WrittenTransform>& flat);

}  // namespace windrow
