#include "host/plan/trigger_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/plan/duration.hpp"
#include "host/plan/keys.hpp"

namespace windrow {
namespace {

using Shape = TriggerSpec::Shape;
constexpr std::array<TriggerSpec, 12> table{{
    {TriggerOp::after_all, "after_all", Shape::list},
    {TriggerOp::after_any, "after_any", Shape::list},
    {TriggerOp::after_each, "after_each", Shape::list},
    {TriggerOp::after_end_of_window, "after_end_of_window", Shape::parts},
    {TriggerOp::after_processing_time, "after_processing_time", Shape::processing_time},
    {TriggerOp::after_synchronized_processing_time, "after_synchronized_processing_time",
     Shape::name},
    {TriggerOp::default_, "default", Shape::name},
    {TriggerOp::element_count, "element_count", Shape::count},
    {TriggerOp::never, "never", Shape::name},
    {TriggerOp::or_finally, "or_finally", Shape::pair},
    {TriggerOp::repeat, "repeat", Shape::one},
    {TriggerOp::always, "always", Shape::name},
}};

TriggerSpec const* spec_named(std::string_view name) {
  auto const* const found =
      std::find_if(table.begin(), table.end(), [&](auto const& spec) { return spec.name == name; });
  return found == table.end() ? nullptr : found;
}

std::string_view name_of(TriggerOp op) {
  return std::find_if(table.begin(), table.end(), [&](auto const& spec) { return spec.op == op; })
      ->name;
}

// Collects what is wrong in the whole tree; `ok_` falls once something is.
class TriggerReader {
 public:
  explicit TriggerReader(Report& report) : report_(report) {}

  std::optional<Trigger> read_root(YamlNode const& node) {
    Trigger const trigger = read(node);
    if (!ok_) {
      return std::nullopt;
    }
    if (std::size_t const nodes = node_count(trigger); nodes > trigger_nodes_max) {
      fail("E122", node, fmt::format("trigger has {} nodes, the limit is 32", nodes));
    } else if (std::size_t const transforms = transform_count(trigger);
               transforms > trigger_nodes_max) {
      fail("E122", node,
           fmt::format("trigger has {} timestamp transforms, the limit is 32", transforms));
    }
    return ok_ ? std::optional{trigger} : std::nullopt;
  }

 private:
  void fail(std::string_view code, YamlNode const& at, std::string text,
            std::string suggestion = {}) {
    report_.add(code, at, std::move(text), std::move(suggestion));
    ok_ = false;
  }

  // Null if there is none of that name, which is reported.
  TriggerSpec const* spec_of(YamlNode const& node) {
    TriggerSpec const* const spec = spec_named(node.text);
    if (spec == nullptr) {
      std::vector<std::string> legal;
      for (TriggerSpec const& known : table) {
        legal.emplace_back(known.name);
      }
      fail("E101", node, fmt::format("unknown trigger '{}'", node.text),
           did_you_mean(node.text, legal));
    }
    return spec;
  }

  Trigger read(YamlNode const& node) {
    bool const alone = node.is_scalar();
    if (!alone && (!node.is_map() || node.entries.size() != 1)) {
      fail("E141", node, "a trigger is a name or a map of one name");
      return {};
    }
    TriggerSpec const* const spec = spec_of(alone ? node : node.entries[0].key);
    if (spec == nullptr) {
      return {};
    }
    Trigger trigger{spec->op};
    if (alone) {
      if (spec->shape != Shape::name && spec->shape != Shape::parts) {
        fail("E104", node,
             fmt::format("trigger '{}' needs a value: {{{}: ..}}", node.text, node.text));
      }
      return trigger;
    }
    YamlEntry const& entry = node.entries[0];
    switch (spec->shape) {
      case Shape::count:
        read_count(entry, trigger);
        break;
      case Shape::processing_time:
        read_processing_time(entry.value, trigger);
        break;
      case Shape::parts:
        read_parts(entry.value, trigger);
        break;
      case Shape::pair:
        read_fields(entry.value, trigger, {"main", "finally"}, entry.key);
        break;
      case Shape::one:
        read_repeat(entry, trigger);
        break;
      case Shape::list:
        read_list(entry, trigger);
        break;
      case Shape::name:
        if (!entry.value.is_null() && !(entry.value.is_map() && entry.value.entries.empty())) {
          fail("E141", entry.value, fmt::format("trigger '{}' takes no value", entry.key.text));
        }
    }
    return trigger;
  }

