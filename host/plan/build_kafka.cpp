// Kafka: the settings of its clients, and the sink (semantics.md 16.3, connectors.md 4.1).
#include <fmt/format.h>

#include "host/plan/graph_builder.hpp"
#include "host/plan/secrets.hpp"

namespace windrow {

// Reads the map `key`; true if the client takes all of it.
bool GraphBuilder::kafka_settings(Work& work, char const* key,
                                  std::optional<KafkaSettings> const& known,
                                  std::map<std::string, std::string>& settings,
                                  std::map<std::string, Secret>& secrets) {
  YamlNode const* const map = work.keys.find(key);
  bool ok = true;
  for (YamlEntry const& entry : map == nullptr ? std::vector<YamlEntry>{} : map->entries) {
    if (entry.value.is_scalar()) {
      if (is_secret_name(entry.key.text)) {
        note_plain_secret(context_, entry.key.text, entry.value);
      }
      settings[entry.key.text] = entry.value.text;
    } else if (std::optional<Secret> secret = read_secret(context_, entry.key.text, entry.value)) {
      secrets.emplace(entry.key.text, std::move(*secret));
    }
    ok = check_setting(entry, known, fmt::format("{} of {}", key, work.written.label)) && ok;
  }
  return ok;
}

bool GraphBuilder::check_setting(YamlEntry const& entry, std::optional<KafkaSettings> const& known,
                                 std::string const& place) {
  if (!known || entry.value.unset) {
    return true;
  }
  bool const secret = !entry.value.is_scalar();
  auto const fault =
      known->fault(entry.key.text, secret ? std::nullopt : std::optional{entry.value.text});
  if (!fault) {
    return true;
  }
  if (fault->name) {
    report_.add(
        "E100", entry.key, fmt::format("'{}' in {}: {}", entry.key.text, place, fault->text),
        fault->instead.empty() ? did_you_mean(entry.key.text, known->names) : fault->instead);
  } else {
    report_.add("E141", entry.value,
                fmt::format("'{}' in {}: {}", entry.key.text, place, fault->text));
  }
  return false;
}

// W216.  The client has one queue for all its partitions.
void GraphBuilder::check_buffers(Work& work, ReadFromKafka const& config) {
  if (!context_.options.consumer_settings || context_.memory_limit == 0) {
    return;
  }
  bool const over = fetch_buffers_ > context_.memory_limit;
  fetch_buffers_ += context_.options.consumer_settings->buffer_bytes(config.consumer_config);
  if (over || fetch_buffers_ <= context_.memory_limit) {
    return;
  }
  constexpr std::uint64_t mib = 1U << 20U;
  report_.add("W216", work.at(),
              fmt::format("up to {} MiB of fetched records fill a memory_limit of {} MiB",
                          fetch_buffers_ / mib, context_.memory_limit / mib),
              "lower queued.max.messages.kbytes in consumer_config");
}

bool GraphBuilder::write_to_kafka(Work& work) {
  Keys const& keys = work.keys;
  WriteToKafka config;
  config.topic = keys.text("topic");
  config.bootstrap_servers = keys.text("bootstrap_servers");
  static_cast<void>(kafka_settings(work, "producer_config_updates",
                                   context_.options.producer_settings, config.producer_config,
                                   config.producer_secrets));
  config.upsert = upsert(work, true);
  YamlNode const* const delivery = keys.find("delivery");
  YamlNode const* const prefix = keys.find("transactional_id_prefix");
  bool const exactly_once = delivery != nullptr ? delivery->text == "exactly_once"
                                                : !context_.state.empty() && !reads_stdin(work);
  if (exactly_once) {
    config.transactional_id =
        (prefix == nullptr ? context_.application_id : prefix->text) + '.' + work.written.name;
  } else if (prefix != nullptr && delivery != nullptr) {
    report_.add("E141", *work.written.config->find_key("transactional_id_prefix"),
                "'transactional_id_prefix' goes with delivery exactly_once, not at_least_once");
  }
  if (YamlNode const* const topic = keys.find("topic")) {
    spaces_.push_back({"topic", config.bootstrap_servers + '\n' + config.topic,
                       config.upsert.id_prefix, work.written.label, topic});
  }
  work.out.config = std::move(config);
  return true;
}

}  // namespace windrow
