// From a FILE argument to a checked graph: reads it, loads it, prints what is wrong with it.
#pragma once
#include <string>

#include "host/cli/invocation.hpp"
#include "host/plan/pipeline_file.hpp"

namespace windrow::cli {

// "-" is stdin.  EnvironmentError 78 if it cannot be read.
[[nodiscard]] std::string read_text(std::string const& path);

// What librdkafka says of `consumer_config`.
[[nodiscard]] KafkaSettings consumer_settings();
[[nodiscard]] KafkaSettings producer_settings();

[[nodiscard]] LoadResult load_text(std::string const& name, std::string const& text,
                                   Invocation const& invocation, LoadOptions::Purpose purpose);
[[nodiscard]] LoadResult load_file(std::string const& path, Invocation const& invocation,
                                   LoadOptions::Purpose purpose);

// `--device` is the setting of that name, over all others of it; empty: not given.
inline constexpr char const* device_option = "auto, cpu, cuda, cuda:N or cuda:UUID";
[[nodiscard]] Invocation with_device(Invocation invocation, std::string const& device);

// Findings as text on stderr.
void print_findings(std::vector<Finding> const& findings, Invocation const& invocation);

}  // namespace windrow::cli
