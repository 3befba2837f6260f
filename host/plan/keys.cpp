#include "host/plan/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "host/model/portable.hpp"
#include "host/plan/device_setting.hpp"
#include "host/plan/secrets.hpp"
#include "host/plan/suggestion.hpp"

namespace windrow {
namespace {

bool contains(std::string_view separated, std::string_view word) {
  std::vector<std::string> const words = words_of(separated);
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string_view name_of(KeyType type) {
  using enum KeyType;
  switch (type) {
    case text:
      return "string";
    case boolean:
      return "boolean";
    case integer:
      return "integer";
    case number:
      return "number";
    case shares:
      return "number or list of numbers";
    case duration:
      return "duration";
    case duration_or_none:
      return "duration or none";
    case bytes:
      return "bytes";
    case bytes_or_share:
      return "bytes or percentage";
    case choice:
      return "choice";
    case texts:
      return "list of strings";
    case texts_or_text:
      return "string or list of strings";
    case secret:
      return "string, {env} or {file}";
    case url:
      return "URL";
    case map:
    case structure:
      return "map";
    case expression:
      return "expression";
    case expressions:
      return "map of expressions";
    case trigger:
      return "trigger";
    case windowing:
      return "windowing";
    case schema:
      return "JSON Schema";
    case elements:
      return "list of rows";
    case aggregates:
      return "map of aggregates";
    case columns:
      return "map of names";
    case windowing_info:
      return "list or map of names";
    case start:
      return "position";
    case ratio:
      return "ratio";
    case device:
      return "auto, cpu, cuda, cuda:N, cuda:UUID";
    case pipeline:
      return "pipeline";
    case pipelines:
      return "list of files";
    case options:
      return "map";
    case transform:
      return "transform";
    case transforms:
      return "list of transforms";
    case input:
    case output:
      return "reference";
    case tests:
      return "list of tests";
    case test_rows:
      return "list of {name, elements}";
    case transcript:
      return "list of actions";
    case anything:
      return "anything";
  }
  return "";
}

std::vector<std::string> words_of(std::string_view separated) {
  std::vector<std::string> words;
  while (!separated.empty()) {
    std::size_t const end = std::min(separated.find(' '), separated.size());
    if (end > 0) {
      words.emplace_back(separated.substr(0, end));
    }
    separated.remove_prefix(std::min(end + 1, separated.size()));
  }
  return words;
}

std::vector<std::string> choices_of(KeySpec const& spec) {
  std::vector<std::string> choices = words_of(spec.choices);
  std::erase_if(choices, [&](std::string const& word) { return contains(spec.later, word); });
  return choices;
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  std::int64_t value = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> read_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double value = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> read_bytes(std::string_view text) {
  std::size_t const digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::optional<double> const value = read_number(text.substr(0, digits));
  std::string_view unit = text.substr(digits);
  while (unit.starts_with(' ')) {
    unit.remove_prefix(1);
  }
  struct Unit {
    std::string_view name;
    double size;
  };
  constexpr Unit units[] = {{"", 1},
                            {"B", 1},
                            {"kB", 1e3},
                            {"KB", 1e3},
                            {"MB", 1e6},
                            {"GB", 1e9},
                            {"TB", 1e12},
                            {"KiB", 1024.0},
                            {"MiB", 1024.0 * 1024},
                            {"GiB", 1024.0 * 1024 * 1024},
                            {"TiB", 1024.0 * 1024 * 1024 * 1024}};
  for (Unit const& u : units) {
    if (u.name != unit || !value) {
      continue;
    }
    double const size = *value * u.size;
    if (size >= 9e18) {
      return std::nullopt;
    }
    return static_cast<std::uint64_t>(size);
  }
  return std::nullopt;
}

std::string kind_of(YamlNode const& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "null";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      break;
  }
  switch (plain_type(node)) {
    case PlainType::boolean:
      return fmt::format("the boolean {}", node.text);
    case PlainType::integer:
    case PlainType::number:
      return fmt::format("the number {}", node.text);
    default:
      return fmt::format("'{}'", node.text);
  }
}

Keys::Keys(Report& report, YamlNode const* map, YamlNode const& owner,
           std::span<KeySpec const> specs, std::string place, std::string_view table)
    : report_(report), map_(map), specs_(specs), place_(std::move(place)), table_(table) {
  if (map_ != nullptr && !map_->is_map()) {
    if (!map_->is_null()) {
      report_.add("E141", *map_, fmt::format("{} must be a map, is {}", place_, kind_of(*map_)));
    }
    map_ = nullptr;
  }
  std::vector<std::string> legal;
  for (KeySpec const& spec : specs_) {
    legal.emplace_back(spec.name);
  }
  if (map_ != nullptr) {
    for (YamlEntry const& entry : map_->entries) {
      auto const spec = std::find_if(specs_.begin(), specs_.end(),
                                     [&](KeySpec const& s) { return s.name == entry.key.text; });
      if (spec == specs_.end()) {
        report_.add("E100", entry.key,
                    fmt::format("unknown key '{}' in {}", entry.key.text, place_),
                    did_you_mean(entry.key.text, legal));
        continue;
      }
      if (!spec->built && !(entry.value.is_map() && entry.value.entries.empty())) {
        report_.add("E101", entry.key,
                    fmt::format("'{}' in {} is not built yet", spec->name, place_));
        bad_.insert(spec->name);
        continue;
      }
      if (spec->windrow) {
        report_.add_on_beam(OnBeam::refused, entry.key,
                            fmt::format("'{}' is a key of Windrow's own{}{}", spec->name,
                                        spec->on_beam.empty() ? "" : "; ", spec->on_beam),
                            fmt::format("{}.{}", table, spec->name));
      }
      bool const good = entry.value.is_null() || (!entry.value.unset && check(*spec, entry.value));
      if (!good) {
        bad_.insert(spec->name);
      }
    }
  }
  for (KeySpec const& spec : specs_) {
    if (spec.fallback != required_key) {
      continue;
    }
    YamlNode const* const value = map_ == nullptr ? nullptr : map_->find(spec.name);
    if (value != nullptr && !value->is_null()) {
      continue;
    }
    complete_ = false;
    std::string written;  // a misspelt key is the likelier fault; do not report it twice
    for (YamlEntry const& entry : map_ == nullptr ? std::vector<YamlEntry>{} : map_->entries) {
      bool const known = std::find(legal.begin(), legal.end(), entry.key.text) != legal.end();
      if (!known && nearest(entry.key.text, legal) == spec.name) {
        written = entry.key.text;
      }
    }
    if (written.empty()) {
      report_.add("E104", owner, fmt::format("'{}' is missing in {}", spec.name, place_));
    }
  }
}

bool Keys::check(KeySpec const& spec, YamlNode const& value) {
  auto const refuse = [&](std::string_view wanted) {
    report_.add("E141", value,
                fmt::format("'{}' must be {}, is {}", spec.name, wanted, kind_of(value)));
    return false;
  };
  auto const all_scalars = [](YamlNode const& list) {
    return std::all_of(list.items.begin(), list.items.end(),
                       [](YamlNode const& item) { return item.is_scalar(); });
  };
  switch (spec.type) {
    case KeyType::text:
      return value.is_scalar() || refuse("a string");
    case KeyType::boolean:
      return (value.is_plain() && plain_type(value) == PlainType::boolean) ||
             refuse("true or false");
    case KeyType::integer: {
      std::optional<std::int64_t> const number =
          value.is_plain() ? read_integer(value.text) : std::nullopt;
      if (!number) {
        return refuse("an integer");
      }
      if (*number >= spec.least && *number <= spec.most) {
        return true;
      }
      return refuse(spec.most == INT64_MAX ? fmt::format("at least {}", spec.least)
                                           : fmt::format("from {} to {}", spec.least, spec.most));
    }
    case KeyType::shares:
      return check_shares(spec, value);
    case KeyType::number: {
      std::optional<double> const number =
          value.is_plain() ? read_number(value.text) : std::nullopt;
      if (!number) {
        return refuse("a number");
      }
      if (!(*number > static_cast<double>(spec.least))) {
        return refuse(fmt::format("more than {}", spec.least));
      }
      return *number <= static_cast<double>(spec.most) ||
             refuse(fmt::format("at most {}", spec.most));
    }
    case KeyType::duration:
    case KeyType::duration_or_none: {
      if (!value.is_scalar()) {
        return refuse("a duration");
      }
      if (spec.type == KeyType::duration_or_none && value.text == "none") {
        return true;
      }
      ReadDuration const read = read_duration(value.text);
      if (!read.value) {
        report_.add("E105", value, read.fault);
        return false;
      }
      if (!spec.windrow) {
        compare_with_beam(value, read);
      }
      return true;
    }
    case KeyType::bytes:
      return (value.is_scalar() && read_bytes(value.text)) ||
             refuse("a size such as 512MiB or 2GB");
    case KeyType::bytes_or_share:
      return (value.is_scalar() && read_gpu_memory(value.text)) ||
             refuse("a size such as 8GiB, or a share of what is free such as 60%");
    case KeyType::device:
      if (value.is_scalar() && read_device(value.text)) {
        return true;
      }
      report_.add("E141", value,
                  fmt::format("'{}' must be one of {}, is {}", spec.name, name_of(spec.type),
                              kind_of(value)),
                  value.is_scalar() ? did_you_mean(value.text, words_of("auto cpu cuda")) : "");
      return false;
    case KeyType::choice:
      return check_choice(spec, value);
    case KeyType::texts:
      return (value.is_list() && all_scalars(value)) || refuse("a list of strings");
    case KeyType::texts_or_text:
      return value.is_scalar() || (value.is_list() && all_scalars(value)) ||
             refuse("a string or a list of strings");
    case KeyType::secret:
      if (value.is_scalar()) {
        report_.hide(value.text);
      }
      return value.is_scalar() || value.is_map() || refuse("a string, {env: NAME} or {file: PATH}");
    case KeyType::url:
      for (std::string& password : passwords_in(value.text)) {
        report_.hide(std::move(password));
      }
      return value.is_scalar() || refuse("a URL");
    case KeyType::map:
    case KeyType::structure:
    case KeyType::expressions:
    case KeyType::aggregates:
    case KeyType::pipeline:
    case KeyType::options:
      return value.is_map() || refuse("a map");
    case KeyType::elements:
    case KeyType::transcript:
      return value.is_list() || refuse("a list");
    case KeyType::expression:
      return value.is_scalar() || value.is_map() || refuse("an expression");
    case KeyType::schema:
      return value.is_scalar() || value.is_map() || refuse("a JSON Schema");
    default:
      return true;
  }
}

bool Keys::check_shares(KeySpec const& spec, YamlNode const& value) {
  constexpr std::string_view wanted = "a number from 0 to 1, or a list of them";
  if (value.is_list() && value.items.empty()) {
    report_.add("E141", value, fmt::format("'{}' must be {}, is empty", spec.name, wanted));
    return false;
  }
  bool good = true;
  for (YamlNode const& one : value.is_list() ? std::span{value.items} : std::span{&value, 1}) {
    std::optional<double> const number = one.is_plain() ? read_number(one.text) : std::nullopt;
    if (!number || *number < 0 || *number > 1) {
      report_.add("E141", one,
                  fmt::format("'{}' must be {}, is {}", spec.name, wanted, kind_of(one)));
      good = false;
    }
  }
  return good;
}

// Of a duration that Beam reads too.
void Keys::compare_with_beam(YamlNode const& value, ReadDuration const& read) {
  if (read.days) {
    std::string const text =
        fmt::format("'{}' is {} here; Beam YAML takes a day as 12 hours", value.text,
                    floor_mod(read.value->us, 3'600'000'000) == 0
                        ? fmt::format("{}h", floor_div(read.value->us, 3'600'000'000))
                        : to_string(*read.value));
    report_.add("W201", value, text);
    report_.add_on_beam(OnBeam::differs, value, text);
  }
  if (value.text.ends_with("us")) {
    report_.add_on_beam(OnBeam::refused, value, "'us' is a unit of Windrow's own",
                        "duration in us");
  }
}

bool Keys::check_choice(KeySpec const& spec, YamlNode const& value) {
  if (value.is_scalar() && contains(spec.later, value.text)) {
    bool const unbuilt = spec.refusal == "E101";
    report_.add(spec.refusal, value,
                unbuilt ? fmt::format("{} '{}' is not built yet", spec.name, value.text)
                        : fmt::format("{} is not supported", value.text),
                std::string{spec.instead});
    return false;
  }
  std::vector<std::string> const choices = choices_of(spec);
  if (value.is_scalar() && std::find(choices.begin(), choices.end(), value.text) != choices.end()) {
    if (contains(spec.own, value.text)) {
      report_.add_on_beam(OnBeam::refused, value,
                          fmt::format("{} '{}' is Windrow's own", spec.name, value.text),
                          fmt::format("{}.{}: {}", table_, spec.name, value.text));
    }
    return true;
  }
  report_.add(
      spec.name == "language" ? "E107" : "E141", value,
      fmt::format("'{}' must be {}{}, is {}", spec.name, choices.size() > 1 ? "one of " : "",
                  fmt::join(choices, ", "), kind_of(value)),
      value.is_scalar() ? did_you_mean(value.text, choices) : "");
  return false;
}

KeySpec const& Keys::spec_of(std::string_view name) const {
  auto const spec =
      std::find_if(specs_.begin(), specs_.end(), [&](KeySpec const& s) { return s.name == name; });
  WINDROW_ASSERT(spec != specs_.end(), "a key that is read stands in its table");
  return *spec;
}

YamlNode const* Keys::find(std::string_view name) const {
  KeySpec const& spec = spec_of(name);
  YamlNode const* const value = map_ == nullptr ? nullptr : map_->find(spec.name);
  return value == nullptr || value->is_null() || bad_.contains(spec.name) ? nullptr : value;
}

bool Keys::given(std::string_view name) const {
  YamlNode const* const value = map_ == nullptr ? nullptr : map_->find(spec_of(name).name);
  return value != nullptr && !value->is_null();
}

std::string Keys::scalar(std::string_view name) const {
  YamlNode const* const value = find(name);
  if (value != nullptr) {
    return value->text;
  }
  std::string_view const fallback = spec_of(name).fallback;
  return fallback == "none" || fallback == required_key ? std::string{} : std::string{fallback};
}

std::string Keys::text(std::string_view name) const { return scalar(name); }
bool Keys::boolean(std::string_view name) const {
  std::string const value = scalar(name);
  return !value.empty() && (value[0] == 't' || value[0] == 'T');
}
std::optional<std::int64_t> Keys::integer(std::string_view name) const {
  return read_integer(scalar(name));
}
std::optional<double> Keys::number(std::string_view name) const {
  return read_number(scalar(name));
}
std::optional<Duration> Keys::duration(std::string_view name) const {
  return read_duration(scalar(name)).value;
}
std::optional<std::uint64_t> Keys::bytes(std::string_view name) const {
  return read_bytes(scalar(name));
}
std::vector<YamlNode const*> Keys::texts(std::string_view name) const {
  std::vector<YamlNode const*> out;
  YamlNode const* const value = find(name);
  if (value == nullptr) {
    return out;
  }
  if (value->is_scalar()) {
    return {value};
  }
  for (YamlNode const& item : value->items) {
    out.push_back(&item);
  }
  return out;
}

}  // namespace windrow
