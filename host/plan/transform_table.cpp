// The keys of every transform (semantics.md 16.3).
#include <algorithm>
#include <array>

#include "host/plan/key_table.hpp"

namespace windrow {
namespace {

using enum KeyType;
constexpr bool W = true, beam = false;
constexpr std::string_view languages = "generic python";

constexpr KeySpec required(std::string_view name, KeyType type, std::string_view meaning) {
  return {.name = name, .type = type, .fallback = required_key, .meaning = meaning};
}
constexpr KeySpec choice_of(std::string_view name, std::string_view fallback, bool windrow,
                            std::string_view choices, std::string_view meaning,
                            std::string_view later = {}) {
  return {.name = name,
          .type = choice,
          .fallback = fallback,
          .windrow = windrow,
          .meaning = meaning,
          .choices = choices,
          .later = later};
}
constexpr KeySpec later(std::string_view name, KeyType type, bool windrow,
                        std::string_view meaning) {
  return {.name = name, .type = type, .windrow = windrow, .meaning = meaning, .built = false};
}

constexpr KeySpec event_time_table[] = {
    required("field", text, "the field that holds the event time"),
    {.name = "unit",
     .type = choice,
     .fallback = required_key,
     .meaning = "what its numbers count, or rfc3339 for text",
     .choices = "s ms us ns rfc3339"},
};
constexpr KeySpec watermark_table[] = {
    {"max_out_of_orderness", duration, "0s", W,
     "how far behind the newest row of its partition a row may come without being late"},
    {"idle_timeout", duration_or_none, "60s", W,
     "a partition that is read to its end and gives nothing for so long holds nothing back"},
    choice_of("all_idle", "hold", W, "hold clock",
              "what the watermark does when all partitions are idle"),
    {"max_future_skew", duration_or_none, "1h if unbounded, none if bounded", W,
     "how far ahead of the clock a row may be stamped"},
    choice_of("on_future", "dead_letter", W, "dead_letter clamp",
              "what becomes of rows beyond that"),
};
constexpr KeySpec error_handling_table[] = {
    {.name = "output",
     .type = text,
     .fallback = required_key,
     .meaning = "name of the output that gets the rows set aside: read it as `Name.output`"},
};

constexpr KeySpec rows{.name = "error_handling",
                       .type = structure,
                       .fallback = "none",
                       .meaning = "gives rows that are set aside an output of their own",
                       .inner = error_handling_table};
constexpr KeySpec event_time{.name = "event_time",
                             .type = structure,
                             .fallback = "the record's own time",
                             .windrow = W,
                             .meaning = "which field is the event time",
                             .inner = event_time_table};
constexpr KeySpec watermark{.name = "watermark",
                            .type = structure,
                            .fallback = "none",
                            .windrow = W,
                            .meaning = "how the watermark follows the rows",
                            .inner = watermark_table};
constexpr KeySpec language =
    choice_of("language", "generic", beam, languages, "of its expressions");

// What every sink takes (U, connectors.md 3.2).
constexpr KeySpec key{"key", texts, "[window_start] + group_by of the Combine above", W,
                      "fields and pane columns that make the row id"};
constexpr KeySpec columns{"columns", names, "{}", W,
                          "more pane columns to write, and under which name"};
constexpr KeySpec id_prefix{"id_prefix", text, "", W,
                            "put before every row id, so that two sinks can share a table"};
constexpr KeySpec batch_bytes = later("batch_bytes", bytes, W, "bytes per request");
constexpr KeySpec flush_interval =
    later("flush_interval", duration, W, "longest wait for a full request");
constexpr KeySpec max_in_flight =
    later("max_in_flight", integer, W, "batches on their way at once");
constexpr KeySpec request_timeout = later("request_timeout", duration, W, "of one request");
constexpr KeySpec delivery = choice_of(
    "delivery", "at_least_once", W, "at_least_once exactly_once",
    "how often a row may arrive over crashes; exactly_once needs plans, which are not built yet");
constexpr KeySpec sink_errors =
    later("error_handling", structure, W, "an output for rows the system refuses");

constexpr KeySpec read_from_kafka[] = {
    {"topic", text, "", beam, "one topic; or `topics`, or `topic_pattern`"},
    {"topics", texts, "", W, "several topics"},
    {"topic_pattern", text, "", W, "topics by regular expression"},
    required("bootstrap_servers", text, "host:port, separated by commas"),
    choice_of("format", "RAW", beam, "RAW STRING JSON NDJSON AVRO PROTO",
              "RAW and STRING give one field `payload`; NDJSON (W) several rows a message",
              "AVRO PROTO"),
    {"schema", schema, "", beam, "JSON Schema of the rows; required for JSON and NDJSON"},
    {"consumer_config", map, "{}", beam,
     "settings of librdkafka; secrets as {env: NAME} or {file: PATH}"},
    choice_of("auto_offset_reset_config", "latest", beam, "earliest latest",
              "where to start without saved offsets"),
    {.name = "max_read_time_seconds",
     .type = integer,
     .fallback = "none",
     .meaning = "ends after so long",
     .least = 1},
    rows,
    event_time,
    watermark,
    {"start_from", start, "auto_offset_reset_config", W,
     "earliest, latest, group_offsets or {timestamp: TIME}"},
    {"partition_discovery_interval", duration, "60s", W, "how often new partitions are looked for"},
    choice_of("validate", "lazy", W, "lazy full",
              "full: every byte of a record must be valid JSON"),
    later("confluent_schema_registry_url", text, beam, "schema registry"),
    later("confluent_schema_registry_subject", text, beam, "schema registry"),
    later("file_descriptor_path", text, beam, "protobuf"),
    later("message_name", text, beam, "protobuf"),
    later("spool", text, W, "keeps what cannot be read again"),
};
constexpr KeySpec read_from_json[] = {
    required("path", text, "a glob of NDJSON files; \"-\" is stdin"),
    {"schema", schema, "inferred from the first 1000 rows", W, "JSON Schema of the rows"},
    choice_of("compression", "auto", W, "auto none gzip zstd", "of the files", "gzip zstd"),
    rows,
    event_time,
    watermark,
    choice_of("validate", "lazy", W, "lazy full",
              "full: every byte of a record must be valid JSON"),
    later("watch", boolean, W, "waits for more files"),
    later("spool", text, W, "keeps what cannot be read again"),
};
constexpr KeySpec create[] = {
    required("elements", elements, "the rows; plain values become the field `element`"),
    {"reshuffle", boolean, "true", beam, "ignored"},
};
constexpr KeySpec generate[] = {
    {.name = "kind",
     .type = choice,
     .fallback = required_key,
     .windrow = W,
     .meaning = "what to make up",
     .choices = "pageviews"},
    {.name = "seed",
     .type = integer,
     .fallback = "42",
     .windrow = W,
     .meaning = "same seed, same rows",
     .least = 0},
    {.name = "events",
     .type = integer,
     .fallback = "none",
     .windrow = W,
     .meaning = "how many; none: without end",
     .least = 1},
    {.name = "rate",
     .type = number,
     .fallback = "none",
     .windrow = W,
     .meaning = "events per second of the clock",
     .least = 0},
    watermark,
};
constexpr KeySpec assign_timestamps[] = {
    required("timestamp", expression, "field or expression that gives the event time"),
    language,
    rows,
    choice_of("unit", "s for numbers, rfc3339 for text", W, "s ms us ns rfc3339",
              "what its numbers count"),
    watermark,
};
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
    {"fields", names, "[timestamp, window_start, window_end]", beam,
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
    rows,
};
constexpr KeySpec log_for_testing[] = {
    choice_of("level", "INFO", beam, "DEBUG INFO ERROR", "of the log lines"),
    {"prefix", text, "", beam, "put before every line"},
};
constexpr KeySpec assert_equal[] = {
    required("elements", elements, "the rows expected; nulls and order are ignored")};
constexpr KeySpec write_to_sqlite[] = {
    {.name = "path",
     .type = text,
     .fallback = required_key,
     .windrow = W,
     .meaning = "the database file"},
    {.name = "table", .type = text, .fallback = required_key, .windrow = W, .meaning = "the table"},
    {.name = "batch_size",
     .type = integer,
     .fallback = "1000",
     .windrow = W,
     .meaning = "rows per statement",
     .least = 1},
    {"create_table", boolean, "false", W, "creates the table if it is missing"},
    key,
    choice_of("write_mode", "upsert", W, "upsert append", "append: a row per pane"),
    columns,
    id_prefix,
    batch_bytes,
    flush_interval,
    max_in_flight,
    request_timeout,
    delivery,
    sink_errors,
};
constexpr KeySpec write_to_json[] = {
    required("path", text, "a directory of NDJSON files; \"-\" is stdout"),
    key,
    choice_of("write_mode", "append", W, "append", "a row per pane"),
    columns,
    id_prefix,
    batch_bytes,
    flush_interval,
    max_in_flight,
    request_timeout,
    delivery,
    sink_errors,
    later("compression", choice, W, "of the files"),
    later("rolling_size", bytes, W, "begins a new file"),
    later("rolling_interval", duration, W, "begins a new file"),
    later("partition_by", expression, W, "directory of a row"),
};

constexpr TransformSpec coming(std::string_view type, bool windrow = false) {
  return {.type = type, .windrow = windrow, .built = false};
}
constexpr TransformSpec transforms[] = {
    {"ReadFromKafka", Role::source, beam, true, "rows of Kafka topics", read_from_kafka},
    {"ReadFromJson", Role::source, beam, true, "rows of NDJSON files or stdin", read_from_json},
    {"Create", Role::source, beam, true, "rows that stand in the file", create},
    {"Generate", Role::source, W, true, "made-up page views", generate},
    {"AssignTimestamps", Role::row, beam, true, "sets the event time", assign_timestamps},
    {"WindowInto", Role::row, beam, true, "sets the windows of the Combines below", window_into},
    {"MapToFields", Role::row, beam, true, "computes fields", map_to_fields},
    {"Filter", Role::row, beam, true, "keeps some rows", filter},
    {"Explode", Role::row, beam, true, "a row per element of a list", explode},
    {"Flatten", Role::row, beam, true, "the rows of all inputs", {}},
    {"ExtractWindowingInfo", Role::row, beam, true, "window and pane of a row as fields",
     extract_windowing_info},
    {"Combine", Role::step, beam, true, "aggregates per key and window", combine},
    {"LogForTesting", Role::row, beam, true, "logs rows and hands them on", log_for_testing},
    {"AssertEqual", Role::end, beam, true, "fails unless these are the rows", assert_equal},
    {"WriteToSqlite", Role::end, W, true, "a table of a SQLite database", write_to_sqlite},
    {"WriteToJson", Role::end, beam, true, "NDJSON files or stdout", write_to_json},
    coming("ReadFromCsv"),
    coming("ReadFromText"),
    coming("Partition"),
    coming("Reshuffle"),
    coming("StripErrorMetadata"),
    coming("ValidateWithSchema"),
    coming("WriteToKafka"),
    coming("WriteToPostgres"),
    coming("WriteToMySql"),
    coming("WriteToJdbc"),
    coming("WriteToCsv"),
    coming("WriteToText"),
    coming("ReadFromPubSub"),
    coming("WriteToPubSub"),
    coming("ReadFromKinesis", W),
    coming("WriteToKinesis", W),
    coming("ReadFromParquet"),
    coming("WriteToParquet"),
    coming("WriteToBigQuery"),
    coming("WriteToMongoDB"),
    coming("WriteToElasticsearch", W),
    coming("WriteToClickHouse", W),
    coming("WriteToCassandra", W),
    coming("WriteToDynamoDB", W),
    coming("WriteToRedis", W),
};

}  // namespace

std::span<TransformSpec const> transform_table() { return transforms; }
std::span<KeySpec const> watermark_keys() { return watermark_table; }
std::span<KeySpec const> event_time_keys() { return event_time_table; }
std::span<KeySpec const> error_handling_keys() { return error_handling_table; }

TransformSpec const* find_transform(std::string_view type) {
  auto const* const found =
      std::find_if(std::begin(transforms), std::end(transforms),
                   [&](TransformSpec const& spec) { return spec.type == type; });
  return found == std::end(transforms) ? nullptr : found;
}

}  // namespace windrow
