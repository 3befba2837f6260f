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

std::optional<FieldType> infer_value(Context& context, YamlNode const& node);

// The type that holds both; none and a finding if there is none.
bool unify(Context& context, YamlNode const& at, FieldType& into, FieldType const& other) {
  if (into == other) {
    return true;
  }
  bool const numeric = (into.kind == ValueType::integer || into.kind == ValueType::number) &&
                       (other.kind == ValueType::integer || other.kind == ValueType::number);
  if (numeric) {
    into.kind = ValueType::number;
    return true;
  }
  if (into.kind == other.kind && into.children.empty()) {
    into = other;
    return true;
  }
  if (into.kind == other.kind && other.children.empty()) {
    return true;
  }
  context.report.add(
      "E141", at,
      fmt::format("{} where the rows before have {}", to_string(other), to_string(into)));
  return false;
}

std::optional<FieldType> infer_value(Context& context, YamlNode const& node) {
  if (node.is_list()) {
    FieldType out{ValueType::list, {}};
    Field element{"element", {}, false};
    bool any = false;
    for (YamlNode const& item : node.items) {
      if (item.is_null()) {
        element.nullable = true;
        continue;
      }
      std::optional<FieldType> const type = infer_value(context, item);
      if (!type) {
        return std::nullopt;
      }
      if (!any) {
        element.type = *type;
        any = true;
      } else if (!unify(context, item, element.type, *type)) {
        return std::nullopt;
      }
    }
    if (any) {
      out.children.push_back(std::move(element));
    }
    return out;
  }
  if (node.is_map()) {
    FieldType out{ValueType::structure, {}};
    for (YamlEntry const& entry : node.entries) {
      Field field{entry.key.text, {}, true};
      if (!entry.value.is_null()) {
        std::optional<FieldType> const type = infer_value(context, entry.value);
        if (!type) {
          return std::nullopt;
        }
        field.type = *type;
      }
      out.children.push_back(std::move(field));
    }
    return out;
  }
  switch (plain_type(node)) {
    case PlainType::boolean:
      return FieldType{ValueType::boolean, {}};
    case PlainType::integer:
      if (!read_integer(node.text)) {
        context.report.add("E141", node, fmt::format("{} is beyond 64 bits", node.text));
        return std::nullopt;
      }
      return FieldType{ValueType::integer, {}};
    case PlainType::number:
      return FieldType{ValueType::number, {}};
    default:
      return FieldType{ValueType::string, {}};
  }
}

// Whether a value of the file fits a type; says so if not.
bool fits(Context& context, YamlNode const& node, Field const& field) {
  if (node.is_null()) {
    return true;
  }
  auto const refuse = [&] {
    context.report.add(
        "E141", node,
        fmt::format("'{}' is {}, here it is {}", field.name, to_string(field.type), kind_of(node)));
    return false;
  };
  if (field.type.kind == ValueType::list) {
    if (!node.is_list()) {
      return refuse();
    }
    return field.type.children.empty() ||
           std::all_of(node.items.begin(), node.items.end(), [&](YamlNode const& item) {
             return fits(context, item, field.type.children[0]);
           });
  }
  if (field.type.kind == ValueType::structure) {
    if (!node.is_map()) {
      return refuse();
    }
    bool ok = true;
    for (YamlEntry const& entry : node.entries) {
      auto const member = std::find_if(field.type.children.begin(), field.type.children.end(),
                                       [&](Field const& f) { return f.name == entry.key.text; });
      if (member != field.type.children.end()) {
        ok = fits(context, entry.value, *member) && ok;
      }
    }
    return ok;
  }
  if (!node.is_scalar()) {
    return refuse();
  }
  PlainType const plain = plain_type(node);
  switch (field.type.kind) {
    case ValueType::boolean:
      return plain == PlainType::boolean || refuse();
    case ValueType::integer:
      return (plain == PlainType::integer && read_integer(node.text)) || refuse();
    case ValueType::number:
      return plain == PlainType::integer || plain == PlainType::number || refuse();
    default:
      return plain == PlainType::text || refuse();
  }
}

}  // namespace

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

std::optional<Schema> infer_schema(Context& context, YamlNode const& elements) {
  Schema schema;
  std::vector<bool> known;
  bool const rows = std::any_of(elements.items.begin(), elements.items.end(),
                                [](YamlNode const& item) { return item.is_map(); });
  auto const add = [&](std::string const& name, YamlNode const& value) {
    std::size_t at = schema.index_of(name).value_or(schema.fields.size());
    if (at == schema.fields.size()) {
      schema.fields.push_back({name, {}, true});
      known.push_back(false);
    }
    if (value.is_null()) {
      return true;
    }
    std::optional<FieldType> const type = infer_value(context, value);
    if (!type) {
      return false;
    }
    if (known[at]) {
      return unify(context, value, schema.fields[at].type, *type);
    }
    schema.fields[at].type = *type;
    known[at] = true;
    return true;
  };
  bool ok = true;
  for (YamlNode const& item : elements.items) {
    if (!rows) {
      ok = add("element", item) && ok;
    } else if (item.is_map()) {
      for (YamlEntry const& entry : item.entries) {
        ok = add(entry.key.text, entry.value) && ok;
      }
    } else {
      context.report.add("E141", item, "an element that is no map among maps");
      ok = false;
    }
  }
  return ok ? std::optional{schema} : std::nullopt;
}

std::vector<std::string> read_elements(Context& context, YamlNode const& elements,
                                       Schema const& schema) {
  std::vector<std::string> out;
  std::vector<std::string> const names = names_of(schema);
  for (YamlNode const& item : elements.items) {
    if (!item.is_map()) {
      if (schema.fields.size() != 1) {
        context.report.add("E141", item,
                           fmt::format("a row of {} fields must be a map", schema.fields.size()));
        continue;
      }
      if (!fits(context, item, schema.fields[0])) {
        continue;
      }
      YamlNode row;
      row.kind = YamlNode::Kind::map;
      YamlNode key = item;
      key.kind = YamlNode::Kind::scalar;
      key.text = schema.fields[0].name;
      row.entries.push_back({key, item});
      out.push_back(json_of(row));
      continue;
    }
    bool ok = true;
    for (YamlEntry const& entry : item.entries) {
      std::optional<std::size_t> const at = schema.index_of(entry.key.text);
      if (!at) {
        context.report.add("E140", entry.key,
                           fmt::format("the rows have no field '{}'", entry.key.text),
                           did_you_mean(entry.key.text, names));
        ok = false;
      } else {
        ok = fits(context, entry.value, schema.fields[*at]) && ok;
      }
    }
    if (ok) {
      out.push_back(json_of(item));
    }
  }
  return out;
}

}  // namespace windrow
