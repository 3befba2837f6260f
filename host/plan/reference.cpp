#include "host/plan/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "host/plan/aggregate_table.hpp"
#include "host/plan/codes.hpp"
#include "host/plan/key_table.hpp"
#include "host/plan/keys.hpp"

namespace windrow {
namespace {

// A bar would end a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '|') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string_view name_of(Role role) {
  switch (role) {
    case Role::source:
      return "source";
    case Role::row:
      return "row transform";
    case Role::step:
      return "aggregation";
    case Role::end:
      return "sink";
  }
  return {};
}

std::string type_of(KeySpec const& spec) {
  if (spec.type == KeyType::choice) {
    std::vector<std::string> choices = choices_of(spec);
    for (std::string& word : choices) {
      std::vector<std::string> const own = words_of(spec.own);
      word += std::find(own.begin(), own.end(), word) == own.end() ? "" : " **W**";
    }
    return fmt::format("{}", fmt::join(choices, ", "));
  }
  return std::string{spec.type == KeyType::structure ? "map, below" : name_of(spec.type)};
}

std::string default_of(KeySpec const& spec) {
  if (spec.fallback == required_key) {
    return "required";
  }
  return spec.fallback.empty() ? "" : fmt::format("`{}`", cell(spec.fallback));
}

// The keys of structures that several transforms share have tables of their own.
void add_table(std::string_view title, std::span<KeySpec const> keys, std::string& out) {
  out += fmt::format("\n### {}\n\n", title);
  if (keys.empty()) {
    out += "No keys.\n";
    return;
  }
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (KeySpec const& spec : keys) {
    if (spec.built) {
      out += fmt::format("| `{}`{} | {} | {} | {} |\n", spec.name, spec.windrow ? " **W**" : "",
                         type_of(spec), default_of(spec), cell(spec.meaning));
    }
  }
}

bool is_sink(TransformSpec const& spec) {
  return spec.keys.size() > sink_keys().size() && spec.keys.back().name == sink_keys().back().name;
}
// Without those of every sink.
std::span<KeySpec const> own_keys(TransformSpec const& spec) {
  return is_sink(spec) ? spec.keys.first(spec.keys.size() - sink_keys().size()) : spec.keys;
}

void add_transform(TransformSpec const& spec, std::string& out) {
  add_table(fmt::format("{}{} ({}): {}", spec.type, spec.windrow ? " **W**" : "",
                        name_of(spec.role), spec.meaning),
            own_keys(spec), out);
  if (is_sink(spec)) {
    out += "\nAnd the keys of every sink, below.\n";
  }
}

void add_aggregates(std::string& out) {
  out += "\n### fn of Combine\n\n| fn | gives | config |\n|---|---|---|\n";
  for (AggregateSpec const& spec : aggregate_table()) {
    std::vector<std::string> config;
    for (KeySpec const& key : spec.config) {
      std::string const value =
          key.fallback == required_key ? "required" : fmt::format("default `{}`", key.fallback);
      config.push_back(
          fmt::format("`{}` ({}, {}): {}", key.name, type_of(key), value, key.meaning));
    }
    out += fmt::format("| `{}`{} | {} | {} |\n", spec.name, spec.windrow ? " **W**" : "",
                       spec.meaning, fmt::join(config, "; "));
  }
}

void add_later(std::span<KeySpec const> keys, std::string_view where,
               std::vector<std::string>& out) {
  for (KeySpec const& spec : keys) {
    if (!spec.built) {
      out.push_back(fmt::format("`{}` of {}", spec.name, where));
    }
    if (spec.refusal != "E101") {
      continue;
    }
    for (std::string const& word : words_of(spec.later)) {
      out.push_back(fmt::format("`{}: {}` of {}", spec.name, word, where));
    }
  }
}

void add_on_beam(std::string_view where, std::span<KeySpec const> keys, std::string& out) {
  for (KeySpec const& spec : keys) {
    if (!spec.on_beam.empty()) {
      out += fmt::format("| `{}` of {} | {} |\n", spec.name, where, cell(spec.on_beam));
    }
  }
}

constexpr std::string_view trigger_text = R"(
### Triggers (**W**)

```
T = default | never | always | after_end_of_window
  | {element_count: n} | {after_processing_time: duration}
  | {after_synchronized_processing_time: {}}
  | {after_processing_time: {timestamp_transforms: [S, ..]}}
      with S = {delay: duration} | {align_to: {period: duration, offset: duration}}
  | {after_end_of_window: {early_firings: T, late_firings: T}}
  | {after_all: [T, T, ..]} | {after_any: [..]} | {after_each: [..]}
  | {or_finally: {main: T, finally: T}} | {repeat: T}
```
)";

