// The keys of what stands between sources and sinks (semantics.md 16.3).
#include "host/plan/key_forms.hpp"

namespace windrow {
namespace {

using namespace key_forms;

constexpr KeySpec language =
    choice_of("language", "generic", beam, "generic python", "of its expressions");

constexpr KeySpec assign_timestamps[] = {
    required("timestamp", expression, "field or expression that gives the event time"),
    language,
    rows,
    {.name = "unit",
     .type = choice,
     .fallback = "s for numbers, rfc3339 for text",
     .windrow = W,
     .meaning = "what its numbers count",
     .choices = "s ms us ns rfc3339",
     .on_beam =
         "Beam counts seconds; for ms write `language: python` and `timestamp: \"ts / 1000\"`"},
    watermark,
};
constexpr KeySpec dropped_rows = [] {
  KeySpec key = rows;
  key.windrow = W;
  key.on_beam = "Beam's Combine sets nothing aside: what it drops is gone";
  return key;
}();
constexpr KeySpec window_into[] = {
    {.name = "windowing",
     .type = windowing,
     .meaning = "windows of the rows below; may also stand beside config"}};
constexpr KeySpec map_to_fields[] = {
    required("fields", expressions, "{name: expression} or {name: {expression, output_type}}"),
    {"append", boolean, "false", beam, "keeps the fields of the input"},
    {"drop", texts_or_text, "[]", beam, "of the input's fields, those not kept (with append)"},
    language,
    rows,
};
constexpr KeySpec filter[] = {required("keep", expression, "condition of the rows that stay"),
                              language, rows};
constexpr KeySpec explode[] = {
    {.name = "fields",
     .type = texts_or_text,
     .fallback = required_key,
     .meaning = "the list field: one row per element"},
    {"cross_product", boolean, "", beam, "of several fields; several are not built yet"},
    rows,
};
constexpr KeySpec extract_windowing_info[] = {
    {"fields", windowing_info, "[timestamp, window_start, window_end]", beam,
     "list of, or {name: value}: timestamp, window_start, window_end, window_string, window_type, "
     "pane_info; (W) pane_version, deleted, drained"},
};
constexpr KeySpec combine[] = {
    required("group_by", texts_or_text, "fields of the key; [] is one group"),
    {.name = "combine",
     .type = aggregates,
     .fallback = required_key,
     .meaning = "{out: fn} or {out: {value: expression, fn: name or {type, config}}}"},
    choice_of("language", "generic", beam, "generic sql", "sql: {out: \"sum(x)\"}"),
    choice_of("input_panes", "", W, "append replace",
              "how panes of a step with several per row id are read"),
    dropped_rows,
};
constexpr KeySpec log_for_testing[] = {
    choice_of("level", "INFO", beam, "DEBUG INFO ERROR", "of the log lines"),
    {"prefix", text, "", beam, "put before every line"},
};
constexpr TransformSpec table[] = {
    {"AssignTimestamps", Role::row, beam, true, "sets the event time", assign_timestamps,
     "its stamps make the watermark anew; on Beam the source's watermark stays, and rows whose new "
     "stamps are behind it by more than a window are dropped"},
    {"WindowInto", Role::row, beam, true, "sets the windows of the Combines below", window_into},
    {"MapToFields", Role::row, beam, true, "computes fields", map_to_fields},
    {"Filter", Role::row, beam, true, "keeps some rows", filter},
    {"Explode", Role::row, beam, true, "a row per element of a list", explode},
    {"Flatten", Role::row, beam, true, "the rows of all inputs", {}},
    {"ExtractWindowingInfo", Role::row, beam, true, "window and pane of a row as fields",
     extract_windowing_info},
    {"Combine", Role::step, beam, true, "aggregates per key and window", combine},
    {"LogForTesting", Role::row, beam, true, "logs rows and hands them on", log_for_testing},
    coming("Partition"),
    coming("Reshuffle"),
    coming("StripErrorMetadata"),
    coming("ValidateWithSchema"),
};

}  // namespace

std::span<TransformSpec const> row_table() { return table; }

}  // namespace windrow
