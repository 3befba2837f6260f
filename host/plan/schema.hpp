// Names and types of the columns of an output.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/value.hpp"

namespace windrow {

struct Field;
// `children`: of a list its one element field, of a structure its fields; empty if not known.
struct FieldType {
  ValueType kind = ValueType::string;
  std::vector<Field> children;  // no initialiser: it would need Field, which is not complete here
  bool operator==(FieldType const&) const;
};
struct Field {
  std::string name;
  FieldType type;
  bool nullable = true;
  bool operator==(Field const&) const = default;
};
inline bool FieldType::operator==(FieldType const& other) const {
  return kind == other.kind && children == other.children;
}

// "number"; "list of {url: string, views: integer}"
[[nodiscard]] std::string_view name_of(ValueType type);
[[nodiscard]] std::string to_string(FieldType const& type);

struct Schema {
  std::vector<Field> fields;
  [[nodiscard]] std::optional<std::size_t> index_of(std::string_view name) const {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) {
        return i;
      }
    }
    return std::nullopt;
  }
  bool operator==(Schema const&) const = default;
};
[[nodiscard]] std::vector<std::string> names_of(Schema const& schema);

// What the first rows of files say of their fields.
//   numbers  of top-level integer and number fields the first value (W218)
struct InferredSchema {
  std::optional<Schema> schema;  // none: `fault` says why
  std::map<std::string, double> numbers;
  std::string fault;
};

}  // namespace windrow
