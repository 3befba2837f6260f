// From a FILE argument to a checked graph.
#include "host/cli/pipeline_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "host/cli/log.hpp"
#include "host/engine/snapshot.hpp"
#include "ingest/kafka_settings.hpp"
#include "ingest/schema_inference.hpp"
#include "sinks/kafka_settings.hpp"
#include "sinks/postgres_connection.hpp"

namespace windrow::cli {
namespace {

bool in_colour(Invocation const& invocation) {
  char const* const refused = std::getenv("NO_COLOR");  // no-color.org: if it is not empty
  bool const wanted = is_screen(STDERR_FILENO) && (refused == nullptr || *refused == '\0');
  return log_is_text() && (invocation.color == "always" || (invocation.color == "auto" && wanted));
}

KafkaSettings settings_of(kafka::SettingsTable const& table) {
  KafkaSettings out;
  out.fault = [&table](std::string const& name, std::optional<std::string> const& value) {
    auto fault = kafka::setting_fault(table, name, value);
    return fault ? std::optional(KafkaSettings::Fault{fault->name, std::move(fault->text),
                                                      std::move(fault->instead)})
                 : std::nullopt;
  };
  out.names = kafka::setting_names(table);
  return out;
}

}  // namespace

KafkaSettings consumer_settings() {
  KafkaSettings out = settings_of(kafka::consumer_table());
  out.buffer_bytes = kafka::fetch_buffer_bytes;
  return out;
}

KafkaSettings producer_settings() { return settings_of(kafka::producer_table()); }

std::string read_text(std::string const& path) {
  if (path == "-") {
    return {std::istreambuf_iterator<char>(std::cin), {}};
  }
  std::error_code none;
  bool const directory = std::filesystem::is_directory(path, none);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (directory || !file) {
    throw EnvironmentError(fmt::format("the file cannot be read: {}: path={}",
                                       std::strerror(directory ? EISDIR : errno), path),
                           exit_invalid);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

LoadResult load_text(std::string const& name, std::string const& text, Invocation const& invocation,
                     LoadOptions::Purpose purpose) {
  LoadOptions options;
  options.purpose = purpose;
  for (std::string const& var : invocation.vars) {
    std::size_t const at = var.find('=');
    if (at == std::string::npos) {
      throw EnvironmentError(fmt::format("--var must be name=value: {}", var), exit_usage);
    }
    options.vars[var.substr(0, at)] = var.substr(at + 1);
  }
  options.environment = [](std::string_view variable) -> std::optional<std::string> {
    char const* const value = std::getenv(std::string(variable).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  if (!invocation.overlay.empty()) {
    options.overlay = {invocation.overlay, read_text(invocation.overlay)};
  }
  options.sets = invocation.sets;
  options.infer_schema = infer_json_schema;
  options.consumer_settings = consumer_settings();
  options.producer_settings = producer_settings();
  options.postgres_url_fault = postgres_url_fault;
  return load(name, text, options);
}

LoadResult load_file(std::string const& path, Invocation const& invocation,
                     LoadOptions::Purpose purpose) {
  return load_text(path == "-" ? "stdin" : path, read_text(path), invocation, purpose);
}

Invocation with_device(Invocation invocation, std::string const& device) {
  if (!device.empty()) {
    invocation.sets.push_back("device=" + device);
  }
  return invocation;
}

void print_findings(std::vector<Finding> const& findings, Invocation const& invocation) {
  for (Finding const& finding : findings) {
    std::string text = to_text(finding);
    if (in_colour(invocation)) {
      std::size_t const end = text.find('\n');
      text.insert(end == std::string::npos ? text.size() : end, "\033[0m");
      text.insert(0, finding.severity == Severity::error ? "\033[1;31m" : "\033[1;33m");
    }
    say(text, finding.severity == Severity::error ? spdlog::level::err : spdlog::level::warn);
  }
}

}  // namespace windrow::cli
