// Tables of the keys of a pipeline file: checking, defaults and the reference all come from these.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace windrow {

enum class KeyType : std::uint8_t {
  text,
  boolean,
  integer,
  number,
  shares,  // a number from 0 to 1, or a list of them
  duration,
  duration_or_none,
  bytes,
  bytes_or_share,
  choice,
  texts,
  texts_or_text,
  secret,  // a string, {env: NAME} or {file: PATH}
  url,     // may hold a password
  map,
  expression,
  expressions,
  structure,
  trigger,
  windowing,
  schema,
  elements,
  aggregates,
  columns,         // pane column -> name
  windowing_info,  // a list of names, or name -> name
  start,
  ratio,
  device,
  pipeline,
  pipelines,
  options,
  transform,
  transforms,
  input,
  output,
  tests,
  test_rows,
  transcript,
  anything
};
[[nodiscard]] std::string_view name_of(KeyType type);  // "duration or none"

inline constexpr std::string_view required_key = "required";

//   fallback  its value when it is not given, as text; "" = none; `required_key`
//   windrow   a key of Windrow's own (W); else Beam's
//   choices   of a choice: its values, separated by spaces;  later: of these, those refused, as not
//             built yet or with the code `refusal`
//             own: of these, those of Windrow's own
//   instead   what serves until a value of `later` is built
//   built     false: refused by name (E101) whatever its value
//   least, most  of integer (both inclusive) and number (more than least, at most most)
//   inner     the keys of a structure, of a map, or of each map of a list
//   on_beam   of a key of Windrow's own: what Apache Beam does instead, where that is not plain
struct KeySpec {
  std::string_view name;
  KeyType type = KeyType::text;
  std::string_view fallback = {};
  bool windrow = false;
  std::string_view meaning = {};
  std::string_view choices = {}, later = {};
  bool built = true;
  std::int64_t least = INT64_MIN, most = INT64_MAX;
  std::span<KeySpec const> inner = {};
  std::string_view instead = {}, refusal = "E101";
  std::string_view own = {}, on_beam = {};
};

//   on_beam  what it does otherwise on Apache Beam, one sentence a line
enum class Role : std::uint8_t { source, row, step, end };
struct TransformSpec {
  std::string_view type;
  Role role = Role::row;
  bool windrow = false, built = true;
  std::string_view meaning = {};
  std::span<KeySpec const> keys = {};
  std::string_view on_beam = {};
};
[[nodiscard]] std::span<TransformSpec const> transform_table();  // those below, in this order
[[nodiscard]] std::span<TransformSpec const> source_table();
[[nodiscard]] std::span<TransformSpec const> row_table();
[[nodiscard]] std::span<TransformSpec const> sink_table();
[[nodiscard]] TransformSpec const* find_transform(std::string_view type);

[[nodiscard]] std::span<KeySpec const> file_keys();
[[nodiscard]] std::span<KeySpec const> list_keys();  // of a file that `windrow test` reads
[[nodiscard]] std::span<KeySpec const> pipeline_keys();
[[nodiscard]] std::span<KeySpec const> transform_keys();  // beside config
[[nodiscard]] std::span<KeySpec const> composite_keys();  // these, and what a composite holds
[[nodiscard]] std::span<KeySpec const> windowing_keys();
[[nodiscard]] std::span<KeySpec const> settings_keys();  // options.windrow
[[nodiscard]] std::span<KeySpec const> gpu_keys();       // of these, gpu
[[nodiscard]] std::span<KeySpec const> watermark_keys();
[[nodiscard]] std::span<KeySpec const> event_time_keys();
[[nodiscard]] std::span<KeySpec const> error_handling_keys();
[[nodiscard]] std::span<KeySpec const> sink_keys();  // of every sink, after its own
[[nodiscard]] std::span<KeySpec const> test_keys();
[[nodiscard]] std::span<KeySpec const> test_row_keys();
[[nodiscard]] std::span<KeySpec const> transcript_keys();  // of an action

}  // namespace windrow
