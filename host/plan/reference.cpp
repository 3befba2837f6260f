#include "host/plan/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

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

std::string type_of(KeySpec const& spec) {
  if (spec.type != KeyType::choice) {
    return std::string{name_of(spec.type)};
  }
  std::vector<std::string> words = words_of(spec.choices);
  std::vector<std::string> const later = words_of(spec.later);
  std::erase_if(words, [&](std::string const& word) {
    return std::find(later.begin(), later.end(), word) != later.end();
  });
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string default_of(KeySpec const& spec) {
  if (spec.fallback == required_key) {
    return "required";
  }
  return spec.fallback.empty() ? "" : fmt::format("`{}`", cell(spec.fallback));
}

void add_keys(std::span<KeySpec const> keys, std::string const& prefix, std::string& out) {
  for (KeySpec const& spec : keys) {
    if (!spec.built) {
      continue;
    }
    out += fmt::format("| `{}{}`{} | {} | {} | {} |\n", prefix, spec.name,
                       spec.windrow ? " **W**" : "", type_of(spec), default_of(spec),
                       cell(spec.meaning));
    add_keys(spec.inner, fmt::format("{}{}.", prefix, spec.name), out);
  }
}

void add_table(std::string_view title, std::span<KeySpec const> keys, std::string& out) {
  out += fmt::format("\n### {}\n\n| key | type | default | meaning |\n|---|---|---|---|\n", title);
  add_keys(keys, "", out);
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

}  // namespace

std::string reference() {
  std::string out =
      "Keys marked **W** are Windrow's own, the others are Beam YAML's. A duration is a number "
      "with us, ms, "
      "s, m, h or d; a bare number is seconds.\n";
  add_table("The file", file_keys(), out);
  add_table("pipeline", pipeline_keys(), out);
  add_table("A transform", transform_keys(), out);
  add_table("windowing", windowing_keys(), out);
  out += trigger_text;
  add_table("options.windrow (**W**)", settings_keys(), out);
  std::vector<std::string> later;
  for (TransformSpec const& spec : transform_table()) {
    if (!spec.built) {
      later.push_back(fmt::format("`{}`", spec.type));
      continue;
    }
    std::string const title = fmt::format("{}{} ({}): {}", spec.type, spec.windrow ? " **W**" : "",
                                          name_of(spec.role), spec.meaning);
    if (spec.keys.empty()) {
      out += fmt::format("\n### {}\n\nNo keys.\n", title);
    } else {
      add_table(title, spec.keys, out);
    }
  }
  add_table("fn `top` of Combine (**W**)", top_config_keys(), out);
  add_table("fn `variance` and `stddev` of Combine (**W**)", variance_config_keys(), out);
  add_later(windowing_keys(), "windowing", later);
  add_later(settings_keys(), "options.windrow", later);
  for (TransformSpec const& spec : transform_table()) {
    if (spec.built) {
      add_later(spec.keys, spec.type, later);
    }
  }
  out +=
      fmt::format("\n### Not built yet\n\nRefused by name (E101): {}.\n", fmt::join(later, ", "));
  out +=
      "\n### Codes\n\nE is refused, W is a warning.\n\n| code | meaning | waits for "
      "|\n|---|---|---|\n";
  for (CodeEntry const& entry : codes()) {
    out += fmt::format("| {} | {} | {} |\n", entry.code, cell(entry.meaning), entry.waits_for);
  }
  return out;
}

}  // namespace windrow
