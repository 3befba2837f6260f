// The keys of sources (semantics.md 16.3).
#include "host/plan/graph.hpp"
#include "host/plan/key_forms.hpp"

namespace windrow {
namespace {

using namespace key_forms;

constexpr KeySpec read_from_kafka[] = {
    {"topic", text, "", beam, "one topic; or `topics`, or `topic_pattern`"},
    {"topics", texts, "", W, "several topics"},
    {"topic_pattern", text, "", W, "topics by regular expression"},
    required("bootstrap_servers", text, "host:port, separated by commas"),
    {.name = "format",
     .type = choice,
     .fallback = "RAW",
     .meaning = "RAW and STRING give one field `payload`; NDJSON several rows a message",
     .choices = "RAW STRING JSON NDJSON AVRO PROTO",
     .later = "AVRO PROTO",
     .own = "NDJSON"},
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
    {"spool", text, "", W, "directory that keeps what stdin gives, so that a crash loses none"},
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
     .meaning = "events per second of the clock, at most 974",
     .least = 0,
     .most = Generate::rate_max},
    watermark,
};
constexpr TransformSpec table[] = {
    {"ReadFromKafka", Role::source, beam, true, "rows of Kafka topics", read_from_kafka,
     "the event time is the record's own, or `event_time`; on Beam it is the time of arrival, and "
     "the watermark is the time of day\n"
     "the position is part of Windrow's state, and offsets are committed for information only; on "
     "Beam the client commits them by itself"},
    {"ReadFromJson", Role::source, beam, true, "rows of NDJSON files or stdin", read_from_json},
    {"Create", Role::source, beam, true, "rows that stand in the file", create},
    {"Generate", Role::source, W, true, "made-up page views", generate},
    coming("ReadFromCsv"),
    coming("ReadFromText"),
    coming("ReadFromPubSub"),
    coming("ReadFromKinesis", W),
    coming("ReadFromParquet"),
};

}  // namespace

std::span<TransformSpec const> source_table() { return table; }

}  // namespace windrow
