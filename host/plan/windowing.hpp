// One windowing strategy, checked: windows, trigger, lateness, mode, stamps, behaviors.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/model/pane.hpp"
#include "host/model/trigger.hpp"
#include "host/model/window.hpp"

namespace windrow {

// A trigger as it is written; `compile` makes the program of it.
//   count       element_count
//   transforms  after_processing_time
//   children    after_all/any/each, repeat (1), or_finally (main, finally);
//               after_end_of_window: none (bare) or early, late (`has_early`, `has_late` say which
//               were given)
struct Trigger {
  TriggerOp op = TriggerOp::default_;
  std::uint32_t count = 0;
  std::vector<TimeTransform> transforms{};
  std::vector<Trigger> children{};
  bool has_early = false, has_late = false;
  bool operator==(Trigger const&) const = default;
};

[[nodiscard]] std::size_t node_count(Trigger const&);       // after the implied `never` is added
[[nodiscard]] std::size_t transform_count(Trigger const&);  // of all its processing-time nodes
// Requires node_count and transform_count <= trigger_nodes_max.
[[nodiscard]] TriggerProgram compile(Trigger const&, bool merging);
[[nodiscard]] Trigger continuation(Trigger const&);  // R63
[[nodiscard]] bool may_finish(Trigger const&);       // R64
[[nodiscard]] bool is_safe(Trigger const&, Duration lateness);

struct Windowing {
  WindowFn windows;  // `given` where a step groups by the windows of its input's panes (R77)
  Trigger trigger;
  Duration lateness;
  bool discarding = true;
  TimestampCombiner timestamp_combiner = TimestampCombiner::end_of_window;
  OnTime on_time = OnTime::fire_always;
  Closing closing = Closing::emit_if_nonempty;
  bool merging = false;  // sessions, also of an earlier step (9.3)
  bool operator==(Windowing const&) const = default;
};
// More than one pane per row id is possible (R67).
[[nodiscard]] bool many_panes(Windowing const&);

}  // namespace windrow
