// `windowing` maps and what they do to the windowing that rows carry (semantics.md 16.2, R63, R76,
// R77).
#pragma once
#include <optional>
#include <string>

#include "host/plan/context.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {

// One map as written.  `ok` is false if something in it was refused.
struct GivenWindowing {
  YamlNode const* map = nullptr;
  bool ok = true;
  std::optional<WindowFn> windows;
  std::optional<Trigger> trigger;
  std::optional<Duration> lateness;
  std::optional<bool> discarding;
  std::optional<TimestampCombiner> timestamp_combiner;
  std::optional<Closing> closing;
  std::optional<OnTime> on_time;
};
// `node`: a map, or a string that holds one.  `place`: "windowing of 'PerPage'".
[[nodiscard]] GivenWindowing read_windowing(Context& context, YamlNode const& node,
                                            std::string const& place);

// The windowing of rows on their way to the next step.
//   windowing   as a Combine here would have it, its `windows` those that were last stated
//   from_step   the rows are in windows of a step, not re-windowed since (R77)
//   regrouped   windows were stated since the last step or source
//   *_given     somewhere above
//   *_at        where it was stated last, for findings
//   ok          false: what is not known because something above was refused
struct WindowState {
  Windowing windowing;
  bool from_step = false, regrouped = false, lateness_given = false, mode_given = false, ok = true;
  YamlNode const* trigger_at = nullptr;
  YamlNode const* combiner_at = nullptr;
  YamlNode const* closing_at = nullptr;
  YamlNode const* mode_at = nullptr;
  YamlNode const* map = nullptr;
};
void apply(GivenWindowing const& given, WindowState& state);
// Of the rows that leave a step of this windowing.
[[nodiscard]] WindowState after_step(WindowState const& step);

// "fixed 5m", "sliding 10m every 1m", "sessions with gap 30m"
[[nodiscard]] std::string to_string(WindowFn const& windows);

}  // namespace windrow
