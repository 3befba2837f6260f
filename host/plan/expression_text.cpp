// The one canonical spelling of an expression.
#include <fmt/format.h>

#include "host/plan/expression_reader.hpp"

namespace windrow {

std::string to_string(Expression const& e, Schema const& schema) {
  auto const arg = [&](std::size_t i) { return to_string(e.args[i], schema); };
  auto const binary = [&](std::string_view op) {
    return fmt::format("({} {} {})", arg(0), op, arg(1));
  };
  switch (e.op) {
    case ExpressionOp::literal:
      if (auto const* const b = std::get_if<bool>(&e.value)) {
        return *b ? "True" : "False";
      }
      if (auto const* const i = std::get_if<std::int64_t>(&e.value)) {
        return fmt::format("{}", *i);
      }
      if (auto const* const d = std::get_if<double>(&e.value)) {
        return fmt::format("{:a}", *d);
      }
      if (auto const* const s = std::get_if<std::string>(&e.value)) {
        return fmt::format("\"{}\"", *s);
      }
      return "None";
    case ExpressionOp::field:
      return schema.fields[e.field].name;
    case ExpressionOp::member:
      return fmt::format("{}.{}", arg(0), e.name);
    case ExpressionOp::negate:
      return fmt::format("(-{})", arg(0));
    case ExpressionOp::add:
      return binary("+");
    case ExpressionOp::subtract:
      return binary("-");
    case ExpressionOp::multiply:
      return binary("*");
    case ExpressionOp::divide:
      return binary("/");
    case ExpressionOp::floor_divide:
      return binary("//");
    case ExpressionOp::modulo:
      return binary("%");
    case ExpressionOp::equal:
      return binary("==");
    case ExpressionOp::not_equal:
      return binary("!=");
    case ExpressionOp::less:
      return binary("<");
    case ExpressionOp::less_equal:
      return binary("<=");
    case ExpressionOp::greater:
      return binary(">");
    case ExpressionOp::greater_equal:
      return binary(">=");
    case ExpressionOp::and_:
      return binary("and");
    case ExpressionOp::or_:
      return binary("or");
    case ExpressionOp::not_:
      return fmt::format("(not {})", arg(0));
    case ExpressionOp::if_else:
      return fmt::format("({} if {} else {})", arg(1), arg(0), arg(2));
    case ExpressionOp::to_int:
      return fmt::format("int({})", arg(0));
    case ExpressionOp::to_float:
      return fmt::format("float({})", arg(0));
    case ExpressionOp::to_str:
      return fmt::format("str({})", arg(0));
    case ExpressionOp::length:
      return fmt::format("len({})", arg(0));
    case ExpressionOp::make_structure: {
      std::vector<std::string> members;
      for (std::size_t i = 0; i < e.args.size(); ++i) {
        members.push_back(fmt::format("{}: {}", e.type.children[i].name, arg(i)));
      }
      return fmt::format("{{{}}}", fmt::join(members, ", "));
    }
  }
  return {};
}

}  // namespace windrow
