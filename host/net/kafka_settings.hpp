// Settings of a Kafka client: what a file may give of librdkafka's, and what Windrow makes itself.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/net/kafka_handles.hpp"

namespace windrow::kafka {

using Config = std::map<std::string, std::string>;

// A setting that Windrow makes.
//   value    nullptr: each client has another one
//   instead  what to write in place of it, or empty
struct OwnSetting {
  char const* name;
  char const* value;
  char const* instead;
};

// What a client is made of.
//   side      'C' a consumer, 'P' a producer, as librdkafka's manual names them
//   defaults  what given settings win over
//   own       what cannot be given
struct SettingsTable {
  char side;
  std::span<std::pair<char const*, char const*> const> defaults;
  std::span<OwnSetting const> own;
};

//   name     it is the name that cannot be given, else the value
//   instead  what to give, where Windrow makes the setting itself; else empty
struct SettingFault {
  bool name = false;
  std::string text, instead;
};
// What is wrong with one given setting.  Without a value (a secret that is not read yet) only its
// name is looked at.
[[nodiscard]] std::optional<SettingFault> setting_fault(SettingsTable const& table,
                                                        std::string const& name,
                                                        std::optional<std::string> const& value);
// All names that librdkafka documents and that can be given; it knows some under a second one.
[[nodiscard]] std::vector<std::string> setting_names(SettingsTable const& table);

// `fault`: why a setting is refused, with its name; empty: `conf` holds all of them.
struct MadeConf {
  Owner<rd_kafka_conf_t> conf;
  std::string fault;
};
[[nodiscard]] MadeConf make_conf(SettingsTable const& table, std::string const& bootstrap_servers,
                                 Config const& given);
// The value of a setting that is a number; 0: there is none.
[[nodiscard]] std::uint64_t number_of(rd_kafka_conf_t const* conf, char const* name);

}  // namespace windrow::kafka
