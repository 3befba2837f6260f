// What the parts of an expression may be, and the type of what they make (semantics.md 16.4).
#pragma once
#include <utility>
#include <vector>

#include "host/plan/expression.hpp"
#include "host/plan/expression_lexer.hpp"

namespace windrow {

// A braced list would copy the trees, once more with each operator of a long sum.
template <class... Operands>
[[nodiscard]] std::vector<Expression> operands(Operands... operand) {
  std::vector<Expression> out;
  out.reserve(sizeof...(operand));
  (out.push_back(std::move(operand)), ...);
  return out;
}

[[nodiscard]] Expression boolean_of(ExpressionOp op, std::vector<Expression> args);

// Makes one node of its operands, or refuses them (E140) at a token.
class Typing {
 public:
  explicit Typing(Faults const& faults) : faults_(faults) {}
  void want_boolean(Expression const& e, Token const& at) const;
  [[nodiscard]] Expression chosen(Expression condition, Expression then, Expression other,
                                  Token const& at) const;
  [[nodiscard]] Expression compared(ExpressionOp op, Token const& at, Expression left,
                                    Expression right) const;
  [[nodiscard]] Expression arithmetic(ExpressionOp op, Token const& at, Expression left,
                                      Expression right) const;
  [[nodiscard]] Expression negated(Expression e, Token const& at) const;
  [[nodiscard]] Expression member(Expression of, Token const& at) const;
  [[nodiscard]] Expression called(ExpressionOp function, Token const& at, Expression arg,
                                  Token const& arg_at) const;

 private:
  Faults const& faults_;
};

}  // namespace windrow
