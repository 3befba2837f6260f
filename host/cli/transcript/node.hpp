// A document tree, the same whether it came as YAML or as JSON, and back to text that YAML reads.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windrow::transcript {

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map } kind = Kind::null;
  std::string text;     // scalar
  bool quoted = false;  // scalar: a string even if it looks like a number
  std::vector<Node> items;
  std::vector<std::pair<std::string, Node>> fields;  // in the order written

  static Node plain(std::string text);
  static Node string(std::string text);
  static Node list(std::vector<Node> items = {});
  static Node map(std::vector<std::pair<std::string, Node>> fields = {});

  [[nodiscard]] Node const* find(std::string_view name) const;  // of a map; null if it has none
  [[nodiscard]] Node& operator[](std::string_view name);        // of a map; added if it has none
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_true() const { return kind == Kind::scalar && text == "true"; }
};

// All documents of a YAML text; throws std::runtime_error with the line on bad YAML.
std::vector<Node> parse_yaml(std::string const& text);
// One JSON document.
Node parse_json(std::string_view line);
// JSON text of a tree that came from JSON.
std::string to_json(Node const& node);
// Flow text that YAML reads as the same tree.
std::string to_flow(Node const& node);

}  // namespace windrow::transcript
