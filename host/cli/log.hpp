// The log on stderr: text, json or logfmt, one record a line.
#pragma once
#include <string>

namespace windrow::cli {

// Makes the default logger of spdlog.  `format`: text, json, logfmt.  Quiet: warnings and errors
// only.
void start_log(std::string const& format, bool quiet);

}  // namespace windrow::cli
