// Defaults and limits: performance.md 2.3; offsets of our own: connectors.md 4.1.
#include "ingest/kafka_settings.hpp"

#include "host/engine/snapshot.hpp"

namespace windrow::kafka {
namespace {

constexpr char const* queue_kbytes = "queued.max.messages.kbytes";

// Fetch far ahead but within memory.
constexpr std::pair<char const*, char const*> defaults[] = {
    {"group.id", "windrow"},  // assign() wants one; offsets are committed only if the user names it
    {"client.id", "windrow"}, {"queued.min.messages", "1000000"},
    {queue_kbytes, "262144"}, {"fetch.max.bytes", "33554432"},
};

// Our positions are the truth: librdkafka neither commits nor chooses offsets by itself, and tells
// us where partitions end.
constexpr OwnSetting own[] = {
    {"enable.auto.commit", "false", "offsets are kept in --state"},
    {"enable.auto.offset.store", "false", "offsets are kept in --state"},
    {"auto.offset.reset", "error", "write auto_offset_reset_config or start_from"},
    {"enable.partition.eof", "true", ""},
    {"bootstrap.servers", nullptr, "write bootstrap_servers"},
    {"metadata.broker.list", nullptr, "write bootstrap_servers"},
};

constexpr SettingsTable table{'C', defaults, own};

}  // namespace

SettingsTable const& consumer_table() { return table; }

Owner<rd_kafka_conf_t> consumer_conf(std::string const& bootstrap_servers, Config const& given) {
  MadeConf made = make_conf(table, bootstrap_servers, given);
  if (!made.fault.empty()) {
    throw EnvironmentError("kafka source: " + made.fault, 78);
  }
  return std::move(made.conf);
}

std::uint64_t fetch_buffer_bytes(Config const& given) {
  return number_of(consumer_conf("", given).get(), queue_kbytes) * 1024;
}

}  // namespace windrow::kafka
