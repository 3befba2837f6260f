// Settings of the Kafka source's client.
#pragma once
#include <cstdint>
#include <string>

#include "host/net/kafka_settings.hpp"

namespace windrow::kafka {

[[nodiscard]] SettingsTable const& consumer_table();
// EnvironmentError (78) for a `setting_fault`.
[[nodiscard]] Owner<rd_kafka_conf_t> consumer_conf(std::string const& bootstrap_servers,
                                                   Config const& given);
// Bytes of records that the client of these settings may hold: its one queue is not split by
// partition.
[[nodiscard]] std::uint64_t fetch_buffer_bytes(Config const& given);

}  // namespace windrow::kafka
