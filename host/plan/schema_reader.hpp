// JSON Schema, as Beam YAML writes it, to a Schema.
#pragma once
#include <optional>

#include "host/plan/context.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

// A schema of type object, as a map or as a string that holds one.  None if it was refused.
[[nodiscard]] std::optional<Schema> read_schema(Context& context, YamlNode const& node);

}  // namespace windrow
