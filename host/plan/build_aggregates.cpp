// The aggregates of a Combine (semantics.md 16.4).
#include <fmt/format.h>

#include <algorithm>

#include "host/model/hyperloglog.hpp"
#include "host/plan/aggregate_table.hpp"
#include "host/plan/graph_builder.hpp"

namespace windrow {
namespace {

bool fits(Takes takes, ValueType type) {
  switch (takes) {
    case Takes::anything:
      return true;
    case Takes::numbers:
      return type == ValueType::integer || type == ValueType::number;
    case Takes::scalars:
      return type <= ValueType::bytes;
    case Takes::booleans:
      return type == ValueType::boolean;
    case Takes::lists:
      return type == ValueType::list;
    case Takes::structures:
      return type == ValueType::structure;
  }
  return false;
}
std::string_view words(Takes takes) {
  switch (takes) {
    case Takes::numbers:
      return "numbers";
    case Takes::scalars:
      return "booleans, numbers, strings or bytes";
    case Takes::booleans:
      return "booleans";
    case Takes::lists:
      return "lists";
    case Takes::structures:
      return "a map of fields: {url: url, views: views}";
    case Takes::anything:
      return "anything";
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

// Settings of approx_quantile; true if they are good.
bool read_quantiles(Report& report, Keys const& keys, CombineFn& fn) {
  std::vector<YamlNode const*> const all = keys.texts("q");
  double const accuracy = keys.number("accuracy").value_or(quantile_accuracy_max);
  if (accuracy < quantile_accuracy_min || accuracy > quantile_accuracy_max) {
    YamlNode const& at = *keys.find("accuracy");
    report.add("E141", at,
               fmt::format("'accuracy' must be from {} to {}, is {}", quantile_accuracy_min,
                           quantile_accuracy_max, kind_of(at)));
    return false;
  }
  if (all.size() > quantiles_max) {
    report.add("E141", *all[quantiles_max],
               fmt::format("'q' has {} numbers, the limit is {}", all.size(), quantiles_max));
    return false;
  }
  fn.n = quantile_buckets(accuracy);
  if (keys.has("q") && keys.find("q")->is_list()) {
    fn.quantiles = static_cast<std::uint8_t>(all.size());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    fn.q[i] = read_number(all[i]->text).value_or(0);
  }
  return true;
}

// Equal in all that a value column is.
bool same(Expression const& a, Expression const& b) {
  return a.op == b.op && a.value == b.value && a.field == b.field && a.name == b.name &&
         a.type == b.type &&
         std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(), same);
}

}  // namespace

// Takes the written form apart; none if it is no aggregate.
std::optional<GraphBuilder::Aggregate> GraphBuilder::read_aggregate(Work& work,
                                                                    YamlEntry const& entry) {
  bool const sql = work.keys.text("language") == "sql";
  YamlNode const& node = entry.value;
  if (sql && node.is_scalar()) {
    return read_sql(work, entry);
  }
  Aggregate out;
  YamlNode const* fn = &node;
  bool const long_form = node.is_map() && node.find("type") == nullptr;
  if (long_form) {
    for (YamlEntry const& inner : node.entries) {
      std::vector<std::string> const legal{"value", "fn"};
      if (inner.key.text != "value" && inner.key.text != "fn") {
        report_.add(
            "E100", inner.key,
            fmt::format("unknown key '{}' in aggregate '{}'", inner.key.text, entry.key.text),
            did_you_mean(inner.key.text, legal));
        return std::nullopt;
      }
    }
    fn = node.find("fn");
    out.value = node.find("value");
    if (fn == nullptr) {
      report_.add("E104", entry.key,
                  fmt::format("'fn' is missing in aggregate '{}'", entry.key.text));
      return std::nullopt;
    }
  }
  if (fn->is_map()) {
    for (YamlEntry const& inner : fn->entries) {
      std::vector<std::string> const legal{"type", "config"};
      bool const callable = inner.key.text == "callable" || inner.key.text == "path";
      if (inner.key.text != "type" && inner.key.text != "config") {
        report_.add(callable ? "E107" : "E100", inner.key,
                    callable ? fmt::format("'{}' is not supported", inner.key.text)
                             : fmt::format("unknown key '{}' in fn of '{}'", inner.key.text,
                                           entry.key.text),
                    did_you_mean(inner.key.text, legal));
        return std::nullopt;
      }
    }
    out.config = fn->find("config");
    out.fn = fn->find("type");
    if (out.fn == nullptr) {
      report_.add("E104", entry.key,
                  fmt::format("'type' is missing in fn of '{}'", entry.key.text));
      return std::nullopt;
    }
  } else {
    out.fn = fn;
  }
  if (!out.fn->is_scalar()) {
    report_.add("E141", *out.fn,
                fmt::format("fn of '{}' must be a name, is {}", entry.key.text, kind_of(*out.fn)));
    return std::nullopt;
  }
  out.name = out.fn->text;
  return out;
}

// count(*), count(x), sum(x), avg(x), min(x), max(x)
std::optional<GraphBuilder::Aggregate> GraphBuilder::read_sql(Work& work, YamlEntry const& entry) {
  YamlNode const& node = entry.value;
  std::string_view const text = trimmed(node.text);
  std::size_t const open = text.find('(');
  Aggregate out;
  out.fn = &node;
  if (open == std::string_view::npos || !text.ends_with(')')) {
    report_.add("E107", node,
                fmt::format("{}: sql allows count(*), count(x), sum(x), avg(x), min(x), max(x)",
                            work.place));
    return std::nullopt;
  }
  std::string name;
  for (char const c : trimmed(text.substr(0, open))) {
    name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  std::string const argument{trimmed(text.substr(open + 1, text.size() - open - 2))};
  bool const known =
      name == "count" || name == "sum" || name == "avg" || name == "min" || name == "max";
  if (!known || (argument == "*" && name != "count")) {
    report_.add("E107", node, fmt::format("{}: '{}' is not supported in sql", work.place, text),
                "one of count(*), count(x), sum(x), avg(x), min(x), max(x)");
    return std::nullopt;
  }
  out.name = name == "avg" ? "mean" : name;
  out.rows = argument == "*";
  if (!out.rows && work.in.ok) {
    out.field = find_field(context_, node, argument, work.in.schema, work.place);
    if (!out.field) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<Expression> GraphBuilder::aggregate_value(Work& work, Aggregate const& aggregate,
                                                        YamlEntry const& entry) {
  Schema const& schema = work.in.schema;
  ExpressionPlace const place{schema, Language::generic, false, work.place};
  if (aggregate.field) {
    return field_of(schema, *aggregate.field);
  }
  if (aggregate.value == nullptr) {
    std::optional<std::size_t> const at =
        find_field(context_, entry.key, entry.key.text, schema, work.place);
    return at ? std::optional{field_of(schema, *at)} : std::nullopt;
  }
  if (aggregate.value->is_scalar()) {
    return read_expression(context_, *aggregate.value, place);
  }
  if (!aggregate.value->is_map()) {
    report_.add("E107", *aggregate.value,
                fmt::format("{}: {} is no expression", work.place, kind_of(*aggregate.value)));
    return std::nullopt;
  }
  Expression out;
  out.op = ExpressionOp::make_structure;
  out.type.kind = ValueType::structure;
  bool ok = !aggregate.value->entries.empty();
  for (YamlEntry const& member : aggregate.value->entries) {
    if (!member.value.is_scalar()) {
      report_.add("E107", member.value,
                  fmt::format("{}: {} is no expression", work.place, kind_of(member.value)));
      ok = false;
      continue;
    }
    std::optional<Expression> e = read_expression(context_, member.value, place);
    if (!e) {
      ok = false;
      continue;
    }
    out.type.children.push_back({member.key.text, e->type, e->nullable});
    out.args.push_back(std::move(*e));
  }
  return ok ? std::optional{out} : std::nullopt;
}

bool GraphBuilder::add_aggregate(Work& work, Combine& config, YamlEntry const& entry, Schema& out) {
  std::optional<Aggregate> aggregate = read_aggregate(work, entry);
  if (!aggregate) {
    return false;
  }
  AggregateSpec const* const spec = find_aggregate(aggregate->name);
  if (spec == nullptr) {
    std::vector<std::string> legal;
    for (AggregateSpec const& known : aggregate_table()) {
      legal.emplace_back(known.name);
    }
    std::string const near = did_you_mean(aggregate->name, legal);
    report_.add("E101", *aggregate->fn,
                fmt::format("aggregate '{}' is not supported by Windrow", aggregate->name),
                near.empty() ? fmt::format("one of {}", fmt::join(legal, ", ")) : near);
    return false;
  }
  if (spec->windrow) {
    report_.add_on_beam(OnBeam::refused, *aggregate->fn,
                        fmt::format("aggregate '{}' is Windrow's own", spec->name),
                        fmt::format("Combine.combine: {}", spec->name));
  }
  bool ok = true;
  if (out.index_of(entry.key.text)) {
    report_.add("E141", entry.key,
                fmt::format("'{}' is a field of group_by already", entry.key.text));
    ok = false;
  }
  Keys const keys(report_, aggregate->config, *aggregate->fn, spec->config,
                  fmt::format("config of {} '{}'", spec->name, entry.key.text), spec->name);
  if (!work.in.ok) {  // its fields are not known: nothing more can be said of it
    return false;
  }
  CombineFn fn{.kind = spec->kind};
  // Of rows, no value is read: {out: count} needs no field `out`.
  bool const rows =
      spec->kind == CombineKind::count && aggregate->value == nullptr && !aggregate->field;
  std::optional<Expression> value;
  if (!rows) {
    value = aggregate_value(work, *aggregate, entry);
    if (!value) {
      return false;
    }
    fn.in = value->type.kind;
    YamlNode const& at = aggregate->value != nullptr ? *aggregate->value : *aggregate->fn;
    if (!fits(spec->takes, fn.in)) {
      report_.add("E140", at,
                  fmt::format("{}: {} takes {}, this is {}", work.place, spec->name,
                              words(spec->takes), to_string(value->type)));
      return false;
    }
    if (spec->takes != Takes::structures && value->op == ExpressionOp::make_structure &&
        spec->kind != CombineKind::group && spec->kind != CombineKind::count) {
      report_.add("E140", at,
                  fmt::format("{}: {} takes one value, not a map", work.place, spec->name));
      return false;
    }
  }
  if (spec->kind == CombineKind::approx_distinct) {
    fn.n = static_cast<std::uint32_t>(keys.integer("precision").value_or(distinct_precision_min));
  }
  if (spec->kind == CombineKind::approx_quantile) {
    ok = read_quantiles(report_, keys, fn) && ok;
  }
  Field column{entry.key.text, {result_type(fn), {}}, true};
  if (spec->kind == CombineKind::variance || spec->kind == CombineKind::stddev) {
    fn.population = keys.boolean("population");
  }
  if (value && result_type(fn) == fn.in) {
    column.type = value->type;
  }
  if (fn.quantiles > 0) {
    column.type.children = {{"element", {ValueType::number, {}}, false}};
  }
  if (spec->kind == CombineKind::group) {
    column.type = {ValueType::list, {{"element", value->type, value->nullable}}};
  }
  if (spec->kind == CombineKind::top) {
    fn.n = static_cast<std::uint32_t>(
        std::min<std::int64_t>(keys.integer("n").value_or(1), UINT32_MAX));
    fn.ascending = keys.text("order") == "asc";
    Schema const members{value->type.children};
    if (YamlNode const* const by = keys.find("by")) {
      std::optional<std::size_t> const at =
          find_field(context_, *by, by->text, members, work.place);
      ok = ok && at.has_value();
      fn.by = static_cast<std::uint32_t>(at.value_or(0));
    }
    if (members.index_of("rank")) {
      report_.add("E141", *aggregate->value, "top adds a field 'rank' of its own");
      ok = false;
    }
    FieldType element{ValueType::structure, {{"rank", {ValueType::integer, {}}, false}}};
    element.children.insert(element.children.end(), members.fields.begin(), members.fields.end());
    column.type = {ValueType::list, {{"element", element, false}}};
  }
  if (value && spec->kind != CombineKind::count) {
    auto const known = std::find_if(config.values.begin(), config.values.end(),
                                    [&](Expression const& e) { return same(e, *value); });
    fn.column = static_cast<std::uint16_t>(known - config.values.begin());
    if (known == config.values.end()) {
      config.values.push_back(std::move(*value));
    }
  }
  if (!ok || !keys.complete()) {
    return false;
  }
  config.combines.push_back(fn);
  out.fields.push_back(std::move(column));
  return true;
}

}  // namespace windrow