  void unknown_key(YamlNode const& key, std::string_view place,
                   std::vector<std::string> const& legal) {
    fail("E100", key, fmt::format("unknown key '{}' in {}", key.text, place),
         did_you_mean(key.text, legal));
  }

  void read_count(YamlEntry const& entry, Trigger& trigger) {
    YamlNode const* value = &entry.value;
    if (value->is_map()) {  // the proto: {element_count: {element_count: n}}
      for (YamlEntry const& e : value->entries) {
        if (e.key.text != "element_count") {
          unknown_key(e.key, "element_count", {"element_count"});
        }
      }
      if (value->find("element_count") == nullptr) {
        fail("E104", entry.key, "'element_count' is missing in element_count");
        return;
      }
      value = value->find("element_count");
    }
    std::optional<std::int64_t> const n =
        value->is_scalar() ? read_integer(value->text) : std::nullopt;
    if (!n || *n > UINT32_MAX) {
      fail("E141", *value,
           fmt::format("element_count must be a 32-bit integer, is {}", kind_of(*value)));
    } else if (*n < 1) {
      fail("E120", *value, fmt::format("element_count must be at least 1, is {}", *n));
    } else {
      trigger.count = static_cast<std::uint32_t>(*n);
    }
  }

  std::int64_t read_time(YamlNode const& node, std::string_view what) {
    ReadDuration const read = node.is_scalar() ? read_duration(node.text) : ReadDuration{};
    if (!read.value) {
      fail("E105", node,
           node.is_scalar() ? read.fault : fmt::format("{} must be a duration", what));
      return 0;
    }
    if (*read.value > duration_max) {
      fail("E113", node, fmt::format("{} must be at most 3652500d, is {}", what, node.text));
    }
    return read.value->us;
  }

  void add_delay(YamlNode const& node, Trigger& trigger) {
    std::int64_t us = 0;
    if (node.is_map()) {  // the proto: {delay: {delay_millis: n}}
      for (YamlEntry const& entry : node.entries) {
        if (entry.key.text != "delay_millis") {
          unknown_key(entry.key, "delay", {"delay_millis"});
          continue;
        }
        std::optional<std::int64_t> const millis =
            entry.value.is_scalar() ? read_integer(entry.value.text) : std::nullopt;
        if (!millis) {
          fail("E141", entry.value, "delay_millis must be an integer");
        } else if (*millis > floor_div(duration_max.us, 1000)) {
          fail("E113", entry.value, "delay must be at most 3652500d");
        } else {
          us = *millis < 0 ? -1 : *millis * 1000;
        }
      }
    } else {
      us = read_time(node, "delay");
    }
    if (us < 0) {
      fail("E123", node, "delay must not be negative");
    }
    trigger.transforms.push_back({us, 0, 0});
  }

  void add_align(YamlNode const& node, YamlNode const& key, Trigger& trigger) {
    TimeTransform transform;
    bool period = false;
    for (YamlEntry const& entry : node.entries) {
      if (entry.key.text == "period") {
        transform.period_us = read_time(entry.value, "align_to.period");
        period = true;
        if (ok_ && transform.period_us <= 0) {
          fail("E123", entry.value,
               fmt::format("align_to.period must be positive, is {}", entry.value.text));
        }
      } else if (entry.key.text == "offset") {
        transform.offset_us = read_time(entry.value, "align_to.offset");
      } else {
        unknown_key(entry.key, "align_to", {"period", "offset"});
      }
    }
    if (!period) {
      fail("E104", key, "'period' is missing in align_to");
    }
    if (ok_) {
      transform.offset_us = floor_mod(transform.offset_us, transform.period_us);
    }
    trigger.transforms.push_back(transform);
  }

  void read_processing_time(YamlNode const& value, Trigger& trigger) {
    if (!value.is_map()) {
      if (!value.is_null()) {
        add_delay(value, trigger);
      }
      return;
    }
    for (YamlEntry const& entry : value.entries) {
      if (entry.key.text != "timestamp_transforms") {
        unknown_key(entry.key, "after_processing_time", {"timestamp_transforms"});
        continue;
      }
      if (!entry.value.is_list()) {
        fail("E141", entry.value, "timestamp_transforms must be a list");
      }
      for (YamlNode const& item : entry.value.items) {
        if (!item.is_map() || item.entries.size() != 1) {
          fail("E141", item, "a timestamp transform is {delay: ..} or {align_to: ..}");
          continue;
        }
        YamlEntry const& transform = item.entries[0];
        if (transform.key.text == "delay") {
          add_delay(transform.value, trigger);
        } else if (transform.key.text == "align_to") {
          add_align(transform.value, transform.key, trigger);
        } else {
          unknown_key(transform.key, "timestamp_transforms", {"delay", "align_to"});
        }
      }
    }
  }

