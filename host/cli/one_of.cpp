#include "host/cli/one_of.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/plan/suggestion.hpp"

namespace windrow::cli {

CLI::Validator one_of(std::vector<std::string> const& values) {
  return {[values](std::string const& given) -> std::string {
            if (std::find(values.begin(), values.end(), given) != values.end()) {
              return {};
            }
            std::string const near = nearest(given, values);
            return fmt::format("must be {}{}, is '{}'{}", values.size() > 1 ? "one of " : "",
                               fmt::join(values, ", "), given,
                               near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
          },
          fmt::format("{{{}}}", fmt::join(values, ","))};
}

}  // namespace windrow::cli
