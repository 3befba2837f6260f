// Engine settings: options.windrow, under -c and --set (operations.md 3).
#pragma once
#include <vector>

#include "host/plan/context.hpp"

namespace windrow {

// `maps`: later ones count more; each is read by the table on its own.
[[nodiscard]] EngineSettings read_settings(Context& context,
                                           std::vector<YamlNode const*> const& maps,
                                           std::string_view file_name);
// `--set path=value` as a map, with places in that text.  Null if it is malformed.
[[nodiscard]] YamlNode const* read_set(Context& context, std::string const& text, int line,
                                       std::uint8_t source);

}  // namespace windrow
