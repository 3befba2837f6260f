// The values of an option, with the one that was likely meant.
#pragma once
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace windrow::cli {

[[nodiscard]] CLI::Validator one_of(std::vector<std::string> const& values);

}  // namespace windrow::cli
