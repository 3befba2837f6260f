// Settings of the Kafka client: what a file may give of librdkafka's, and what Windrow makes.
#pragma once
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace windrow::kafka {

struct DestroyConf {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, DestroyConf>;

using ConsumerConfig = std::map<std::string, std::string>;

//   name     it is the name that cannot be given, else the value
//   instead  what to give, where Windrow makes the setting itself; else empty
struct SettingFault {
  bool name = false;
  std::string text, instead;
};
// What is wrong with one setting of `consumer_config`.  Without a value (a secret that is not read
// yet) only its name is looked at.
[[nodiscard]] std::optional<SettingFault> setting_fault(std::string const& name,
                                                        std::optional<std::string> const& value);
// All names that librdkafka documents; it knows some under a second one.
[[nodiscard]] std::vector<std::string> setting_names();

// Settings of a consumer: given ones win over our defaults.  EnvironmentError (78) for a
// `setting_fault`.
[[nodiscard]] Conf consumer_conf(std::string const& bootstrap_servers, ConsumerConfig const& given);
// Bytes of records that the client of these settings may hold: its one queue is not split by
// partition.
[[nodiscard]] std::uint64_t fetch_buffer_bytes(ConsumerConfig const& given);

}  // namespace windrow::kafka
