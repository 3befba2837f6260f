// All that the command writes to stderr: the log, lines for people, and the block of the live view,
// which stays below both.
#pragma once
#include <spdlog/common.h>

#include <string>
#include <string_view>
#include <vector>

namespace windrow::cli {

// Makes the default logger of spdlog.  `format`: text, json, logfmt.  Quiet: warnings and errors
// only.
void start_log(std::string const& format, bool quiet);

// Lines for people: as they stand, or under the formats json and logfmt one record of the log.
void say(std::string_view text, spdlog::level::level_enum level = spdlog::level::info);

// A terminal that moves its cursor: one that is not `dumb`.
[[nodiscard]] bool is_screen(int descriptor);

// Draws these lines at the bottom, instead of those before; what is logged or said later goes above
// them.  Needs is_screen(STDERR_FILENO) and the log as text.
void draw_block(std::vector<std::string> lines);
void remove_block();
[[nodiscard]] bool log_is_text();

}  // namespace windrow::cli
