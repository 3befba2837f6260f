#include "sinks/kafka_settings.hpp"

#include <array>

#include "host/engine/snapshot.hpp"

namespace windrow::kafka {
namespace {

// A row that is not delivered in time goes back to the engine, which waits and sends it again; a
// transaction outlives an outage of minutes.  Keys are spread as Java's producer does it.
constexpr std::pair<char const*, char const*> defaults[] = {
    {"client.id", "windrow"},
    {"message.timeout.ms", "30000"},
    {"queue.buffering.max.kbytes", "65536"},
    {"partitioner", "murmur2_random"},
};
constexpr std::pair<char const*, char const*> transaction_timeout{"transaction.timeout.ms",
                                                                  "300000"};

// Idempotence means acks=all and no row twice or out of order within a session.
constexpr OwnSetting own[] = {
    {"enable.idempotence", "true", "it is always true"},
    {"transactional.id", nullptr, "write transactional_id_prefix"},
    {"delivery.report.only.error", "false", ""},
    {"bootstrap.servers", nullptr, "write bootstrap_servers"},
    {"metadata.broker.list", nullptr, "write bootstrap_servers"},
};

constexpr SettingsTable table{'P', defaults, own};

}  // namespace

SettingsTable const& producer_table() { return table; }

Owner<rd_kafka_conf_t> producer_conf(std::string const& bootstrap_servers, Config const& given,
                                     std::string const& transactional_id) {
  Config all = given;
  if (!transactional_id.empty()) {
    all.insert(transaction_timeout);
  }
  MadeConf made = make_conf(table, bootstrap_servers, all);
  if (!made.fault.empty()) {
    throw EnvironmentError("kafka sink: " + made.fault, 78);
  }
  std::array<char, 512> why{};
  if (!transactional_id.empty() &&
      rd_kafka_conf_set(made.conf.get(), "transactional.id", transactional_id.c_str(), why.data(),
                        why.size()) != RD_KAFKA_CONF_OK) {
    throw EnvironmentError(std::string("kafka sink: transactional_id_prefix: ") + why.data(), 78);
  }
  return std::move(made.conf);
}

}  // namespace windrow::kafka
