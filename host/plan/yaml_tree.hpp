// A YAML document as a tree that knows where each of its parts stands in the text as the user wrote
// it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/plan/position.hpp"
#include "host/plan/template.hpp"

namespace windrow {

struct YamlEntry;

//   text      of a scalar, after ${NAME} was replaced
//   quoted    a quoted or block scalar: text even where it looks like a number
//   replaced  an environment variable is in it: typed by its key, quoted or not
//   unset     a variable in it has no value, which is reported: nothing can be said of `text`
//   at        of the key for a null value without text; from 1
//   length    in the text, 1 where it is not one word of one line
//   verbatim  offset i of `text` stands at column at.column + opening + i
//   source    index of the text (TextSources)
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;
  bool quoted = false, replaced = false, unset = false, verbatim = false;
  int length = 1, opening = 0;
  Position at;
  std::uint8_t source = 0;
  std::string path;
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;

  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  // A scalar that YAML reads as that type: not quoted, or from the environment.
  [[nodiscard]] bool is_plain() const { return is_scalar() && (!quoted || replaced); }
  [[nodiscard]] YamlNode const* find(std::string_view key) const;  // value, of a map
  [[nodiscard]] YamlNode const* find_key(std::string_view key) const;
};
struct YamlEntry {
  YamlNode key, value;
};
inline YamlNode const* YamlNode::find(std::string_view key) const {
  for (YamlEntry const& entry : entries) {
    if (entry.key.text == key) {
      return &entry.value;
    }
  }
  return nullptr;
}
inline YamlNode const* YamlNode::find_key(std::string_view key) const {
  for (YamlEntry const& entry : entries) {
    if (entry.key.text == key) {
      return &entry.key;
    }
  }
  return nullptr;
}

// Reads one document.  `places` maps positions of `text` to those of the text before the template
// was filled in; `lines` is that text.  Keys given twice (the first one counts), anchors that hold
// themselves and whatever is not YAML come out as `faults` (E142), each with its place.
struct YamlFault {
  Position at;
  int length = 1;
  std::string text, path;
};
struct YamlDocument {
  YamlNode root;
  std::vector<YamlFault> faults;
  bool parsed = true;  // false: not YAML, `root` is null
};
[[nodiscard]] YamlDocument read_yaml(std::string const& text, std::vector<std::string> const& lines,
                                     FilledPlaces const& places, std::uint8_t source);

// The value as JSON: plain scalars as YAML's core schema types them, numbers digit by digit.
[[nodiscard]] std::string json_of(YamlNode const& node);

enum class PlainType : std::uint8_t { null, boolean, integer, number, text };
[[nodiscard]] PlainType plain_type(YamlNode const& node);  // of a scalar or null

}  // namespace windrow
