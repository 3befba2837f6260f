// A pipeline file, parsed, checked and typed: what the engine runs.  Grammar: semantics.md 16.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "host/model/accumulator.hpp"
#include "host/model/stamp.hpp"
#include "host/model/time.hpp"
#include "host/plan/device_setting.hpp"
#include "host/plan/expression.hpp"
#include "host/plan/position.hpp"
#include "host/plan/schema.hpp"
#include "host/plan/secret.hpp"
#include "host/plan/watermark_settings.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {

struct EventTimeField {  // E of semantics.md 16.3
  std::string field;
  TimeUnit unit = TimeUnit::ms;
};

// ---- sources.  Their rows are typed by Transform::output.
struct ReadFromKafka {
  std::vector<std::string> topics;
  std::string topic_pattern;  // instead of topics
  std::string bootstrap_servers;
  enum class Format : std::uint8_t { raw, string, json, ndjson } format = Format::raw;
  std::map<std::string, std::string> consumer_config;
  // entries of it given as {env:} or {file:}; read for `run` only
  std::map<std::string, Secret> consumer_secrets;
  enum class Start : std::uint8_t {
    earliest,
    latest,
    group_offsets,
    timestamp
  } start = Start::latest;
  EventTime start_timestamp;
  Duration partition_discovery_interval{60'000'000};
  std::optional<Duration> max_read_time;
  bool validate_full = false;
  std::optional<EventTimeField> event_time;
  std::optional<WatermarkSettings> watermark;
};
struct ReadFromJson {
  std::string path;   // glob; "-" is stdin
  std::string spool;  // directory that keeps stdin; empty: none
  bool validate_full = false;
  // No `schema`: the first 1000 rows say (the checker filled Transform::output).
  bool infer_schema = false;
  std::optional<EventTimeField> event_time;
  std::optional<WatermarkSettings> watermark;
};
struct Create {
  std::vector<std::string> elements;  // each as JSON text of the output schema
};
struct Generate {
  static constexpr std::int64_t rate_max = 974;  // what the users of the generator can make
  std::uint64_t seed = 42;
  std::optional<std::uint64_t> events;
  std::optional<double> rate;  // events per second of P
  std::optional<WatermarkSettings> watermark;
};

// ---- row transforms
struct AssignTimestamps {
  Expression timestamp;
  TimeUnit unit = TimeUnit::s;
  bool doubts_unit = false;  // W218: numbers without a unit, none of which was seen yet
  std::optional<WatermarkSettings> watermark;
  bool tracks = false;  // the last one above a step: its stamps make the source's watermark (R88)
};
struct MapToFields {
  std::vector<Expression> columns;  // one per output field, in order (`append`, `drop` resolved)
};
struct Filter {
  Expression keep;
};
struct Explode {
  std::size_t field = 0;
};
struct Flatten {};
struct ExtractWindowingInfo {
  enum class What : std::uint8_t {
    timestamp,
    window_start,
    window_end,
    window_string,
    window_type,
    pane_info,
    pane_version,
    deleted,
    drained
  };
  std::vector<What> append;  // appended to the input's fields, in order
};

// ---- the aggregation
struct Combine {
  std::vector<std::size_t> group;   // input columns; output starts with them
  std::vector<Expression> values;   // one per CombineFn::column
  std::vector<CombineFn> combines;  // one per further output column
  Windowing windowing;
  enum class InputPanes : std::uint8_t { append, replace } input_panes = InputPanes::append;
};

// ---- ends; only LogForTesting hands its rows on
struct LogForTesting {
  enum class Level : std::uint8_t { debug, info, error } level = Level::info;
  std::string prefix;
};
struct AssertEqual {
  std::vector<std::string> elements;  // JSON text
};
// U of semantics.md 16.3.  `key`: names of input columns or pane columns, window_start first.
struct Upsert {
  bool append = false;  // write_mode
  std::vector<std::string> key;
  std::map<std::string, std::string> columns;  // pane column -> name
  std::string id_prefix;
};
struct WriteToSqlite {
  std::string path, table;
  bool create_table = false;
  Upsert upsert;
};
struct WriteToPostgres {
  std::string url;  // postgresql://..; may hold a password
  std::string table, username;
  Secret password;
  std::vector<std::string> connection_init_sql;
  bool create_table = false;
  Upsert upsert;
};
struct WriteToJson {
  std::string path;  // "-" is stdout
  Upsert upsert;
};
struct WriteToKafka {
  std::string topic, bootstrap_servers;
  std::map<std::string, std::string> producer_config;
  // entries of `producer_config_updates` given as {env:} or {file:}; read for `run` only
  std::map<std::string, Secret> producer_secrets;
  std::string transactional_id;  // empty: at_least_once
  Upsert upsert;
};

using TransformConfig =
    std::variant<ReadFromKafka, ReadFromJson, Create, Generate, AssignTimestamps, MapToFields,
                 Filter, Explode, Flatten, ExtractWindowingInfo, Combine, LogForTesting,
                 AssertEqual, WriteToSqlite, WriteToJson, WriteToPostgres, WriteToKafka>;

// An edge: an output of an earlier transform.  `errors`: its error_handling output, whose rows have
// `error_schema`.
struct Edge {
  std::size_t transform = 0;
  bool errors = false;
};
struct Transform {
  std::string name;
  std::string type;  // as written
  Position at;
  std::vector<Edge> inputs;  // several only for Flatten and for lists (flattened)
  Schema output;             // of the main output; empty for sinks
  bool bounded = true;       // all its rows come from sources that end (R89, R90)
  bool has_errors = false;   // error_handling is given (and something consumes it)
  TransformConfig config;
  // The Combine whose panes the rows are or come from, if any: pane columns are available.
  std::optional<std::size_t> step;
};

// Columns that every row of a step has besides its fields (semantics.md 16.3), with their types.
[[nodiscard]] Schema const& pane_columns();
// {element, msg, reason, source, partition, offset, line, window_start, window_end, pane_version,
// id}: rows of an error_handling output (semantics.md 16.3; id: connectors.md 2, Dead letters).
[[nodiscard]] Schema const& error_schema();

// Engine settings (operations.md 3), after -c and --set.
struct EngineSettings {
  std::string application_id;
  std::string state;  // --state DIR; empty: none
  DeviceSetting device;
  GpuMemoryLimit gpu_memory;
  std::uint64_t memory_limit = 0;  // bytes; 0: none
  double clock_rate = 1;
  bool batch_clock_wall = false;  // batch_clock: wall; else frozen (R90)
  std::size_t batch_rows_max = 65536;
  Duration tick_interval{100'000};
  std::uint64_t snapshot_bytes = 256U << 20U;
  Duration snapshot_interval{60'000'000};
  double max_bad_ratio = 1;        // breaker: share of bad records ..
  std::uint64_t max_bad_over = 0;  // .. over this many; 0: off
  Duration give_up_after{600'000'000};
  bool allow_unsafe_triggers = false;
  bool relaxed = false;  // determinism: relaxed
  unsigned threads = 0;  // 0: all cores
};

struct Graph {
  std::vector<Transform> transforms;  // in topological order
  EngineSettings settings;
  std::vector<std::string> windrow_keys;  // keys of Windrow's own that the file uses
};

}  // namespace windrow
