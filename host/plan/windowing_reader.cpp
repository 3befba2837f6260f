#include "host/plan/windowing_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/plan/duration.hpp"
#include "host/plan/keys.hpp"
#include "host/plan/trigger_reader.hpp"

namespace windrow {
namespace {

constexpr std::int64_t windows_per_row_max = 4096, windows_per_row_many = 1000;
constexpr std::int64_t day_us = 86'400'000'000;

class WindowingReader {
 public:
  WindowingReader(Context& context, YamlNode const& map, std::string const& place,
                  GivenWindowing& out)
      : report_(context.report),
        map_(map),
        out_(out),
        keys_(context.report, &map, map, own_keys(map), place, "windowing") {}

  void read() {
    out_.map = &map_;
    if (map_.find("type") != nullptr || names_windows()) {
      read_windows();
    }
    if (YamlNode const* const trigger = keys_.find("trigger")) {
      out_.trigger = read_trigger(report_, *trigger);
      if (!out_.trigger) {
        out_.ok = false;
      }
    }
    read_lateness();
    read_mode();
    if (keys_.has("timestamp_combiner")) {
      std::string const name = keys_.text("timestamp_combiner");
      out_.timestamp_combiner = name == "earliest_in_pane" ? TimestampCombiner::earliest
                                : name == "latest_in_pane" ? TimestampCombiner::latest
                                                           : TimestampCombiner::end_of_window;
    }
    if (keys_.has("closing_behavior")) {
      out_.closing = keys_.text("closing_behavior") == "emit_always" ? Closing::emit_always
                                                                     : Closing::emit_if_nonempty;
    }
    if (keys_.has("on_time_behavior")) {
      out_.on_time = keys_.text("on_time_behavior") == "fire_always" ? OnTime::fire_always
                                                                     : OnTime::fire_if_nonempty;
    }
    for (KeySpec const& spec : windowing_keys()) {
      if (keys_.given(spec.name) && !keys_.has(spec.name)) {
        out_.ok = false;
      }
    }
    if (!keys_.complete()) {
      out_.ok = false;
    }
  }

 private:
  // `type` is required unless only keys of Windrow's own are given: those that Beam does not know.
  static std::span<KeySpec const> own_keys(YamlNode const& map) {
    bool const beam =
        std::any_of(map.entries.begin(), map.entries.end(), [](YamlEntry const& entry) {
          auto const keys = windowing_keys();
          return std::none_of(keys.begin(), keys.end(), [&](KeySpec const& spec) {
            return spec.windrow && spec.name == entry.key.text;
          });
        });
    // `type` is first in the table; this variant of it is not required.
    static std::vector<KeySpec> const optional_type = [] {
      std::vector<KeySpec> keys(windowing_keys().begin(), windowing_keys().end());
      keys[0].fallback = {};
      return keys;
    }();
    if (beam || map.entries.empty()) {
      return windowing_keys();
    }
    return optional_type;
  }
  bool names_windows() const {
    return map_.find("size") != nullptr || map_.find("period") != nullptr ||
           map_.find("gap") != nullptr;
  }

  void fail(std::string_view code, YamlNode const& at, std::string text,
            std::string suggestion = {}) {
    report_.add(code, at, std::move(text), std::move(suggestion));
    out_.ok = false;
  }

  // A length of a window in us; 0 if it is missing or refused.
  std::int64_t length(std::string_view name, std::string_view type) {
    YamlNode const* const node = keys_.find(name);
    if (node == nullptr) {
      if (!keys_.given(name)) {
        fail("E104", *map_.find("type"), fmt::format("{} windows need '{}'", type, name));
      }
      return 0;
    }
    ReadDuration const read = read_duration(node->text);
    if (read.value->us <= 0) {
      fail("E110", *node, fmt::format("{} must be positive, is {}", name, node->text));
      return 0;
    }
    if (*read.value > duration_max) {
      fail("E113", *node, fmt::format("{} must be at most 3652500d, is {}", name, node->text));
      return 0;
    }
    return read.value->us;
  }

  void refuse_key(std::string_view name, std::string_view type) {
    YamlNode const* const key = map_.find_key(name);
    if (key != nullptr && keys_.given(name)) {
      fail("E100", *key, fmt::format("'{}' means nothing to {} windows", name, type));
    }
  }

  std::int64_t offset(std::int64_t modulus, std::string_view of) {
    YamlNode const* const node = keys_.find("offset");
    if (node == nullptr || modulus == 0) {
      return 0;
    }
    std::int64_t const us = read_duration(node->text).value->us;
    std::int64_t const reduced = floor_mod(us, modulus);
    if (reduced != us) {
      report_.add("W211", *node,
                  fmt::format("offset {} is not in [0s, {}): {} is used", node->text, of,
                              to_string(Duration{reduced})));
    }
    return reduced;
  }

