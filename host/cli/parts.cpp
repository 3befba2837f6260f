// The sources and sinks that a graph names.
#include "host/cli/parts.hpp"

#include <variant>

#include "host/engine/sink_schema.hpp"
#include "ingest/json_decoder.hpp"
#include "ingest/kafka_source.hpp"
#include "ingest/line_source.hpp"
#include "ingest/memory_source.hpp"
#include "ingest/pageviews_source.hpp"
#include "ingest/spool_source.hpp"
#include "sinks/json_files_sink.hpp"
#include "sinks/json_sink.hpp"
#include "sinks/kafka_sink.hpp"
#include "sinks/kafka_transaction_sink.hpp"
#include "sinks/postgres_sink.hpp"
#include "sinks/sqlite_sink.hpp"

namespace windrow::cli {
namespace {

PayloadFormat payload_format(ReadFromKafka::Format format) {
  switch (format) {
    case ReadFromKafka::Format::raw:
      return PayloadFormat::raw;
    case ReadFromKafka::Format::string:
      return PayloadFormat::string;
    case ReadFromKafka::Format::json:
      return PayloadFormat::json;
    case ReadFromKafka::Format::ndjson:
      return PayloadFormat::ndjson;
  }
  return PayloadFormat::raw;
}

KafkaSourceOptions kafka_options(ReadFromKafka const& config, Duration give_up_after) {
  KafkaSourceOptions options;
  options.topics = config.topics;
  options.topic_pattern = config.topic_pattern;
  options.bootstrap_servers = config.bootstrap_servers;
  options.consumer_config = config.consumer_config;
  for (auto const& [name, secret] : config.consumer_secrets) {
    options.consumer_config[name] = secret.reveal();
  }
  options.start = static_cast<KafkaSourceOptions::Start>(config.start);
  options.start_timestamp = config.start_timestamp;
  options.discovery_interval = config.partition_discovery_interval;
  options.max_read_time = config.max_read_time;
  options.give_up_after = give_up_after;
  return options;
}

kafka::ProducerSettings producer_settings(WriteToKafka const& config) {
  kafka::ProducerSettings settings{config.bootstrap_servers, config.topic, config.transactional_id,
                                   config.producer_config};
  for (auto const& [name, secret] : config.producer_secrets) {
    settings.config[name] = secret.reveal();
  }
  return settings;
}

SourcePart part(std::size_t at, std::unique_ptr<Source> source, JsonDecoderOptions options,
                std::optional<EventTimeField> const& time) {
  if (time) {
    options.event_time = JsonDecoderOptions::TimeField{time->field, time->unit};
  }
  return {at, std::move(source), [options]() -> std::unique_ptr<Decoder> {
            return std::make_unique<JsonDecoder>(options);
          }};
}

}  // namespace

bool all_bounded(Graph const& graph) {
  for (Transform const& transform : graph.transforms) {
    auto const* generate = std::get_if<Generate>(&transform.config);
    bool const endless = std::holds_alternative<ReadFromKafka>(transform.config) ||
                         (generate != nullptr && !generate->events);
    if (endless) {
      return false;
    }
  }
  return true;
}

std::vector<SourcePart> make_sources(Graph const& graph, Clock& clock) {
  std::vector<SourcePart> parts;
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    Transform const& transform = graph.transforms[at];
    JsonDecoderOptions options;
    options.schema = transform.output;
    if (auto const* kafka = std::get_if<ReadFromKafka>(&transform.config)) {
      options.format = payload_format(kafka->format);
      options.validate_full = kafka->validate_full;
      parts.push_back(part(
          at, std::make_unique<KafkaSource>(kafka_options(*kafka, graph.settings.give_up_after)),
          options, kafka->event_time));
    } else if (auto const* json = std::get_if<ReadFromJson>(&transform.config)) {
      options.validate_full = json->validate_full;
      std::unique_ptr<Source> lines = std::make_unique<LineSource>(json->path);
      if (!json->spool.empty()) {
        lines = std::make_unique<SpoolSource>(std::move(lines), json->spool);
      }
      parts.push_back(part(at, std::move(lines), options, json->event_time));
    } else if (auto const* create = std::get_if<Create>(&transform.config)) {
      parts.push_back(part(at, std::make_unique<MemorySource>(transform.name, create->elements),
                           options, std::nullopt));
    } else if (auto const* generate = std::get_if<Generate>(&transform.config)) {
      PageviewsSettings const settings{generate->seed, generate->events, generate->rate};
      parts.push_back(part(
          at,
          std::make_unique<PageviewsSource>(settings, [&clock] { return clock.processing_time(); }),
          options, EventTimeField{"ts", TimeUnit::ms}));
    }
  }
  return parts;
}

static_assert(Generate::rate_max * pageviews::view_period_ms / 1000 <= pageviews::users_max);

std::vector<SinkPart> make_sinks(Graph const& graph) {
  std::vector<SinkPart> parts;
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    Transform const& transform = graph.transforms[at];
    if (auto const* sqlite = std::get_if<WriteToSqlite>(&transform.config)) {
      SqliteSettings settings{.name = transform.name,
                              .path = sqlite->path,
                              .table = sqlite->table,
                              .create_table = sqlite->create_table};
      parts.push_back(
          {at, std::make_unique<SqliteSink>(std::move(settings), sink_schema(graph, at))});
    } else if (auto const* postgres = std::get_if<WriteToPostgres>(&transform.config)) {
      PostgresSettings settings{.name = transform.name,
                                .login = {.url = postgres->url,
                                          .username = postgres->username,
                                          .password = postgres->password.reveal(),
                                          .init_sql = postgres->connection_init_sql},
                                .table = postgres->table,
                                .create_table = postgres->create_table};
      parts.push_back(
          {at, std::make_unique<PostgresSink>(std::move(settings), sink_schema(graph, at))});
    } else if (auto const* json = std::get_if<WriteToJson>(&transform.config)) {
      SinkSchema const schema = sink_schema(graph, at);
      if (json->path.ends_with('/')) {
        parts.push_back({at, std::make_unique<JsonFilesSink>(json->path, schema)});
      } else {
        bool const rewritten = !graph.settings.state.empty();  // what was torn comes again
        parts.push_back({at, std::make_unique<JsonSink>(json->path, schema, rewritten)});
      }
    } else if (auto const* kafka = std::get_if<WriteToKafka>(&transform.config)) {
      std::unique_ptr<Sink> sink;
      if (kafka->transactional_id.empty()) {
        sink = std::make_unique<KafkaSink>(producer_settings(*kafka), sink_schema(graph, at));
      } else {
        sink = std::make_unique<KafkaTransactionSink>(producer_settings(*kafka),
                                                      sink_schema(graph, at));
      }
      parts.push_back({at, std::move(sink)});
    }
  }
  return parts;
}

}  // namespace windrow::cli