  void read_parts(YamlNode const& value, Trigger& trigger) {
    if (value.is_null()) {
      return;
    }
    if (!value.is_map()) {
      fail("E141", value, "after_end_of_window takes {early_firings: .., late_firings: ..}");
      return;
    }
    for (YamlEntry const& entry : value.entries) {
      if (entry.key.text != "early_firings" && entry.key.text != "late_firings") {
        unknown_key(entry.key, "after_end_of_window", {"early_firings", "late_firings"});
      }
    }
    if (YamlNode const* const early = value.find("early_firings");
        early != nullptr && !early->is_null()) {
      trigger.has_early = true;
      trigger.children.push_back(read(*early));
    }
    if (YamlNode const* const late = value.find("late_firings");
        late != nullptr && !late->is_null()) {
      trigger.has_late = true;
      trigger.children.push_back(read(*late));
    }
  }

  void read_fields(YamlNode const& value, Trigger& trigger, std::vector<std::string> const& fields,
                   YamlNode const& owner) {
    for (YamlEntry const& entry : value.entries) {
      if (std::find(fields.begin(), fields.end(), entry.key.text) == fields.end()) {
        unknown_key(entry.key, owner.text, fields);
      }
    }
    for (std::string const& field : fields) {
      YamlNode const* const child = value.find(field);
      if (child == nullptr) {
        fail("E104", owner, fmt::format("'{}' is missing in {}", field, owner.text));
        continue;
      }
      trigger.children.push_back(read(*child));
    }
  }

  void read_repeat(YamlEntry const& entry, Trigger& trigger) {
    if (entry.value.is_map() && entry.value.find("subtrigger") != nullptr) {
      read_fields(entry.value, trigger, {"subtrigger"}, entry.key);
    } else {
      trigger.children.push_back(read(entry.value));
    }
  }

  void read_list(YamlEntry const& entry, Trigger& trigger) {
    YamlNode const* list = &entry.value;
    if (list->is_map()) {
      for (YamlEntry const& e : list->entries) {
        if (e.key.text != "subtriggers") {
          unknown_key(e.key, entry.key.text, {"subtriggers"});
        }
      }
      list = list->find("subtriggers");
    }
    if (list == nullptr || !list->is_list()) {
      fail("E141", entry.value, fmt::format("{} takes a list of triggers", entry.key.text));
      return;
    }
    if (list->items.size() < 2) {
      fail("E121", *list, fmt::format("{} needs at least two triggers", entry.key.text));
    }
    for (YamlNode const& item : list->items) {
      trigger.children.push_back(read(item));
    }
  }

  Report& report_;
  bool ok_ = true;
};

}  // namespace

std::span<TriggerSpec const> trigger_table() { return table; }

std::optional<Trigger> read_trigger(Report& report, YamlNode const& node) {
  return TriggerReader{report}.read_root(node);
}

std::string to_string(Trigger const& trigger) {
  std::string out{name_of(trigger.op)};
  std::vector<std::string> args;
  if (trigger.op == TriggerOp::element_count) {
    args.push_back(fmt::format("{}", trigger.count));
  }
  for (TimeTransform const& transform : trigger.transforms) {
    if (transform.period_us == 0) {
      args.push_back(to_string(Duration{transform.delay_us}));
    } else {
      args.push_back(fmt::format("align to {} at {}", to_string(Duration{transform.period_us}),
                                 to_string(Duration{transform.offset_us})));
    }
  }
  std::size_t child = 0;
  if (trigger.op == TriggerOp::after_end_of_window) {
    if (trigger.has_early) {
      args.push_back("early: " + to_string(trigger.children[child++]));
    }
    if (trigger.has_late) {
      args.push_back("late: " + to_string(trigger.children[child++]));
    }
  }
  for (; child < trigger.children.size(); ++child) {
    args.push_back(to_string(trigger.children[child]));
  }
  return args.empty() ? out : fmt::format("{}({})", out, fmt::join(args, ", "));
}

}  // namespace windrow
