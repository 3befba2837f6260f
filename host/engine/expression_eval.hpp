// Computes an expression for one row, with Python's meaning (semantics.md 16.4).
#pragma once
#include <deque>
#include <string>
#include <string_view>

#include "host/engine/batch.hpp"
#include "host/plan/expression.hpp"

namespace windrow {

// One per worker.  Text that an expression makes lives in the evaluator until `clear`.
class ExpressionEvaluator {
 public:
  // The value for `row`, or false with `why()` where Python would raise or an integer leaves int64.
  // Plain fields and literals borrow and allocate nothing.
  bool evaluate(Expression const& expression, EventBatchView const& rows, std::size_t row,
                Scalar& out);
  [[nodiscard]] std::string_view why() const { return why_; }
  void clear();  // forgets made text, keeps its memory

 private:
  bool arithmetic(Expression const& e, EventBatchView const& rows, std::size_t row, Scalar& out);
  bool comparison(Expression const& e, EventBatchView const& rows, std::size_t row, Scalar& out);
  bool conversion(Expression const& e, EventBatchView const& rows, std::size_t row, Scalar& out);
  bool integer_arithmetic(ExpressionOp op, std::int64_t a, std::int64_t b, Scalar& out);
  bool number_arithmetic(ExpressionOp op, double a, double b, Scalar& out);
  bool fail(std::string_view why);
  std::string& made_text();

  std::string_view why_;
  std::deque<std::string> made_;  // addresses stay
  std::size_t made_count_ = 0;
};

// May a cell of a column of `type` hold the value?  Null always; an integer widens to a number.
[[nodiscard]] bool fits(Scalar const& value, ValueType type);

}  // namespace windrow
