#include "host/plan/expression_typing.hpp"

#include <fmt/format.h>

#include <utility>

namespace windrow {
namespace {

bool is_numeric(FieldType const& type) {
  return type.kind == ValueType::integer || type.kind == ValueType::number;
}
bool is_null_literal(Expression const& e) {
  return e.op == ExpressionOp::literal && std::holds_alternative<std::monostate>(e.value);
}
std::string described(Expression const& e) {
  return is_null_literal(e) ? "null" : to_string(e.type);
}

}  // namespace

Expression boolean_of(ExpressionOp op, std::vector<Expression> args) {
  Expression out;
  out.op = op;
  out.type = {ValueType::boolean, {}};
  out.args = std::move(args);
  return out;
}

Expression Typing::chosen(Expression condition, Expression then, Expression other,
                          Token const& at) const {
  Expression out;
  out.op = ExpressionOp::if_else;
  out.nullable = then.nullable || other.nullable;
  if (is_null_literal(then)) {
    out.type = other.type;
  } else if (is_null_literal(other) || then.type == other.type) {
    out.type = then.type;
  } else if (is_numeric(then.type) && is_numeric(other.type)) {
    out.type = {ValueType::number, {}};  // an integer widens where it is stored
  } else {
    faults_.refuse(
        "E140", at,
        fmt::format("one branch is {}, the other {}", to_string(then.type), to_string(other.type)));
  }
  out.args = operands(std::move(condition), std::move(then), std::move(other));
  return out;
}

void Typing::want_boolean(Expression const& e, Token const& at) const {
  if (e.type.kind != ValueType::boolean || is_null_literal(e)) {
    faults_.refuse("E140", at, fmt::format("a boolean is needed, this is {}", to_string(e.type)));
  }
}

Expression Typing::compared(ExpressionOp op, Token const& at, Expression left,
                            Expression right) const {
  bool const equality = op == ExpressionOp::equal || op == ExpressionOp::not_equal;
  bool const null_side = is_null_literal(left) || is_null_literal(right);
  bool const numeric = is_numeric(left.type) && is_numeric(right.type);
  bool const scalar = left.type.kind <= ValueType::bytes;
  bool const same = left.type == right.type && (equality || scalar);
  if (null_side ? !equality : !(numeric || same)) {
    faults_.refuse(
        "E140", at,
        fmt::format("'{}' between {} and {}", at.text, described(left), described(right)));
  }
  return boolean_of(op, operands(std::move(left), std::move(right)));
}

Expression Typing::arithmetic(ExpressionOp op, Token const& at, Expression left,
                              Expression right) const {
  Expression out;
  out.op = op;
  bool const text = op == ExpressionOp::add && left.type.kind == ValueType::string &&
                    right.type.kind == ValueType::string && !is_null_literal(left) &&
                    !is_null_literal(right);
  if (!text && !(is_numeric(left.type) && is_numeric(right.type))) {
    faults_.refuse(
        "E140", at,
        fmt::format("'{}' between {} and {}", at.text, described(left), described(right)));
  }
  bool const number = op == ExpressionOp::divide || left.type.kind == ValueType::number ||
                      right.type.kind == ValueType::number;
  out.type = text ? left.type : FieldType{number ? ValueType::number : ValueType::integer, {}};
  out.args = operands(std::move(left), std::move(right));
  return out;
}

Expression Typing::negated(Expression e, Token const& at) const {
  if (!is_numeric(e.type)) {
    faults_.refuse("E140", at, fmt::format("'-' of {}", described(e)));
  }
  if (auto const* const integer = std::get_if<std::int64_t>(&e.value)) {
    e.value = -*integer;
    return e;
  }
  if (auto const* const number = std::get_if<double>(&e.value)) {
    e.value = -*number;
    return e;
  }
  Expression out;
  out.op = ExpressionOp::negate;
  out.type = e.type;
  out.args = operands(std::move(e));
  return out;
}

Expression Typing::member(Expression of, Token const& at) const {
  if (of.type.kind != ValueType::structure || is_null_literal(of)) {
    faults_.refuse("E140", at, fmt::format("{} has no field '{}'", described(of), at.text));
  }
  std::vector<std::string> names;
  for (Field const& field : of.type.children) {
    names.push_back(field.name);
    if (field.name != at.text) {
      continue;
    }
    Expression out;
    out.op = ExpressionOp::member;
    out.name = field.name;
    out.type = field.type;
    out.nullable = of.nullable || field.nullable;
    out.args = operands(std::move(of));
    return out;
  }
  faults_.refuse("E140", at, fmt::format("{} has no field '{}'", to_string(of.type), at.text),
                 did_you_mean(at.text, names));
}

Expression Typing::called(ExpressionOp function, Token const& at, Expression arg,
                          Token const& arg_at) const {
  ValueType const kind = arg.type.kind;
  bool const fits =
      !is_null_literal(arg) &&
      (function == ExpressionOp::length
           ? kind == ValueType::string || kind == ValueType::list || kind == ValueType::bytes
           : kind < ValueType::bytes);
  if (!fits) {
    faults_.refuse("E140", arg_at, fmt::format("{}() of {}", at.text, described(arg)));
  }
  Expression out;
  out.op = function;
  out.type = {function == ExpressionOp::to_float ? ValueType::number
              : function == ExpressionOp::to_str ? ValueType::string
                                                 : ValueType::integer,
              {}};
  out.args = operands(std::move(arg));
  return out;
}

}  // namespace windrow
