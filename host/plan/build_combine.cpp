// Combine: its key, aggregates and windowing, and what R63 to R78 refuse of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/plan/duration.hpp"
#include "host/plan/graph_builder.hpp"
#include "host/plan/trigger_reader.hpp"

namespace windrow {
namespace {

bool any_child_fires(Trigger const& trigger);

// Whether a trigger can fire because the watermark reaches the end of the window (W204).
bool fires_at_end(Trigger const& trigger) {
  switch (trigger.op) {
    case TriggerOp::default_:
    case TriggerOp::after_end_of_window:
      return true;
    case TriggerOp::after_all:
      return std::all_of(trigger.children.begin(), trigger.children.end(), fires_at_end);
    default:
      return any_child_fires(trigger);
  }
}
bool any_child_fires(Trigger const& trigger) {
  return std::any_of(trigger.children.begin(), trigger.children.end(), fires_at_end);
}

}  // namespace

// Such rows come when the sink answers: a step over them would not be a function of the plan.
void GraphBuilder::check_refused(Work& work) {
  if (work.in.refuser == nullptr) {
    return;
  }
  YamlNode const* const input = work.written.node->find("input");
  report_.add(
      "E101", input != nullptr && input->is_scalar() ? *input : work.at(),
      fmt::format("a Combine of rows that {} refuses is not built yet", work.in.refuser->label),
      "write them to a sink");
}

bool GraphBuilder::combine(Work& work) {
  Combine config;
  combine_windowing(work, config);
  check_input_panes(work, config);
  check_refused(work);
  if (work.in.steps.empty()) {
    track(work.in);
  }

  Schema out;
  bool ok = work.in.ok;
  Flow& flow = work.flow;
  flow.refuser = nullptr;
  flow.of_batch = nullptr;
  flow.identity.clear();
  flow.identifies.clear();
  flow.numbers.clear();
  for (YamlNode const* const node : work.keys.texts("group_by")) {
    if (!work.in.ok) {
      break;
    }
    std::optional<std::size_t> const at =
        find_field(context_, *node, node->text, work.in.schema, work.place);
    if (!at) {
      ok = false;
      continue;
    }
    Field const& field = work.in.schema.fields[*at];
    if (field.type.kind > ValueType::bytes) {
      report_.add("E140", *node,
                  fmt::format("{}: '{}' is {}, which cannot be a key", work.place, field.name,
                              to_string(field.type)));
      ok = false;
    }
    if (out.index_of(field.name)) {
      report_.add("E141", *node, fmt::format("'{}' is in group_by twice", field.name));
      ok = false;
      continue;
    }
    config.group.push_back(*at);
    flow.identifies.emplace_back(flow.identity.size());
    flow.identity.push_back(field.name);
    out.fields.push_back(field);
  }
  if (YamlNode const* const aggregates = work.keys.find("combine")) {
    if (aggregates->entries.empty()) {
      report_.add("E104", *aggregates,
                  fmt::format("'combine' of {} names no aggregate", work.written.label));
    }
    for (YamlEntry const& entry : aggregates->entries) {
      ok = add_aggregate(work, config, entry, out) && ok;
    }
  }
  flow.schema = std::move(out);
  flow.identifies.resize(flow.schema.fields.size());
  WindowState const step = work.in.windows;
  flow.windows = after_step(step);
  flow.steps = {graph_.size()};
  flow.stepless = false;
  flow.trackers.clear();
  work.out.step = graph_.size();
  work.out.config = std::move(config);
  return ok && work.keys.complete();
}

void GraphBuilder::combine_windowing(Work& work, Combine& config) {
  WindowState const& state = work.in.windows;
  config.windowing = state.windowing;
  if (state.from_step && config.windowing.windows.kind != WindowKind::global) {
    config.windowing.windows = WindowFn{.kind = WindowKind::given};
  }
  if (state.ok && work.in.ok) {
    check_windowing(work, config.windowing);
  }
}

void GraphBuilder::check_windowing(Work& work, Windowing const& windowing) {
  WindowState const& state = work.in.windows;
  Trigger const& trigger = windowing.trigger;
  bool const global = windowing.windows.kind == WindowKind::global;
  bool const sessions = windowing.windows.kind == WindowKind::sessions;
  YamlNode const& at = state.map != nullptr ? *state.map : work.at();
  YamlNode const& trigger_at = state.trigger_at != nullptr ? *state.trigger_at : at;
  bool const by_default = trigger.op == TriggerOp::default_;
  if (std::size_t const nodes = node_count(trigger); nodes > trigger_nodes_max) {
    report_.add("E122", trigger_at,
                fmt::format("the trigger that {} inherits, the continuation of that above, has {} "
                            "nodes, the limit is 32: give it one of its own",
                            work.written.label, nodes));
  }
  bool const safe = is_safe(trigger, windowing.lateness);
  if (!safe && !context_.allow_unsafe_triggers) {
    report_.add("E124", trigger_at,
                fmt::format("trigger {} may finish and then drop data; wrap it in repeat",
                            to_string(trigger)));
  }
  if (!by_default && !state.lateness_given && !global) {
    report_.add("E125", trigger_at, "a trigger needs allowed_lateness (0s is allowed)");
  }
  if (many_panes(windowing) && !state.mode_given) {
    report_.add("E126", at,
                fmt::format("accumulation_mode must be accumulating or discarding: windows of {} "
                            "can have several panes",
                            work.written.label));
  }
  if (global && by_default && !work.in.bounded) {
    report_.add(
        "E130", at,
        fmt::format("the window of {} never ends: set a trigger or a window", work.written.label));
  }
  if (sessions && windowing.discarding && (state.mode_given || many_panes(windowing))) {
    report_.add("W203", state.mode_at != nullptr ? *state.mode_at : at,
                "sessions with discarding: parts of a merged session stay separate rows");
  }
  if (safe && !global && !by_default && !fires_at_end(trigger)) {
    report_.add("W204", trigger_at,
                fmt::format("trigger {} never fires at the end of the window: the "
                            "watermark below waits until the window expires",
                            to_string(trigger)));
  }
  if (sessions && windowing.timestamp_combiner == TimestampCombiner::earliest) {
    report_.add("W205", state.combiner_at != nullptr ? *state.combiner_at : at,
                "earliest_in_pane over sessions holds everything below at the first row of the "
                "oldest open session");
  }
  for (std::size_t const tracker : work.in.trackers) {
    auto const* const json = std::get_if<ReadFromJson>(&graph_[tracker].config);
    if (!global && work.in.steps.empty() && json != nullptr && !json->event_time) {
      report_.add(
          "W220", at,
          fmt::format("rows of '{}' have no time, so that all fall into one window: set its "
                      "event_time, or put an AssignTimestamps behind it",
                      graph_[tracker].name));
    }
  }
  if (windowing.lateness.us == 0 && !work.in.bounded && work.in.steps.empty() && !global) {
    report_.add("W208", at,
                "allowed_lateness is 0s on an unbounded source: every late row is dropped");
  }
}

void GraphBuilder::check_input_panes(Work& work, Combine& config) {
  YamlNode const* const node = work.keys.find("input_panes");
  bool const replace = node != nullptr && node->text == "replace";
  if (replace) {
    config.input_panes = Combine::InputPanes::replace;
  }
  if (!work.in.ok || (work.keys.given("input_panes") && node == nullptr)) {
    return;
  }
  if (work.in.steps.empty()) {
    if (node != nullptr) {
      report_.add("E133", *node, fmt::format("{} reads no panes of a Combine", work.written.label));
    }
    return;
  }
  for (std::size_t const step : work.in.steps) {
    if (node == nullptr && many_panes(windowing_of(step))) {
      report_.add("E133", work.at(),
                  fmt::format("{} reads panes of {}: set input_panes to append or replace",
                              work.written.label, label_of_step(step)));
      return;
    }
    if (replace && windowing_of(step).discarding) {
      report_.add(
          "E133", *node,
          fmt::format("input_panes: replace needs {} to be accumulating", label_of_step(step)));
      return;
    }
  }
  if (replace && work.in.stepless) {
    report_.add("E133", *node,
                "input_panes: replace reads panes only; some of these rows are of no Combine");
  }
  if (replace && work.in.of_batch != nullptr) {
    report_.add(
        "E133", *work.in.of_batch,
        fmt::format("{} takes rows back (input_panes: replace), but '{}' is not the same in "
                    "a later batch",
                    work.written.label, work.in.of_batch->text));
  }
  if (replace && config.windowing.windows.kind == WindowKind::sessions) {
    report_.add("E133", *node, "input_panes: replace cannot read into sessions");
  }
}

}  // namespace windrow
