#include "host/plan/context.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace windrow {
namespace {

void move_into(YamlNode& node, YamlNode const& scalar) {
  node.source = scalar.source;
  node.path = node.path.empty() ? scalar.path : scalar.path + ':' + node.path;
  if (scalar.verbatim && node.at.line == 1) {
    node.at = {scalar.at.line, scalar.at.column + scalar.opening + node.at.column - 1};
  } else {
    node.at = scalar.at;
    node.length = scalar.length;
    node.verbatim = false;
  }
  for (YamlNode& item : node.items) {
    move_into(item, scalar);
  }
  for (YamlEntry& entry : node.entries) {
    move_into(entry.key, scalar);
    move_into(entry.value, scalar);
  }
}

}  // namespace

YamlNode const* Context::read_inside(YamlNode const& scalar) {
  YamlDocument document = read_yaml(scalar.text, split_lines(scalar.text), {}, scalar.source);
  for (YamlFault const& fault : document.faults) {
    std::size_t const offset = fault.at.line == 1 && fault.at.column > 0
                                   ? static_cast<std::size_t>(fault.at.column - 1)
                                   : 0;
    report.add_inside("E142", scalar, std::min(offset, scalar.text.size()),
                      static_cast<std::size_t>(fault.length), fault.text);
  }
  if (!document.parsed) {
    return nullptr;
  }
  move_into(document.root, scalar);
  documents.push_back(std::move(document.root));
  return &documents.back();
}

}  // namespace windrow
