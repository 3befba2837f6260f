// JSON Schema, as Beam YAML writes it, to a Schema; and rows that stand in the file, typed.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/plan/context.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

// A schema of type object, as a map or as a string that holds one.  None if it was refused.
[[nodiscard]] std::optional<Schema> read_schema(Context& context, YamlNode const& node);

// The schema of `elements` (Create): maps are rows, anything else is a row of the field `element`.
// Integer and number together are number; a field that some rows lack is nullable.
[[nodiscard]] std::optional<Schema> infer_schema(Context& context, YamlNode const& elements);
// The elements as JSON objects of that schema; what does not fit is reported (E140, E141).
[[nodiscard]] std::vector<std::string> read_elements(Context& context, YamlNode const& elements,
                                                     Schema const& schema);

[[nodiscard]] std::string_view name_of(ValueType type);
[[nodiscard]] std::string to_string(
    FieldType const& type);  // list of {url: string, views: integer}
[[nodiscard]] std::vector<std::string> names_of(Schema const& schema);

}  // namespace windrow
