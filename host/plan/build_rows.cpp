// Row transforms: what they compute of the fields, row by row (semantics.md 16.3).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/plan/graph_builder.hpp"
#include "host/plan/unit_doubt.hpp"

namespace windrow {
namespace {

using What = ExtractWindowingInfo::What;
struct WindowingInfo {
  std::string_view name;
  What what;
  ValueType type;
  bool windrow;
};
constexpr std::array<WindowingInfo, 9> windowing_infos{
    {{"timestamp", What::timestamp, ValueType::integer, false},
     {"window_start", What::window_start, ValueType::integer, false},
     {"window_end", What::window_end, ValueType::integer, false},
     {"window_string", What::window_string, ValueType::string, false},
     {"window_type", What::window_type, ValueType::string, false},
     {"pane_info", What::pane_info, ValueType::structure, false},
     {"pane_version", What::pane_version, ValueType::integer, true},
     {"deleted", What::deleted, ValueType::boolean, true},
     {"drained", What::drained, ValueType::boolean, true}}};

Field field_named(std::string const& name, WindowingInfo const& info) {
  Field out{name, {info.type, {}}, false};
  if (info.what == What::pane_info) {
    out.type.children = {{"is_first", {ValueType::boolean, {}}, false},
                         {"is_last", {ValueType::boolean, {}}, false},
                         {"timing", {ValueType::string, {}}, false},
                         {"index", {ValueType::integer, {}}, false},
                         {"nonspeculative_index", {ValueType::integer, {}}, false}};
  }
  return out;
}

// The field that an expression hands on: itself, or a member of it.
std::optional<std::size_t> root_field(Expression const& e, bool members) {
  if (e.op == ExpressionOp::field) {
    return e.field;
  }
  return members && e.op == ExpressionOp::member ? root_field(e.args[0], true) : std::nullopt;
}

Language language_of(Keys const& keys) {
  return keys.text("language") == "python" ? Language::python : Language::generic;
}

}  // namespace

std::optional<Expression> GraphBuilder::expression(Work& work, YamlNode const& node,
                                                   bool comparison) {
  if (node.is_map()) {
    report_.add("E107", node,
                fmt::format("{}: callables, files and maps are no expressions here", work.place));
    return std::nullopt;
  }
  // A language that was refused says nothing of the expression.
  if (work.keys.given("language") && !work.keys.has("language")) {
    return std::nullopt;
  }
  return read_expression(context_, node,
                         {work.in.schema, language_of(work.keys), comparison, work.place});
}

bool GraphBuilder::assign_timestamps(Work& work) {
  Keys const& keys = work.keys;
  AssignTimestamps config;
  YamlNode const* const node = keys.find("timestamp");
  std::optional<Expression> e = node == nullptr ? std::nullopt : expression(work, *node, false);
  if (e) {
    std::string const unit = keys.has("unit") ? keys.text("unit") : "";
    bool const text = e->type.kind == ValueType::string;
    config.unit = unit == "ms"                                  ? TimeUnit::ms
                  : unit == "us"                                ? TimeUnit::us
                  : unit == "ns"                                ? TimeUnit::ns
                  : unit == "rfc3339" || (unit.empty() && text) ? TimeUnit::rfc3339
                                                                : TimeUnit::s;
    check_unit(work, *node, e->type, config.unit, keys.has("unit"));
    std::optional<std::size_t> const field = root_field(*e, false);
    auto const number = field ? work.in.numbers.find(*field) : work.in.numbers.end();
    bool const seen = number != work.in.numbers.end();
    config.doubts_unit = !keys.given("unit") && !text && !seen;
    if (std::string const doubt = seen ? unit_doubt(number->second) : "";
        !doubt.empty() && !keys.given("unit")) {
      report_.add("W218", *node, fmt::format("'{}': {}", node->text, doubt));
    }
    config.timestamp = std::move(*e);
  }
  config.watermark = watermark(work, work.in.bounded);
  if (work.in.steps.empty()) {
    work.flow.trackers = {graph_.size()};
  } else if (YamlNode const* const map = keys.find("watermark")) {
    report_.add(
        "E141", *map,
        fmt::format("{} stands below a Combine: it makes no watermark there", work.written.label));
  }
  work.out.config = std::move(config);
  return true;
}

bool GraphBuilder::map_to_fields(Work& work) {
  Keys const& keys = work.keys;
  MapToFields config;
  Flow& flow = work.flow;
  Schema const& in = work.in.schema;
  flow.schema.fields.clear();
  flow.identifies.clear();
  flow.numbers.clear();
  bool const append = keys.boolean("append");
  auto const add = [&](std::string const& name, Expression e) {
    std::optional<std::size_t> const field = root_field(e, false), root = root_field(e, true);
    std::size_t const at = flow.schema.fields.size();
    flow.schema.fields.push_back({name, e.type, e.nullable});
    // A member tells rows apart only where its structure was exploded, so each row has one.
    std::optional<std::size_t> identifies = field ? work.in.identifies[*field] : std::nullopt;
    if (!identifies && root && work.in.identifies[*root] &&
        work.in.identity[*work.in.identifies[*root]].ends_with("[]")) {
      identifies = work.in.identifies[*root];
    }
    flow.identifies.push_back(identifies);
    if (field && work.in.numbers.contains(*field)) {
      flow.numbers[at] = work.in.numbers.at(*field);
    }
    config.columns.push_back(std::move(e));
  };
  std::vector<std::string> drop;
  for (YamlNode const* const node : keys.texts("drop")) {
    if (!append) {
      report_.add("E104", *node, "'drop' needs append: true");
      break;
    }
    if (find_field(context_, *node, node->text, in, work.place)) {
      drop.push_back(node->text);
    }
  }
  for (std::size_t i = 0; append && i < in.fields.size(); ++i) {
    if (std::find(drop.begin(), drop.end(), in.fields[i].name) == drop.end()) {
      add(in.fields[i].name, field_of(in, i));
    }
  }
  YamlNode const* const fields = keys.find("fields");
  bool ok = fields != nullptr;
  for (YamlEntry const& entry : fields == nullptr ? std::vector<YamlEntry>{} : fields->entries) {
    YamlNode const* node = &entry.value;
    YamlNode const* type = nullptr;
    if (node->is_map() && node->find("expression") != nullptr) {
      for (YamlEntry const& inner : node->entries) {
        std::vector<std::string> const legal{"expression", "output_type"};
        if (inner.key.text != "expression" && inner.key.text != "output_type") {
          report_.add("E100", inner.key,
                      fmt::format("unknown key '{}' in field '{}'", inner.key.text, entry.key.text),
                      did_you_mean(inner.key.text, legal));
          ok = false;
        }
      }
      type = node->find("output_type");
      node = node->find("expression");
    }
    if (!node->is_scalar() && !node->is_map()) {
      report_.add("E107", *node,
                  fmt::format("{}: {} is no expression", work.place, kind_of(*node)));
      ok = false;
      continue;
    }
    std::optional<Expression> e = expression(work, *node);
    if (e && type != nullptr) {
      bool const widen = type->text == "number" && e->type.kind == ValueType::integer;
      if (widen) {
        e->type = {ValueType::number, {}};  // an integer widens where it is stored
      } else if (!type->is_scalar() || type->text != name_of(e->type.kind)) {
        report_.add("E140", *type,
                    fmt::format("field '{}' is {}, not {}", entry.key.text, to_string(e->type),
                                kind_of(*type)));
        ok = false;
      }
    }
    if (flow.schema.index_of(entry.key.text)) {
      report_.add("E141", entry.key,
                  fmt::format("field '{}' is in the input already: drop it, or take another name",
                              entry.key.text));
      ok = false;
    } else if (e) {
      add(entry.key.text, std::move(*e));
    } else {
      ok = false;
    }
  }
  if (ok && flow.schema.fields.empty()) {
    report_.add("E104", *fields, fmt::format("{} gives no field", work.written.label));
    ok = false;
  }
  work.out.config = std::move(config);
  return ok;
}

bool GraphBuilder::filter(Work& work) {
  Filter config;
  if (YamlNode const* const node = work.keys.find("keep")) {
    if (std::optional<Expression> e = expression(work, *node)) {
      if (e->type.kind != ValueType::boolean) {
        report_.add(
            "E140", *node,
            fmt::format("{}: keep must be a condition, is {}", work.place, to_string(e->type)));
      }
      config.keep = std::move(*e);
    }
  }
  work.out.config = std::move(config);
  return true;
}

bool GraphBuilder::explode(Work& work) {
  Explode config;
  std::vector<YamlNode const*> const fields = work.keys.texts("fields");
  work.out.config = config;
  if (fields.size() != 1) {
    if (fields.size() > 1) {
      report_.add("E101", *work.keys.find("fields"), "Explode of several fields is not built yet");
    } else if (work.keys.has("fields")) {
      report_.add("E104", *work.keys.find("fields"), "'fields' names no field");
    }
    return false;
  }
  std::optional<std::size_t> const at =
      find_field(context_, *fields[0], fields[0]->text, work.in.schema, work.place);
  if (!at) {
    return false;
  }
  Field& field = work.flow.schema.fields[*at];
  if (field.type.kind != ValueType::list || field.type.children.empty()) {
    report_.add("E140", *fields[0],
                field.type.kind == ValueType::list
                    ? fmt::format("{}: the type of the elements of '{}' is not known", work.place,
                                  field.name)
                    : fmt::format("{}: '{}' is {}, not a list", work.place, field.name,
                                  to_string(field.type)));
    return false;
  }
  Field const element = field.type.children[0];
  field.type = element.type;
  field.nullable = element.nullable;
  // Several rows of one pane: the element is part of what tells them apart.
  work.flow.identifies[*at] = work.flow.identity.size();
  work.flow.identity.push_back(field.name + "[]");
  work.flow.numbers.erase(*at);
  config.field = *at;
  work.out.config = config;
  return true;
}

bool GraphBuilder::extract_windowing_info(Work& work) {
  ExtractWindowingInfo config;
  struct Asked {
    YamlNode const* node;
    std::string name, value;
  };
  std::vector<Asked> asked;
  YamlNode const* const fields = work.keys.find("fields");
  if (fields == nullptr) {
    for (char const* const name : {"timestamp", "window_start", "window_end"}) {
      asked.push_back({&work.at(), name, name});
    }
  } else if (fields->is_map()) {
    for (YamlEntry const& entry : fields->entries) {
      asked.push_back({&entry.value, entry.key.text, entry.value.text});
    }
  } else {
    for (YamlNode const* const node : work.keys.texts("fields")) {
      asked.push_back({node, node->text, node->text});
    }
  }
  std::vector<std::string> legal;
  for (WindowingInfo const& info : windowing_infos) {
    legal.emplace_back(info.name);
  }
  bool ok = true;
  for (Asked const& one : asked) {
    auto const* const info =
        std::find_if(windowing_infos.begin(), windowing_infos.end(),
                     [&](WindowingInfo const& i) { return i.name == one.value; });
    if (info == windowing_infos.end()) {
      report_.add("E141", *one.node, fmt::format("'{}' is no windowing information", one.value),
                  did_you_mean(one.value, legal));
      ok = false;
      continue;
    }
    if (info->windrow) {
      report_.add_on_beam(OnBeam::refused, *one.node,
                          fmt::format("windowing information '{}' is Windrow's own", info->name),
                          fmt::format("ExtractWindowingInfo.fields: {}", info->name));
    }
    if (work.flow.schema.index_of(one.name)) {
      report_.add("E141", *one.node, fmt::format("the rows have a field '{}' already", one.name));
      ok = false;
      continue;
    }
    if (info->what == What::pane_version || info->what == What::drained) {
      work.flow.of_batch = one.node;
    }
    bool const of_step = info->what != What::timestamp && info->what != What::pane_info;
    if (of_step && !work.in.step()) {
      report_.add(
          "E101", *one.node,
          fmt::format("'{}' of rows that no Combine has grouped is not built yet", one.value));
      ok = false;
    }
    work.flow.schema.fields.push_back(field_named(one.name, *info));
    work.flow.identifies.emplace_back();
    config.append.push_back(info->what);
  }
  refuse_regrouped(work, "windowing information of");
  work.out.config = std::move(config);
  return ok;
}

}  // namespace windrow
