// Triggers of a pipeline file, in Windrow's short spelling and the JSON spelling of Beam's proto.
#pragma once
#include <optional>
#include <string>

#include "host/plan/report.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {

// None if something is wrong with it (then it is reported).
[[nodiscard]] std::optional<Trigger> read_trigger(Report& report, YamlNode const& node);
// element_count(3), repeat(element_count(3)), after_end_of_window(early: .., late: ..)
[[nodiscard]] std::string to_string(Trigger const& trigger);
[[nodiscard]] std::string_view name_of(TriggerOp op);  // Beam's proto name

}  // namespace windrow
