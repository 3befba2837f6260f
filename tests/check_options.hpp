// What the world is to the files under tests/check.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "host/cli/pipeline_file.hpp"
#include "host/plan/pipeline_file.hpp"
#include "sinks/postgres_connection.hpp"

namespace windrow::testing {

inline LoadOptions check_options() {
  LoadOptions out;
  out.vars = {{"topic", "clicks"}};
  out.environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "WINDROW_TEST_SIZE" ? std::optional<std::string>{"5m"} : std::nullopt;
  };
  out.infer_schema = [](std::string const& path) {
    InferredSchema read;
    if (path.find("missing") != std::string::npos) {
      read.fault = "no file matches " + path;
      return read;
    }
    auto const field = [](char const* name, ValueType type) {
      return Field{name, {type, {}}, true};
    };
    read.schema = Schema{{field("ts", ValueType::integer), field("user_id", ValueType::string),
                          field("url", ValueType::string)}};
    read.numbers = {{"ts", 1.76e12}};
    return read;
  };
  out.consumer_settings = cli::consumer_settings();
  out.producer_settings = cli::producer_settings();
  out.postgres_url_fault = postgres_url_fault;
  return out;
}

}  // namespace windrow::testing
