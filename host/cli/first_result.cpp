#include "host/cli/first_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include "host/cli/parts.hpp"
#include "host/plan/duration.hpp"

namespace windrow::cli {
namespace {

// Nothing comes before the one, nothing after the other.
std::string const first_row = "the first row of a key", end_of_input = "the end of the input";

// What makes the watermark of the rows of one transform.
//   moves     false: it stands until all input has ended (R89)
//   behind    how far it stays behind the newest row
struct WatermarkOf {
  bool moves = false;
  Duration behind;
};

WatermarkOf watermark_of(Graph const& graph, std::size_t at) {
  Transform const& transform = graph.transforms[at];
  auto const made = [&](std::optional<WatermarkSettings> const& settings) {
    return WatermarkOf{settings || !transform.bounded,
                       settings ? settings->max_out_of_orderness : Duration{}};
  };
  auto const* const assign = std::get_if<AssignTimestamps>(&transform.config);
  if (assign != nullptr && assign->tracks) {
    return made(assign->watermark);
  }
  if (auto const* const kafka = std::get_if<ReadFromKafka>(&transform.config)) {
    return made(kafka->watermark);
  }
  if (auto const* const json = std::get_if<ReadFromJson>(&transform.config)) {
    return made(json->watermark);
  }
  if (auto const* const generate = std::get_if<Generate>(&transform.config)) {
    return made(generate->watermark);
  }
  // The lowest of the inputs counts.
  WatermarkOf out{.moves = !transform.inputs.empty(), .behind = {}};
  for (Edge const& edge : transform.inputs) {
    WatermarkOf const input = watermark_of(graph, edge.transform);
    out.moves = out.moves && input.moves;
    out.behind = std::max(out.behind, input.behind);
  }
  return out;
}

class Words {
 public:
  Words(Graph const& graph, std::size_t at)
      : windowing_(std::get<Combine>(graph.transforms[at].config).windowing),
        watermark_(watermark_of(graph, at)),
        clock_stands_(all_bounded(graph) && !graph.settings.batch_clock_wall) {}

  [[nodiscard]] std::string of(Trigger const& trigger) const {
    switch (trigger.op) {
      case TriggerOp::always:
        return first_row;
      case TriggerOp::element_count:
        return trigger.count == 1 ? first_row : fmt::format("{} rows of a key", trigger.count);
      case TriggerOp::after_processing_time:
      case TriggerOp::after_synchronized_processing_time:
        return clock_stands_ ? end_of_input : delay(trigger);
      case TriggerOp::default_:
        return end();
      case TriggerOp::after_end_of_window:
        return trigger.has_early ? either(of(trigger.children[0]), end()) : end();
      case TriggerOp::never:
        return expiry();
      case TriggerOp::repeat:
      case TriggerOp::after_each:
        return of(trigger.children[0]);
      case TriggerOp::after_all:
        return all(trigger, " and ");
      case TriggerOp::after_any:
      case TriggerOp::or_finally:
        return all(trigger, " or ");
    }
    return {};
  }

 private:
  // When the watermark is that far: after a row so far behind the newest one.
  [[nodiscard]] std::string passed(std::string_view what) const {
    if (!watermark_.moves || windowing_.windows.kind == WindowKind::global) {
      return end_of_input;
    }
    return watermark_.behind.us == 0
               ? fmt::format("a row at or after {}", what)
               : fmt::format("a row {} after {}", to_string(watermark_.behind), what);
  }
  // An early firing, unless the window ends before it.
  static std::string either(std::string const& early, std::string const& end) {
    return early == end || early == end_of_input ? end
           : early == first_row                  ? early
                                                 : early + " or " + end;
  }
  [[nodiscard]] std::string end() const { return passed("the end of its window"); }
  [[nodiscard]] std::string expiry() const {
    return windowing_.lateness.us == 0
               ? end()
               : passed(fmt::format("the end of its window and the {} of its lateness",
                                    to_string(windowing_.lateness)));
  }
  static std::string delay(Trigger const& trigger) {
    Duration sum{};
    bool aligned = false;
    for (TimeTransform const& transform : trigger.transforms) {
      sum.us += transform.delay_us;
      aligned = aligned || transform.period_us > 0;
    }
    return fmt::format("{} after the first row of a key{}", to_string(sum),
                       aligned ? ", at the next full period" : "");
  }
  [[nodiscard]] std::string all(Trigger const& trigger, std::string_view between) const {
    std::vector<std::string> parts;
    for (Trigger const& child : trigger.children) {
      parts.push_back(of(child));
    }
    return fmt::format("{}", fmt::join(parts, between));
  }

  Windowing const& windowing_;
  WatermarkOf watermark_;
  bool clock_stands_;
};

}  // namespace

std::string first_result(Graph const& graph, std::size_t at) {
  return Words{graph, at}.of(std::get<Combine>(graph.transforms[at].config).windowing.trigger);
}

}  // namespace windrow::cli
