// The `windrow` command: which exit code an error becomes.
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <string_view>

#include "host/cli/command_line.hpp"
#include "host/cli/invocation.hpp"
#include "host/cli/log.hpp"
#include "host/engine/crash_point.hpp"
#include "host/engine/snapshot.hpp"

int main(int count, char** words) {
  using namespace windrow::cli;
  if (char const* const order = std::getenv("WINDROW_CRASH");
      order != nullptr && std::string_view(order) == "list") {
    for (std::string_view const name : windrow::crash_points()) {
      fmt::print("{}\n", name);
    }
    return exit_ok;
  }
  try {
    return parse_and_run({words + 1, words + count});
  } catch (windrow::EnvironmentError const& error) {
    say(fmt::format("windrow: {}", error.what()), spdlog::level::err);
    return error.exit_code();
  } catch (std::exception const& error) {
    say(fmt::format("windrow: internal error: {}", error.what()), spdlog::level::err);
    return exit_internal;
  }
}
