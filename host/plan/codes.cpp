#include "host/plan/codes.hpp"

namespace windrow {
namespace {

constexpr CodeEntry table[] = {
    {"E100", "unknown key", ""},
    {"E101",
     "unknown transform, window type, trigger or aggregate; or one, or a setting, that is not "
     "built yet",
     ""},
    {"E102", "unknown or ambiguous input, self reference or cycle", ""},
    {"E103", "input or output inside a chain", ""},
    {"E104", "missing required key", ""},
    {"E105", "bad duration", ""},
    {"E106", "Jinja beyond {{ name }}, or an undefined name", ""},
    {"E107", "language or expression that is not supported", ""},
    {"E108", "error_handling output that nothing consumes, or without a name", ""},
    {"E109", "environment variable or secret that is not set and has no default", ""},
    {"E110", "size, period or gap is not positive", ""},
    {"E111", "offset outside of [0, size or period)", "strategies over the C interface"},
    {"E112", "a row would fall in more than 4096 windows", ""},
    {"E113", "size, gap, lateness or delay beyond 3652500 days, or negative lateness", ""},
    {"E120", "element_count below 1", ""},
    {"E121", "after_all, after_any or after_each of fewer than two triggers", ""},
    {"E122", "trigger of more than 32 nodes", ""},
    {"E123", "negative delay, or align_to period that is not positive", ""},
    {"E124", "trigger that may finish and then drops data", ""},
    {"E125", "trigger without allowed_lateness", ""},
    {"E126", "accumulation_mode is missing where a window can have several panes", ""},
    {"E127", "retracting accumulation", ""},
    {"E130", "window that never ends over an input that never ends", ""},
    {"E131", "inputs of different windowing", ""},
    {"E132", "discarding panes into a replacing sink", ""},
    {"E133", "several panes per row read without a usable input_panes", ""},
    {"E134", "upsert key that does not tell rows apart", ""},
    {"E135", "time to live shorter than lateness and replay horizon", "sinks with a time to live"},
    {"E136", "two sinks share a table or key space", ""},
    {"E137", "exactly-once delivery that sink or source cannot give", ""},
    {"E140", "field that the input does not have, or of a wrong type", ""},
    {"E141", "value of a wrong type or not in its list", ""},
    {"E142", "not YAML, or a key given twice", ""},
    {"E150", "GPU budget over free memory with device: cuda", "a run"},
    {"W201", "1d is 86400 s here and 43200 s in Beam YAML", ""},
    {"W202", "unbounded source without watermark settings", ""},
    {"W203", "sessions with discarding: merged parts stay separate rows", ""},
    {"W204", "trigger that never fires at the end of the window holds the output watermark", ""},
    {"W205", "earliest_in_pane over sessions holds everything below", ""},
    {"W206", "emit_always into an append sink", ""},
    {"W207", "idle_timeout: none", ""},
    {"W208", "no lateness allowed on an unbounded source", ""},
    {"W209", "append sink under early or late panes: one row each", ""},
    {"W211", "offset outside of [0, size or period): reduced by floor modulo", ""},
    {"W212", "more than 1000 windows per row", ""},
    {"W213", "period longer than size: rows in no window", ""},
    {"W214", "secret in plain text", ""},
    {"W215", "windows of whole days are UTC days", ""},
    {"W216", "fetch buffers over the memory budget", ""},
    {"W217", "GPU budget over free memory with device: auto", "a run"},
    {"W218", "numbers of AssignTimestamps without a unit look like ms, us or ns", ""},
    {"W219", "a compacted topic breaks exact replay", "check --connect"},
    {"W220", "rows of a file without a time, in windows of time", ""},
};

}  // namespace

std::span<CodeEntry const> codes() { return table; }

CodeEntry const* find_code(std::string_view code) {
  for (CodeEntry const& entry : table) {
    if (entry.code == code) {
      return &entry;
    }
  }
  return nullptr;
}

}  // namespace windrow
