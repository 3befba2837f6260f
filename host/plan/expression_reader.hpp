// Expressions of a pipeline file, checked against the fields they read (semantics.md 16.4).
#pragma once
#include <optional>
#include <string>

#include "host/plan/context.hpp"
#include "host/plan/expression.hpp"

namespace windrow {

enum class Language : std::uint8_t { generic, python };

//   schema       the fields it may read
//   comparison   generic: one comparison is allowed (Filter, MapToFields)
//   place        who asks, for messages: "MapToFields 'Clean'"
struct ExpressionPlace {
  Schema const& schema;
  Language language = Language::generic;
  bool comparison = true;
  std::string place;
};
// None if it was refused (E107, E140).  `node` must be a scalar.
[[nodiscard]] std::optional<Expression> read_expression(Context& context, YamlNode const& node,
                                                        ExpressionPlace const& place);

[[nodiscard]] Expression field_of(Schema const& schema, std::size_t at);
// The field by name; E140 with a suggestion if there is none.
[[nodiscard]] std::optional<std::size_t> find_field(Context& context, YamlNode const& node,
                                                    std::string_view name, Schema const& schema,
                                                    std::string const& place);
// One canonical spelling: (ts / 1000), fields by name.
[[nodiscard]] std::string to_string(Expression const& expression, Schema const& schema);

}  // namespace windrow
