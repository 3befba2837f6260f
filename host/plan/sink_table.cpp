// The keys of sinks and other ends (semantics.md 16.3).
#include "host/plan/key_forms.hpp"

namespace windrow {
namespace {

using namespace key_forms;

constexpr KeySpec refused = [] {
  KeySpec out = rows;
  out.windrow = W;
  out.meaning = "gives rows that the system refuses for good an output of their own";
  return out;
}();

// What every sink takes (U, connectors.md 3.2).
constexpr KeySpec every_sink[] = {
    {"key", texts, "[window_start] + group_by of the Combine above", W,
     "fields and pane columns that make the row id"},
    {"columns", columns, "{}", W, "more pane columns to write, and under which name"},
    {"id_prefix", text, "", W, "put before every row id, so that two sinks can share a table"},
    choice_of("delivery", "the stronger that sink, source and state allow", W,
              "at_least_once exactly_once",
              "how often a row may have an effect over crashes; exactly_once needs state, and a "
              "source that can be read again"),
    refused,
    later("batch_bytes", bytes, W, "bytes per request"),
    later("flush_interval", duration, W, "longest wait for a full request"),
    later("max_in_flight", integer, W, "batches on their way at once"),
    later("request_timeout", duration, W, "of one request"),
};
constexpr KeySpec assert_equal[] = {
    required("elements", elements, "the rows expected; nulls and order are ignored")};
constexpr KeySpec sqlite_keys[] = {
    {.name = "path",
     .type = text,
     .fallback = required_key,
     .windrow = W,
     .meaning = "the database file"},
    {.name = "table", .type = text, .fallback = required_key, .windrow = W, .meaning = "the table"},
    {"create_table", boolean, "false", W, "creates the table if it is missing"},
    choice_of("write_mode", "upsert", W, "upsert append", "append: a row per pane"),
    later("batch_size", integer, W,
          "rows per transaction; now those of a batch, or of a part of it"),
};
constexpr auto write_to_sqlite = joined(sqlite_keys, every_sink);
constexpr KeySpec postgres_keys[] = {
    required(
        "url", url,
        "postgresql://HOST:PORT/DATABASE?WORD=VALUE as libpq takes it, jdbc: before it is "
        "dropped; what it does not say the environment does (PGHOST, PGSSLMODE, PGPASSFILE, ..)"),
    required("table", text, "the table, or schema.table; upper and lower case differ"),
    {"username", text, "none", beam, "who connects, if not as url says"},
    {"password", secret, "none", beam, "of username"},
    {"connection_init_sql", texts, "[]", beam, "run after each connecting, in order"},
    {"driver_class_name", text, "", beam, "ignored"},
    {"driver_jars", text, "", beam, "ignored"},
    {"auto_sharding", boolean, "", beam, "ignored"},
    {"create_table", boolean, "false", W, "creates the table if it is missing at the start"},
    choice_of("write_mode", "upsert", W, "upsert append", "append: a row per pane"),
    later("query", text, beam, "a statement instead of the upsert, without its guard"),
    later("connection_properties", text, beam, "of the JDBC driver; url has words for them"),
    later("batch_size", integer, beam,
          "rows per statement; now those of a batch, or of a part of it"),
};
constexpr auto write_to_postgres = joined(postgres_keys, every_sink);
constexpr KeySpec json_keys[] = {
    required(
        "path", text,
        "the file that rows are appended to; with a / at its end a directory that gets a file per "
        "batch; \"-\" is stdout"),
    choice_of("write_mode", "append", W, "append", "a row per pane"),
    later("compression", choice, W, "of the files"),
    later("rolling_size", bytes, W, "begins a new file"),
    later("rolling_interval", duration, W, "begins a new file"),
    later("partition_by", expression, W, "directory of a row"),
};
constexpr auto write_to_json = joined(json_keys, every_sink);
constexpr KeySpec kafka_keys[] = {
    required("topic", text, "the topic; compacted, where a reader wants the last row per key only"),
    required("bootstrap_servers", text, "host:port, separated by commas"),
    {.name = "format",
     .type = choice,
     .fallback = required_key,
     .meaning = "JSON: the row as an object",
     .choices = "RAW STRING JSON AVRO PROTO",
     .later = "RAW STRING AVRO PROTO"},
    {"producer_config_updates", map, "{}", beam,
     "settings of librdkafka; secrets as {env: NAME} or {file: PATH}"},
    choice_of("write_mode", "upsert", W, "upsert append", "append: a row per pane"),
    {"transactional_id_prefix", text, "application_id", W,
     "of exactly_once: with the name of the sink, it names the transactions and the group that "
     "holds the last batch"},
    later("schema", schema, beam, "schema of the messages"),
    later("file_descriptor_path", text, beam, "protobuf"),
    later("message_name", text, beam, "protobuf"),
    later("batch_size", integer, W, "rows per transaction; now those of a batch"),
};
constexpr auto write_to_kafka = joined(kafka_keys, every_sink);

constexpr TransformSpec table[] = {
    {"AssertEqual", Role::end, beam, true, "fails unless these are the rows", assert_equal},
    {"WriteToSqlite", Role::end, W, true, "a table of a SQLite database", write_to_sqlite},
    {"WriteToPostgres", Role::end, beam, true, "a table of a PostgreSQL database",
     write_to_postgres,
     "a row replaces that of its id unless its `pane_version` is lower; on Beam each is an INSERT, "
     "of "
     "the fields alone"},
    {"WriteToJson", Role::end, beam, true, "NDJSON files or stdout", write_to_json,
     "rows are appended to the one file `path`; Beam writes new files whose names begin with it"},
    {"WriteToKafka", Role::end, beam, true, "messages of a Kafka topic", write_to_kafka,
     "the key of a message is the row's id, and its value has the columns of the pane too; on Beam "
     "the key is constant and the value the fields"},
    coming("WriteToMySql"),
    coming("WriteToJdbc"),
    coming("WriteToCsv"),
    coming("WriteToText"),
    coming("WriteToPubSub"),
    coming("WriteToKinesis", W),
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

std::span<TransformSpec const> sink_table() { return table; }
std::span<KeySpec const> sink_keys() { return every_sink; }

}  // namespace windrow