constexpr std::string_view expression_text = R"(
### Expressions

```
language: generic  a field, 1, -2.5, "text"
                   in Filter and MapToFields also one comparison of two: == != < <= > >=
language: python   fields, a.b (nested), 1, 2.5, 'text', True, False, None, parentheses
                   + - * / // %   == != < <= > >=   and or not   x if c else y
                   int() float() str() len()
language: sql      of Combine: count(*), count(x), sum(x), avg(x), min(x), max(x)
```

A null is told by `x == None` and `x != None`; a row whose null is ordered or computed with is set
aside.
)";

}  // namespace

std::string reference() {
  std::string out =
      "Keys marked **W** are Windrow's own, the others are Beam YAML's. A duration is a number "
      "with us, ms, s, m, h or d; a bare number is seconds. In any value `${NAME}` and "
      "`${NAME:default}` stand for the environment, `{{ name }}` for `--var`. A path is relative "
      "to "
      "the working directory, not to the file, as on Beam.\n";
  add_table("The file", file_keys(), out);
  add_table("The file, as a list", list_keys(), out);
  add_table("pipeline", pipeline_keys(), out);
  add_table("A transform", composite_keys(), out);
  add_table("windowing", windowing_keys(), out);
  out += trigger_text;
  out += expression_text;
  add_table("options.windrow (**W**)", settings_keys(), out);
  add_table("gpu of options.windrow (**W**)", gpu_keys(), out);
  std::vector<std::string> later;
  for (TransformSpec const& spec : transform_table()) {
    if (spec.built) {
      add_transform(spec, out);
    } else {
      later.push_back(fmt::format("`{}`", spec.type));
    }
  }
  add_table("Every sink", sink_keys(), out);
  add_table("event_time (**W**)", event_time_keys(), out);
  add_table("watermark (**W**)", watermark_keys(), out);
  add_table("error_handling", error_handling_keys(), out);
  add_aggregates(out);
  add_table("A test", test_keys(), out);
  add_table("An action of a transcript (**W**)", transcript_keys(), out);
  add_later(windowing_keys(), "windowing", later);
  add_later(settings_keys(), "options.windrow", later);
  add_later(sink_keys(), "every sink", later);
  for (TransformSpec const& spec : transform_table()) {
    if (spec.built) {
      add_later(own_keys(spec), spec.type, later);
    }
  }
  out +=
      fmt::format("\n### Not built yet\n\nRefused by name (E101): {}.\n", fmt::join(later, ", "));
  out +=
      "\n### On Apache Beam\n\nBeam refuses a file with keys of Windrow's own; `windrow check "
      "--explain-beam FILE` names each place. What else is not the same there:\n\n"
      "| what | on Beam |\n|---|---|\n"
      "| `${NAME}` | stays as it stands |\n| a duration in `d` | a day has 12 hours |\n"
      "| `options.windrow` | means nothing |\n";
  add_on_beam("windowing", windowing_keys(), out);
  for (TransformSpec const& spec : transform_table()) {
    for (std::string_view rest = spec.on_beam; !rest.empty();) {
      std::size_t const end = std::min(rest.find('\n'), rest.size());
      out += fmt::format("| `{}` | {} |\n", spec.type, cell(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    add_on_beam(spec.type, spec.keys, out);
  }
  out +=
      "\n### Codes\n\nE is refused, W is a warning.\n\n| code | meaning | waits for "
      "|\n|---|---|---|\n";
  for (CodeEntry const& entry : codes()) {
    out += fmt::format("| {} | {} | {} |\n", entry.code, cell(entry.meaning), entry.waits_for);
  }
  return out;
}

}  // namespace windrow
