#include "host/plan/row_elements.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/plan/keys.hpp"

namespace windrow {
namespace {

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
