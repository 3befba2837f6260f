// The keys of a pipeline file outside of its transforms (semantics.md 16.1, 16.2; operations.md 3).
#include "host/plan/key_forms.hpp"

namespace windrow {
namespace {

using namespace key_forms;

constexpr KeySpec file_table[] = {
    {.name = "pipeline", .type = pipeline, .fallback = required_key, .meaning = "the pipeline"},
    {"options", options, "{}", beam, "Beam's options; read: allow_unsafe_triggers and windrow"},
    {"tests", tests, "[]", beam, "tests for `windrow test`"},
    {"providers", anything, "[]", beam, "must be empty"},
};
constexpr KeySpec list_table[] = {
    {.name = "pipelines",
     .type = pipelines,
     .fallback = required_key,
     .meaning = "`windrow test` only: files of one pipeline each, as a list"},
};
constexpr KeySpec pipeline_table[] = {
    {.name = "type",
     .type = choice,
     .fallback = "composite",
     .meaning = "composite: inputs by name; chain: each reads the one before",
     .choices = "composite chain"},
    {"name", text, "", beam, "for people"},
    {"transforms", transforms, "[]", beam, "the transforms"},
    {"source", transform, "", beam, "stands before the transforms"},
    {"sink", transform, "", beam, "stands after the transforms"},
    {"extra_transforms", transforms, "[]", beam, "of a chain: transforms with inputs by name"},
    {"windowing", KeyType::windowing, "", beam, "for all roots without one"},
    {"resource_hints", anything, "{}", beam, "ignored"},
};
constexpr KeySpec transform_table_[] = {
    {.name = "type", .type = text, .fallback = required_key, .meaning = "what it does"},
    {"name", text, "type", beam, "for references, metrics and state"},
    {"input", input, "", beam, "name, type or name.output; a list (flattened); or {tag: ..}"},
    {"output", output, "", beam, "of a composite: which transform its rows are"},
    {"config", map, "{}", beam, "keys of its own, below"},
    {"windowing", KeyType::windowing, "", beam, "applied to its inputs, on a source to its output"},
    {.name = "output_schema",
     .type = map,
     .fallback = "{}",
     .meaning = "checks the output",
     .built = false},
    {"resource_hints", anything, "{}", beam, "ignored"},
};
constexpr KeySpec part_table[] = {
    {"transforms", transforms, "", beam, "of composite and chain"},
    {"source", transform, "", beam, "of composite and chain"},
    {"sink", transform, "", beam, "of composite and chain"},
    {"extra_transforms", transforms, "", beam, "of a chain"},
};
constexpr auto composite_table = joined(transform_table_, part_table);
constexpr KeySpec windowing_table[] = {
    {.name = "type",
     .type = choice,
     .fallback = required_key,
     .meaning = "which windows (inherited if only W keys are given)",
     .choices = "global fixed sliding sessions calendar",
     .later = "calendar",
     .instead = "fixed windows of 1d are UTC days"},
    {"size", duration, "", beam, "of fixed and sliding windows"},
    {"period", duration, "", beam, "of sliding windows: from one start to the next"},
    {"gap", duration, "", beam, "of sessions: a pause so long ends one"},
    {"offset", duration, "0s", beam, "shifts all windows"},
    later("unit", choice, W, "of calendar windows"),
    later("every", integer, W, "of calendar windows"),
    later("timezone", text, W, "of calendar windows"),
    later("start", text, W, "of calendar windows"),
    {.name = "trigger",
     .type = trigger,
     .fallback = "default",
     .windrow = W,
     .meaning = "when a window gives a result",
     .on_beam = "on Beam it is always `default`"},
    {.name = "allowed_lateness",
     .type = duration,
     .fallback = "0s",
     .windrow = W,
     .meaning = "how long behind its end a window still takes rows",
     .on_beam = "on Beam it is always 0s"},
    {.name = "accumulation_mode",
     .type = choice,
     .fallback = "discarding",
     .windrow = W,
     .meaning = "a result holds the rows since the last one, or all rows; retracting is refused",
     .choices = "discarding accumulating retracting",
     .later = "retracting",
     .instead = "see tombstones and input_panes: replace",
     .refusal = "E127",
     .on_beam = "on Beam it is always discarding"},
    {.name = "timestamp_combiner",
     .type = choice,
     .fallback = "end_of_window",
     .windrow = W,
     .meaning = "stamp of a result",
     .choices = "end_of_window earliest_in_pane latest_in_pane"},
    {.name = "closing_behavior",
     .type = choice,
     .fallback = "emit_if_nonempty",
     .windrow = W,
     .meaning = "last result of a window",
     .choices = "emit_if_nonempty emit_always"},
    {.name = "on_time_behavior",
     .type = choice,
     .fallback = "fire_always",
     .windrow = W,
     .meaning = "result at the end of a window",
     .choices = "fire_always fire_if_nonempty"},
};
constexpr KeySpec gpu_table[] = {
    {.name = "memory_limit",
     .type = bytes_or_share,
     .fallback = "80%",
     .windrow = W,
     .meaning =
         "memory that all steps of a run may take together: 8GiB, or a share of what is free "
         "at the start"},
};
constexpr KeySpec settings_table[] = {
    {"application_id", text, "name of the file", W, "names this pipeline among others"},
    {"state", text, "none", W, "directory of the state; --state"},
    {.name = "device",
     .type = device,
     .fallback = "auto",
     .windrow = W,
     .meaning = "where steps run; cuda: an error where there is no GPU; --device"},
    {.name = "gpu",
     .type = structure,
     .fallback = "{}",
     .windrow = W,
     .meaning = "what a run takes of the GPU",
     .inner = gpu_table},
    {"memory_limit", bytes, "none", W, "at 80 % the source waits, at 100 % new keys are set aside"},
    {.name = "batch_clock",
     .type = choice,
     .fallback = "frozen",
     .windrow = W,
     .meaning =
         "processing time where all sources end (files, stdin): frozen, so that a result does "
         "not depend on it and triggers by processing time fire only then; or the wall's",
     .choices = "frozen wall"},
    {.name = "clock_rate",
     .type = number,
     .fallback = "1",
     .windrow = W,
     .meaning = "how fast processing time runs",
     .least = 0},
    {.name = "batch_rows_max",
     .type = integer,
     .fallback = "65536",
     .windrow = W,
     .meaning = "rows of one batch",
     .least = 1},
    {"tick_interval", duration, "100ms", W, "how often time alone is looked at"},
    {"max_bad_ratio", ratio, "none", W, "ends the run when so many records are bad: 1% over 10000"},
    {"give_up_after", duration, "10m", W, "of an unreachable broker or sink"},
    {.name = "threads",
     .type = integer,
     .fallback = "all cores",
     .windrow = W,
     .meaning = "workers",
     .least = 1},
    {.name = "determinism",
     .type = choice,
     .fallback = "reproducible",
     .windrow = W,
     .meaning =
         "same bytes when replayed; relaxed: on a GPU sums of numbers may differ in last bits",
     .choices = "reproducible relaxed"},
    later("batch_delay_max", duration, W, "longest wait for a full batch", "100ms"),
    {"snapshot_bytes", bytes, "256MiB", W, "input between two snapshots of the state"},
    {"snapshot_interval", duration, "1m", W, "time between two snapshots of the state"},
    later("replay_horizon", duration, W, "how old a snapshot may be", "24h"),
    later("listen", text, W, "address of probes and metrics"),
};
constexpr KeySpec test_row_table[] = {
    required("name", text, "of the transform"),
    required("elements", elements, "its rows"),
};
constexpr KeySpec test_table[] = {
    {"name", text, "", beam, "of the test"},
    {"mock_inputs", test_rows, "[]", beam, "rows instead of what a transform reads"},
    {"mock_outputs", test_rows, "[]", beam, "rows instead of what a transform gives"},
    {"expected_inputs", test_rows, "[]", beam, "rows that a transform must read"},
    {"expected_outputs", test_rows, "[]", beam, "rows that a transform must give"},
    {"allowed_sources", texts_or_text, "[]", beam, "sources that may really be read"},
    {.name = "transcript",
     .type = transcript,
     .windrow = W,
     .meaning = "instead of these: actions and the panes that they must give"},
    {"observe", texts, "", W, "steps whose panes a transcript names; all if not given"},
};

}  // namespace

std::span<KeySpec const> file_keys() { return file_table; }
std::span<KeySpec const> list_keys() { return list_table; }
std::span<KeySpec const> pipeline_keys() { return pipeline_table; }
std::span<KeySpec const> transform_keys() { return transform_table_; }
std::span<KeySpec const> composite_keys() { return composite_table; }
std::span<KeySpec const> windowing_keys() { return windowing_table; }
std::span<KeySpec const> settings_keys() { return settings_table; }
std::span<KeySpec const> gpu_keys() { return gpu_table; }
std::span<KeySpec const> test_row_keys() { return test_row_table; }
std::span<KeySpec const> test_keys() { return test_table; }

}  // namespace windrow
