// Tables of what a transcript may say.
#include "host/plan/transcript_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/plan/key_forms.hpp"
#include "host/plan/keys.hpp"

namespace windrow {
namespace {

using namespace key_forms;
constexpr bool no = false;  // `check` lists them together, as tests.transcript

constexpr KeySpec pane_table[] = {
    {"step", text, "", no, "name of the Combine; the last one if it is not given"},
    {"key", anything, "", no, "value of group_by, or a list of values"},
    {"interval", anything, "", no, "[start, end) of the window, in seconds"},
    {"window", anything, "", no, "Beam's form: [start, end - 1]"},
    {"timestamp", text, "", no, "stamp of the pane, in seconds"},
    {.name = "timing", .type = choice, .choices = "EARLY ON_TIME LATE UNKNOWN"},
    {"index", integer, "", no, "of the pane in its window, from 0"},
    {"nonspeculative_index", integer, "", no, "the same without early panes"},
    {"first", boolean, "", no, "is it the first of its window"},
    {"last", boolean, "", no, "is it the last of its window"},
    {"final", boolean, "", no, "Beam's word for last"},
    {"early", boolean, "", no, "is timing EARLY"},
    {"late", boolean, "", no, "is timing LATE"},
    {"tombstone", boolean, "", no, "does it take a row back"},
    {"drained", boolean, "", no, "was it fired by a drain"},
    {.name = "order", .type = integer, .meaning = "place, from 0", .least = 0},
    {"result", map, "", no, "aggregates by their column"},
    {"within", map, "", no, "absolute difference allowed, by column"},
    {"count", anything, "", no, "the column of this name"},
    {"sum", anything, "", no, "the column of this name"},
    {"values", elements, "", no, "the column of this name, in any order"},
};
constexpr KeySpec counter(std::string_view name) {
  return {.name = name, .type = integer, .least = 0};
}
constexpr KeySpec counter_table[] = {
    counter("dropped_late"),       counter("dropped_closed"),
    counter("no_window"),          counter("bad_timestamp"),
    counter("future_timestamp"),   counter("watermark_regressions"),
    counter("overflow"),           counter("tombstones"),
    counter("windows_with_state"), {"step", text, "", no, "of this step only"}};

constexpr KeySpec batch_table[] = {
    {"input", elements, "", no, "records of the source, in one batch"},
    {"watermark", text, "", no, "moves the watermark to this time, in seconds"},
    {"clock", text, "", no, "moves the processing time by so many seconds"},
    {"deliver", map, "", no, "records by partition"},
    {"assign", texts, "", no, "partitions that appear"},
    {"caught_up", texts, "", no, "partitions that have no more for now"},
    {"end", anything, "", no, "partitions that end; {}: all inputs"},
};
constexpr KeySpec other_actions[] = {
    {.name = "batch",
     .type = map,
     .meaning = "all of these that it names in one batch",
     .inner = batch_table},
    {"drain", anything, "", no, "fires all that is open, as a stop under --drain"},
    {"snapshot", anything, "", no, "saves the state"},
    {"restart", anything, "", no, "goes on in a new process, from the saved state"},
    {.name = "expect",
     .type = elements,
     .meaning = "exactly these panes since the action before",
     .inner = pane_table},
    {.name = "expect_counters",
     .type = map,
     .meaning = "totals since the start",
     .inner = counter_table},
    {"expect_watermark", text, "", no, "of the source, in seconds"},
    {"expect_output_watermark", anything, "", no, "of the last step, or of those named"},
};
constexpr auto action_table = joined(batch_table, other_actions);

void check_edges(Context& context, YamlNode const& pane, char const* name) {
  YamlNode const* const edges = pane.find(name);
  bool const good = edges == nullptr || (edges->is_list() && edges->items.size() == 2 &&
                                         std::all_of(edges->items.begin(), edges->items.end(),
                                                     [](auto const& e) { return e.is_scalar(); }));
  if (!good) {
    context.report.add("E141", *edges, fmt::format("'{}' must be a list of two times", name));
  }
}

}  // namespace

std::span<KeySpec const> transcript_keys() { return action_table; }

std::vector<TestAction> read_transcript(Context& context, YamlNode const& list) {
  std::vector<TestAction> out;
  auto const look = [&](YamlNode const* map, std::span<KeySpec const> table, char const* place) {
    if (map != nullptr) {
      Keys const checked(context.report, map, *map, table, place, "tests.transcript");
    }
  };
  for (YamlNode const& item : list.items) {
    Keys const action(context.report, &item, item, action_table, "an action", "tests.transcript");
    look(action.find("batch"), batch_table, "a batch");
    look(action.find("expect_counters"), counter_table, "expect_counters");
    if (YamlNode const* const panes = action.find("expect")) {
      for (YamlNode const& pane : panes->items) {
        look(&pane, pane_table, "an expected pane");
        check_edges(context, pane, "interval");
        check_edges(context, pane, "window");
      }
    }
    out.push_back({item.at, json_of(item)});
  }
  return out;
}

}  // namespace windrow
