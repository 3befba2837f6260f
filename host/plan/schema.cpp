// Schemas as text.
#include "host/plan/schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace windrow {

std::string_view name_of(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return "boolean";
    case ValueType::integer:
      return "integer";
    case ValueType::number:
      return "number";
    case ValueType::string:
      return "string";
    case ValueType::bytes:
      return "bytes";
    case ValueType::list:
      return "list";
    case ValueType::structure:
      return "struct";
  }
  return {};
}

std::string to_string(FieldType const& type) {
  if (type.children.empty()) {
    return std::string{name_of(type.kind)};
  }
  if (type.kind == ValueType::list) {
    return "list of " + to_string(type.children[0].type);
  }
  std::vector<std::string> fields;
  for (Field const& field : type.children) {
    fields.push_back(fmt::format("{}: {}", field.name, to_string(field.type)));
  }
  return fmt::format("{{{}}}", fmt::join(fields, ", "));
}

std::vector<std::string> names_of(Schema const& schema) {
  std::vector<std::string> names;
  for (Field const& field : schema.fields) {
    names.push_back(field.name);
  }
  return names;
}

}  // namespace windrow
