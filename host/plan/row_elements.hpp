// Rows that stand in the file (Create, AssertEqual), typed.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/plan/context.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

// The schema of `elements` (Create): maps are rows, anything else is a row of the field `element`.
// Integer and number together are number; a field that some rows lack is nullable.
[[nodiscard]] std::optional<Schema> infer_schema(Context& context, YamlNode const& elements);
// The elements as JSON objects of that schema; what does not fit is reported (E140, E141).
[[nodiscard]] std::vector<std::string> read_elements(Context& context, YamlNode const& elements,
                                                     Schema const& schema);

}  // namespace windrow
