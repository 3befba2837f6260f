// The transforms of a file, composites and chains taken apart, inputs resolved, in topological
// order.
#pragma once
#include <string>
#include <vector>

#include "host/plan/context.hpp"
#include "host/plan/key_table.hpp"

namespace windrow {

// An input: which transform, and where the file says so (null where a chain implies it).
struct WrittenEdge {
  std::size_t transform = 0;
  bool errors = false;
  YamlNode const* at = nullptr;
};

//   name       unique; "Outer/Inner" inside of a composite
//   label      as the user says it, for messages
//   windowing  maps to apply in order: of the composites around it, then its own; of a source to
//   its
//              output, else to its inputs
//   ok         false: an input is missing or refused, so its rows are not known
struct WrittenTransform {
  YamlNode const* node = nullptr;
  YamlNode const* type_node = nullptr;
  TransformSpec const* spec = nullptr;
  YamlNode const* config = nullptr;
  std::string name, label, type;
  std::vector<WrittenEdge> inputs;
  std::vector<YamlNode const*> windowing;
  bool ok = true;
};

[[nodiscard]] std::vector<WrittenTransform> read_structure(Context& context,
                                                           YamlNode const& pipeline);

}  // namespace windrow
