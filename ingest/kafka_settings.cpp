// Defaults and limits: performance.md 2.3; offsets of our own: connectors.md 4.1.
#include "ingest/kafka_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "host/engine/snapshot.hpp"

namespace windrow::kafka {
namespace {

constexpr int refused = 78;
constexpr char const* queue_kbytes = "queued.max.messages.kbytes";

// Fetch far ahead but within memory.
constexpr std::pair<char const*, char const*> defaults[] = {
    {"group.id", "windrow"},  // assign() wants one; offsets are committed only if the user names it
    {"client.id", "windrow"}, {"queued.min.messages", "1000000"},
    {queue_kbytes, "262144"}, {"fetch.max.bytes", "33554432"},
};

// Our positions are the truth: librdkafka neither commits nor chooses offsets by itself, and tells
// us where partitions end.
struct OwnSetting {
  char const* name;
  char const* value;
  char const* instead;
};
constexpr OwnSetting own[] = {
    {"enable.auto.commit", "false", "offsets are kept in --state"},
    {"enable.auto.offset.store", "false", "offsets are kept in --state"},
    {"auto.offset.reset", "error", "write auto_offset_reset_config or start_from"},
    {"enable.partition.eof", "true", ""},
    {"bootstrap.servers", nullptr, "write bootstrap_servers"},
    {"metadata.broker.list", nullptr, "write bootstrap_servers"},
};

std::optional<SettingFault> set(rd_kafka_conf_t* conf, std::string const& name,
                                std::string const& value) {
  char text[512];
  rd_kafka_conf_res_t const result =
      rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text);
  if (result == RD_KAFKA_CONF_OK) {
    return std::nullopt;
  }
  bool const unknown = result == RD_KAFKA_CONF_UNKNOWN;
  return SettingFault{unknown, unknown ? "librdkafka has no such setting" : text, ""};
}

void must_set(rd_kafka_conf_t* conf, std::string const& name, std::string const& value) {
  if (auto const fault = set(conf, name, value)) {
    throw EnvironmentError(
        fmt::format("kafka source: a setting was refused: {}: key={}", fault->text, name), refused);
  }
}

std::optional<SettingFault> own_fault(std::string const& name) {
  auto const* const found = std::find_if(std::begin(own), std::end(own),
                                         [&](OwnSetting const& s) { return name == s.name; });
  if (found == std::end(own)) {
    return std::nullopt;
  }
  return SettingFault{true, "a setting that Windrow makes itself cannot be given", found->instead};
}

}  // namespace

std::optional<SettingFault> setting_fault(std::string const& name,
                                          std::optional<std::string> const& value) {
  if (auto fault = own_fault(name)) {
    return fault;
  }
  Conf const scratch(rd_kafka_conf_new());
  auto fault = set(scratch.get(), name, value.value_or("?"));
  return value || (fault && fault->name) ? fault : std::nullopt;
}

// librdkafka lists its settings only as the table of its manual: `name | C/P | range | ..`.
std::vector<std::string> setting_names() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  if (file == nullptr) {
    return {};
  }
  rd_kafka_conf_properties_show(file);
  std::fclose(file);
  std::istringstream table(std::string(text, size));
  std::free(text);
  std::vector<std::string> names;
  std::string line, name, bar, side;
  while (std::getline(table, line)) {
    std::istringstream(line) >> name >> bar >> side;
    if (bar == "|" && (side == "C" || side == "*") && !own_fault(name)) {
      names.push_back(name);
    }
  }
  return names;
}

Conf consumer_conf(std::string const& bootstrap_servers, ConsumerConfig const& given) {
  Conf conf(rd_kafka_conf_new());
  for (auto const& [name, value] : defaults) {
    must_set(conf.get(), name, value);
  }
  for (auto const& [name, value] : given) {
    if (auto const fault = own_fault(name)) {
      throw EnvironmentError(
          fmt::format("kafka source: {} ({}): key={}", fault->text, fault->instead, name), refused);
    }
    must_set(conf.get(), name, value);
  }
  for (OwnSetting const& setting : own) {
    if (setting.value != nullptr) {
      must_set(conf.get(), setting.name, setting.value);
    }
  }
  must_set(conf.get(), "bootstrap.servers", bootstrap_servers);
  return conf;
}

std::uint64_t fetch_buffer_bytes(ConsumerConfig const& given) {
  Conf const conf = consumer_conf("", given);
  char text[32];
  std::size_t size = sizeof text;
  std::uint64_t kbytes = 0;
  if (rd_kafka_conf_get(conf.get(), queue_kbytes, text, &size) == RD_KAFKA_CONF_OK) {
    std::from_chars(text, text + size, kbytes);
  }
  return kbytes * 1024;
}

}  // namespace windrow::kafka
