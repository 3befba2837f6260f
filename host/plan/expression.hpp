// A checked expression over the fields of one input (semantics.md 16.4); host/engine evaluates it.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "host/plan/schema.hpp"

namespace windrow {

enum class ExpressionOp : std::uint8_t {
  literal,  // value
  field,    // field: index into the input's columns
  member,   // args[0].name: a field of a structure
  negate,
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,  // Python's meaning, ints exact
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  and_,
  or_,
  not_,     // short-circuit
  if_else,  // args: condition, then, else
  to_int,
  to_float,
  to_str,
  length,
  make_structure  // args: the members, named by type.children
};

// A tree; `type` is what it gives when it gives a value, `nullable` whether it may give null. and_,
// or_, not_ and the condition of if_else have boolean arguments (null counts as false, as in
// Python); one side of equal and not_equal may be the null literal.
struct Expression {
  ExpressionOp op = ExpressionOp::literal;
  std::variant<std::monostate, bool, std::int64_t, double, std::string> value;  // literal
  std::size_t field = 0;
  std::string name;  // member
  std::vector<Expression> args{};
  FieldType type;
  bool nullable = false;
};

}  // namespace windrow
