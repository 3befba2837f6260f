// {{ name }} before parsing and ${NAME} after it (semantics.md 16.1).
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/plan/position.hpp"

namespace windrow {

// Where values of variables stand in a filled text, so that columns of it can be led back.
struct FilledPlaces {
  struct Place {
    int line;                  // from 1; a value never has a line break
    int begin, end;            // columns of the value, half-open, from 1
    int from_begin, from_end;  // columns of the {{ name }} it stands for
  };
  std::vector<Place> places;  // in order
  [[nodiscard]] Position before(Position at) const;
};

struct TemplateFault {  // E106
  Position at;
  int length = 1;
  std::string text, name;  // name: of an undefined variable
};
struct Filled {
  std::string text;
  FilledPlaces places;
  std::vector<TemplateFault> faults;
};
// Replaces every {{ name }} outside of comments; refuses every other Jinja construct.
[[nodiscard]] Filled fill_template(std::string_view text,
                                   std::map<std::string, std::string> const& vars);

using Environment = std::function<std::optional<std::string>(std::string_view name)>;
struct Expanded {
  std::string text;
  bool replaced = false;
  std::vector<std::string> names;  // of all variables in it
  std::vector<std::string> unset;  // of those without value and default
};
// ${NAME}, ${NAME:default} and $${ in one scalar; what is put in is never scanned again.
[[nodiscard]] Expanded expand_environment(std::string_view text, Environment const& environment);

[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

}  // namespace windrow
