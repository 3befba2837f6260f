// Settings of the Kafka sink's client.
#pragma once
#include <string>

#include "host/net/kafka_settings.hpp"

namespace windrow::kafka {

[[nodiscard]] SettingsTable const& producer_table();
// `transactional_id`: empty for a producer without transactions.  EnvironmentError (78) for a
// `setting_fault`.
[[nodiscard]] Owner<rd_kafka_conf_t> producer_conf(std::string const& bootstrap_servers,
                                                   Config const& given,
                                                   std::string const& transactional_id);

}  // namespace windrow::kafka
