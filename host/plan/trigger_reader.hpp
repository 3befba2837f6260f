// Triggers of a pipeline file, in Windrow's short spelling and the JSON spelling of Beam's proto.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/plan/report.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {

// A trigger by Beam's proto name, and what stands behind the name.
struct TriggerSpec {
  enum class Shape : std::uint8_t {
    name,             // nothing
    count,            // n
    processing_time,  // a delay, or {timestamp_transforms: [..]}
    parts,            // nothing, or {early_firings: T, late_firings: T}
    pair,             // {main: T, finally: T}
    one,              // T
    list              // [T, T, ..]
  };
  TriggerOp op;
  std::string_view name;
  Shape shape;
};
[[nodiscard]] std::span<TriggerSpec const> trigger_table();

// None if something is wrong with it (then it is reported).
[[nodiscard]] std::optional<Trigger> read_trigger(Report& report, YamlNode const& node);
// element_count(3), repeat(element_count(3)), after_end_of_window(early: .., late: ..)
[[nodiscard]] std::string to_string(Trigger const& trigger);

}  // namespace windrow
