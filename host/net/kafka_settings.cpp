#include "host/net/kafka_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace windrow::kafka {
namespace {

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

std::optional<SettingFault> own_fault(SettingsTable const& table, std::string const& name) {
  auto const found = std::find_if(table.own.begin(), table.own.end(),
                                  [&](OwnSetting const& s) { return name == s.name; });
  if (found == table.own.end()) {
    return std::nullopt;
  }
  return SettingFault{true, "a setting that Windrow makes itself cannot be given", found->instead};
}

}  // namespace

std::optional<SettingFault> setting_fault(SettingsTable const& table, std::string const& name,
                                          std::optional<std::string> const& value) {
  if (auto fault = own_fault(table, name)) {
    return fault;
  }
  Owner<rd_kafka_conf_t> const scratch(rd_kafka_conf_new());
  auto fault = set(scratch.get(), name, value.value_or("?"));
  return value || (fault && fault->name) ? fault : std::nullopt;
}

// librdkafka lists its settings only as the table of its manual: `name | C/P | range | ..`.
std::vector<std::string> setting_names(SettingsTable const& table) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  if (file == nullptr) {
    return {};
  }
  rd_kafka_conf_properties_show(file);
  std::fclose(file);
  std::istringstream manual(std::string(text, size));
  std::free(text);
  std::vector<std::string> names;
  std::string line, name, bar, side;
  while (std::getline(manual, line)) {
    std::istringstream(line) >> name >> bar >> side;
    if (bar == "|" && (side == std::string(1, table.side) || side == "*") &&
        !own_fault(table, name)) {
      names.push_back(name);
    }
  }
  return names;
}

MadeConf make_conf(SettingsTable const& table, std::string const& bootstrap_servers,
                   Config const& given) {
  MadeConf out{Owner<rd_kafka_conf_t>(rd_kafka_conf_new()), {}};
  auto const put = [&](std::string const& name, std::string const& value) {
    auto const fault = set(out.conf.get(), name, value);
    if (fault && out.fault.empty()) {
      out.fault = fmt::format("a setting was refused: {}: key={}", fault->text, name);
    }
  };
  for (auto const& [name, value] : table.defaults) {
    put(name, value);
  }
  for (auto const& [name, value] : given) {
    if (auto const fault = own_fault(table, name); fault && out.fault.empty()) {
      out.fault = fmt::format("{} ({}): key={}", fault->text, fault->instead, name);
    }
    put(name, value);
  }
  for (OwnSetting const& setting : table.own) {
    if (setting.value != nullptr) {
      put(setting.name, setting.value);
    }
  }
  put("bootstrap.servers", bootstrap_servers);
  return out;
}

std::uint64_t number_of(rd_kafka_conf_t const* conf, char const* name) {
  char text[32];
  std::size_t size = sizeof text;
  std::uint64_t number = 0;
  if (rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK) {
    std::from_chars(text, text + size, number);
  }
  return number;
}

}  // namespace windrow::kafka
