#include "host/plan/schema_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "host/plan/keys.hpp"

namespace windrow {
namespace {

constexpr std::array<std::pair<std::string_view, ValueType>, 7> types{{
    {"boolean", ValueType::boolean},
    {"integer", ValueType::integer},
    {"number", ValueType::number},
    {"string", ValueType::string},
    {"bytes", ValueType::bytes},
    {"array", ValueType::list},
    {"object", ValueType::structure},
}};

// What a reader of data may find in a schema and need not act on.
constexpr std::array<std::string_view, 8> notes{
    "title",   "description", "$schema", "$id",
    "default", "examples",    "format",  "additionalProperties"};

class SchemaReader {
 public:
  explicit SchemaReader(Report& report) : report_(report) {}

  // Nullable is left to the caller but for `type: [.., null]`.
  std::optional<FieldType> read(YamlNode const& node, bool& nullable) {
    if (!node.is_map()) {
      report_.add("E141", node, fmt::format("a JSON Schema must be a map, is {}", kind_of(node)));
      return std::nullopt;
    }
    bool ok = true;
    for (YamlEntry const& entry : node.entries) {
      std::string const& key = entry.key.text;
      bool const known = key == "type" || key == "properties" || key == "required" ||
                         key == "items" ||
                         std::find(notes.begin(), notes.end(), key) != notes.end();
      if (!known) {
        std::vector<std::string> const legal{"type", "properties", "required", "items"};
        report_.add("E100", entry.key, fmt::format("unknown key '{}' in a JSON Schema", key),
                    did_you_mean(key, legal));
        ok = false;
      }
    }
    std::optional<ValueType> const type = read_type(node, nullable);
    if (!type) {
      return std::nullopt;
    }
    FieldType out{*type, {}};
    if (*type == ValueType::structure) {
      ok = read_properties(node, out) && ok;
    }
    if (YamlNode const* const items = node.find("items");
        items != nullptr && *type == ValueType::list) {
      Field element{"element", {}, false};
      std::optional<FieldType> const inner = read(*items, element.nullable);
      if (!inner) {
        return std::nullopt;
      }
      element.type = *inner;
      out.children.push_back(std::move(element));
    }
    return ok ? std::optional{out} : std::nullopt;
  }

 private:
  std::optional<ValueType> named(YamlNode const& node, bool& nullable) {
    for (auto const& [name, type] : types) {
      if (node.text == name) {
        return type;
      }
    }
    if (node.text == "null" || node.is_null()) {
      nullable = true;
      return std::nullopt;
    }
    std::vector<std::string> legal{"null"};
    for (auto const& [name, type] : types) {
      legal.emplace_back(name);
    }
    report_.add("E141", node, fmt::format("'{}' is no type of a JSON Schema", node.text),
                did_you_mean(node.text, legal));
    failed_ = true;
    return std::nullopt;
  }

  std::optional<ValueType> read_type(YamlNode const& node, bool& nullable) {
    YamlNode const* const type = node.find("type");
    if (type == nullptr) {
      if (node.find("properties") != nullptr) {
        return ValueType::structure;
      }
      report_.add("E104", node, "'type' is missing in a JSON Schema");
      return std::nullopt;
    }
    std::optional<ValueType> found;
    std::size_t count = 0;
    failed_ = false;
    if (type->is_list()) {
      for (YamlNode const& item : type->items) {
        if (std::optional<ValueType> const one = named(item, nullable)) {
          found = one;
          ++count;
        }
      }
    } else if (!type->is_map()) {
      found = named(*type, nullable);
      count = found ? 1 : 0;
    }
    if (failed_) {
      return std::nullopt;
    }
    if (count != 1) {
      report_.add("E141", *type, "a field has one type, or one and null");
      return std::nullopt;
    }
    return found;
  }

  bool read_properties(YamlNode const& node, FieldType& out) {
    bool ok = true;
    YamlNode const* const properties = node.find("properties");
    YamlNode const* const required = node.find("required");
    if (properties != nullptr && !properties->is_map()) {
      report_.add("E141", *properties, "'properties' must be a map");
      return false;
    }
    if (properties != nullptr) {
      for (YamlEntry const& entry : properties->entries) {
        Field field{entry.key.text, {}, true};
        if (required != nullptr) {
          field.nullable =
              std::none_of(required->items.begin(), required->items.end(),
                           [&](YamlNode const& item) { return item.text == field.name; });
        }
        std::optional<FieldType> const type = read(entry.value, field.nullable);
        if (!type) {
          ok = false;
          continue;
        }
        field.type = *type;
        out.children.push_back(std::move(field));
      }
    }
    if (required != nullptr) {
      std::vector<std::string> legal;
      for (Field const& field : out.children) {
        legal.push_back(field.name);
      }
      for (YamlNode const& item : required->items) {
        if (properties != nullptr && properties->find(item.text) == nullptr) {
          report_.add("E140", item, fmt::format("'{}' is required and no property", item.text),
                      did_you_mean(item.text, legal));
          ok = false;
        }
      }
    }
    return ok;
  }

  Report& report_;
  bool failed_ = false;
};

}  // namespace

std::optional<Schema> read_schema(Context& context, YamlNode const& node) {
  YamlNode const* const map = node.is_scalar() ? context.read_inside(node) : &node;
  if (map == nullptr) {
    return std::nullopt;
  }
  bool nullable = false;
  std::optional<FieldType> type = SchemaReader{context.report}.read(*map, nullable);
  if (!type) {
    return std::nullopt;
  }
  if (type->kind != ValueType::structure || type->children.empty()) {
    context.report.add("E141", *map, "a schema of rows is of type object and has properties");
    return std::nullopt;
  }
  return Schema{std::move(type->children)};
}

}  // namespace windrow