  void read_windows() {
    YamlNode const* const type = keys_.find("type");
    if (type == nullptr) {
      out_.ok = false;
      return;
    }
    WindowFn fn;
    if (type->text == "global") {
      for (char const* const name : {"size", "period", "gap", "offset"}) {
        refuse_key(name, "global");
      }
    } else if (type->text == "fixed") {
      fn.kind = WindowKind::fixed;
      fn.size_us = fn.period_us = length("size", "fixed");
      fn.offset_us = offset(fn.size_us, to_string(Duration{fn.size_us}));
      refuse_key("period", "fixed");
      refuse_key("gap", "fixed");
      if (fn.size_us > 0 && fn.size_us % day_us == 0) {
        report_.add("W215", *keys_.find("size"), "windows of whole days are UTC days");
      }
    } else if (type->text == "sliding") {
      fn.kind = WindowKind::sliding;
      fn.size_us = length("size", "sliding");
      fn.period_us = length("period", "sliding");
      fn.offset_us = offset(fn.period_us, to_string(Duration{fn.period_us}));
      refuse_key("gap", "sliding");
      check_overlap(fn);
    } else {
      fn.kind = WindowKind::sessions;
      fn.gap_us = length("gap", "sessions");
      for (char const* const name : {"size", "period", "offset"}) {
        refuse_key(name, "sessions");
      }
    }
    out_.windows = fn;
  }

  void check_overlap(WindowFn const& fn) {
    if (fn.size_us == 0 || fn.period_us == 0) {
      return;
    }
    std::int64_t const per_row = (fn.size_us - 1) / fn.period_us + 1;
    YamlNode const& period = *keys_.find("period");
    if (per_row > windows_per_row_max) {
      fail("E112", period,
           fmt::format("each row would fall in {} windows, the limit is 4096", per_row));
    } else if (per_row > windows_per_row_many) {
      report_.add("W212", period, fmt::format("each row falls in {} windows", per_row));
    }
    if (fn.period_us > fn.size_us) {
      report_.add("W213", period, "period is longer than size: some rows are in no window");
    }
  }

  void read_lateness() {
    YamlNode const* const node = keys_.find("allowed_lateness");
    if (node == nullptr) {
      return;
    }
    Duration const lateness = *read_duration(node->text).value;
    if (lateness.us < 0) {
      fail("E113", *node, fmt::format("allowed_lateness must not be negative, is {}", node->text));
    } else if (lateness > duration_max) {
      fail("E113", *node,
           fmt::format("allowed_lateness must be at most 3652500d, is {}", node->text));
    }
    out_.lateness = lateness;
  }

  void read_mode() {
    if (YamlNode const* const node = keys_.find("accumulation_mode")) {
      out_.discarding = node->text == "discarding";
    }
  }

  Report& report_;
  YamlNode const& map_;
  GivenWindowing& out_;
  Keys keys_;
};

}  // namespace

GivenWindowing read_windowing(Context& context, YamlNode const& node, std::string const& place) {
  GivenWindowing out;
  YamlNode const* const map = node.is_scalar() ? context.read_inside(node) : &node;
  if (map == nullptr || !map->is_map()) {
    if (map != nullptr) {
      context.report.add("E141", node,
                         fmt::format("{} must be a map, is {}", place, kind_of(node)));
    }
    out.ok = false;
    return out;
  }
  WindowingReader{context, *map, place, out}.read();
  return out;
}

void apply(GivenWindowing const& given, WindowState& state) {
  Windowing& w = state.windowing;
  state.map = given.map;
  if (!given.ok) {
    state.ok = false;
  }
  if (given.map == nullptr) {
    return;
  }
  if (given.windows) {
    w.windows = *given.windows;
    w.merging = w.windows.kind == WindowKind::sessions;
    state.from_step = false;
    state.regrouped = true;
  }
  if (given.trigger) {
    w.trigger = *given.trigger;
    state.trigger_at = given.map->find("trigger");
  }
  if (given.lateness) {
    w.lateness = std::max(w.lateness, *given.lateness);
    state.lateness_given = true;
  }
  if (given.discarding) {
    w.discarding = *given.discarding;
    state.mode_given = true;
    state.mode_at = given.map->find("accumulation_mode");
  }
  if (given.timestamp_combiner) {
    w.timestamp_combiner = *given.timestamp_combiner;
    state.combiner_at = given.map->find("timestamp_combiner");
  }
  if (given.closing) {
    w.closing = *given.closing;
    state.closing_at = given.map->find("closing_behavior");
  }
  if (given.on_time) {
    w.on_time = *given.on_time;
  }
}

WindowState after_step(WindowState const& step) {
  WindowState out = step;
  out.windowing.trigger = continuation(step.windowing.trigger);
  out.from_step = true;
  out.regrouped = false;
  out.lateness_given = true;
  // Where only one pane per row id was possible the mode had not to be written.
  out.trigger_at = nullptr;
  out.combiner_at = nullptr;
  out.closing_at = nullptr;
  out.mode_at = nullptr;
  out.map = nullptr;
  return out;
}

std::string to_string(WindowFn const& fn) {
  std::string out;
  switch (fn.kind) {
    case WindowKind::global:
      return "global";
    case WindowKind::given:
      return "those of its input's panes";
    case WindowKind::fixed:
      out = "fixed " + to_string(Duration{fn.size_us});
      break;
    case WindowKind::sliding:
      out = fmt::format("sliding {} every {}", to_string(Duration{fn.size_us}),
                        to_string(Duration{fn.period_us}));
      break;
    case WindowKind::sessions:
      return "sessions with gap " + to_string(Duration{fn.gap_us});
  }
  if (fn.offset_us != 0) {
    out += " offset " + to_string(Duration{fn.offset_us});
  }
  return out;
}

}  // namespace windrow
