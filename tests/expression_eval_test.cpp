// Expressions mean what Python means; what Python would raise is a row error.
#include "host/engine/expression_eval.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace windrow {
namespace {

using Op = ExpressionOp;

Expression literal(std::int64_t v) {
  Expression e;
  e.value = v;
  e.type.kind = ValueType::integer;
  return e;
}
Expression literal(double v) {
  Expression e;
  e.value = v;
  e.type.kind = ValueType::number;
  return e;
}
Expression literal(char const* v) {
  Expression e;
  e.value = std::string(v);
  return e;
}
Expression literal(bool v) {
  Expression e;
  e.value = v;
  e.type.kind = ValueType::boolean;
  return e;
}
Expression null() { return {}; }
template <class... Args>
Expression call(Op op, Args... args) {
  Expression e;
  e.op = op;
  (e.args.push_back(std::move(args)), ...);
  return e;
}

// The value as JSON text, or the reason in angle brackets.
std::string value_of(Expression const& e) {
  ExpressionEvaluator evaluator;
  Scalar out;
  if (!evaluator.evaluate(e, {}, 0, out)) {
    return "<" + std::string(evaluator.why()) + ">";
  }
  std::string text;
  append_json(out, text);
  return text;
}
template <class A, class B>
std::string of(A a, Op op, B b) {
  return value_of(call(op, literal(a), literal(b)));
}

constexpr std::int64_t largest = INT64_MAX, smallest = INT64_MIN;

TEST(ExpressionEval, IntegersAreExactAndNeverWrap) {
  EXPECT_EQ(of(largest, Op::add, std::int64_t{0}), "9223372036854775807");
  EXPECT_EQ(of(largest, Op::add, std::int64_t{1}), "<an integer beyond 64 bits>");
  EXPECT_EQ(of(smallest, Op::subtract, std::int64_t{1}), "<an integer beyond 64 bits>");
  EXPECT_EQ(of(smallest, Op::multiply, std::int64_t{-1}), "<an integer beyond 64 bits>");
  EXPECT_EQ(of(smallest, Op::floor_divide, std::int64_t{-1}), "<an integer beyond 64 bits>");
  EXPECT_EQ(of(smallest, Op::modulo, std::int64_t{-1}), "0");
  EXPECT_EQ(value_of(call(Op::negate, literal(smallest))), "<an integer beyond 64 bits>");
  EXPECT_EQ(value_of(call(Op::negate, literal(std::int64_t{5}))), "-5");
}

TEST(ExpressionEval, DivisionGivesANumberAndFloorsTowardMinusInfinity) {
  EXPECT_EQ(value_of(call(Op::to_str,
                          call(Op::divide, literal(std::int64_t{6}), literal(std::int64_t{3})))),
            "\"2.0\"");
  EXPECT_EQ(of(std::int64_t{-7}, Op::floor_divide, std::int64_t{2}), "-4");
  EXPECT_EQ(of(std::int64_t{-7}, Op::modulo, std::int64_t{2}), "1");
  EXPECT_EQ(of(std::int64_t{7}, Op::floor_divide, std::int64_t{-2}), "-4");
  EXPECT_EQ(of(std::int64_t{7}, Op::modulo, std::int64_t{-2}), "-1");
  EXPECT_EQ(of(-7.5, Op::floor_divide, 2.0), of(-4.0, Op::add, 0.0));
  EXPECT_EQ(of(-7.5, Op::modulo, 2.0), "0.5");
  EXPECT_EQ(of(std::int64_t{1}, Op::divide, std::int64_t{0}), "<division by zero>");
  EXPECT_EQ(of(1.0, Op::modulo, 0.0), "<division by zero>");
}

TEST(ExpressionEval, NullRaisesInArithmeticAndOrderButNotInEquality) {
  EXPECT_EQ(value_of(call(Op::add, literal(std::int64_t{1}), null())), "<arithmetic with null>");
  EXPECT_EQ(value_of(call(Op::less, null(), literal(1.0))), "<an order of null>");
  EXPECT_EQ(value_of(call(Op::equal, null(), null())), "true");
  EXPECT_EQ(value_of(call(Op::not_equal, literal("a"), null())), "true");
  EXPECT_EQ(value_of(call(Op::member, null())), "<a member of null>");
}

TEST(ExpressionEval, NumbersCompareExactlyAndNaNWithNothing) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(of(std::int64_t{9007199254740993}, Op::equal, 9007199254740992.0), "false");
  EXPECT_EQ(of(std::int64_t{9007199254740993}, Op::greater, 9007199254740992.0), "true");
  EXPECT_EQ(of(-0.0, Op::equal, 0.0), "true");
  EXPECT_EQ(of(-0.0, Op::less, std::int64_t{0}), "false");
  for (Op const op : {Op::equal, Op::less, Op::less_equal, Op::greater, Op::greater_equal}) {
    EXPECT_EQ(of(nan, op, 1.0), "false");
    EXPECT_EQ(of(1.0, op, nan), "false");
  }
  EXPECT_EQ(of(nan, Op::not_equal, nan), "true");
  EXPECT_EQ(of("a", Op::less, "b"), "true");
  EXPECT_EQ(of("a", Op::less, std::int64_t{1}), "<an order of values of different types>");
}

TEST(ExpressionEval, LogicStopsAtTheFirstAnswer) {
  Expression const raises = call(Op::divide, literal(std::int64_t{1}), literal(std::int64_t{0}));
  EXPECT_EQ(value_of(call(Op::and_, literal(false), raises)), "false");
  EXPECT_EQ(value_of(call(Op::or_, literal(true), raises)), "true");
  EXPECT_EQ(value_of(call(Op::and_, literal(true), raises)), "<division by zero>");
  EXPECT_EQ(value_of(call(Op::if_else, literal(false), raises, literal("no"))), "\"no\"");
  EXPECT_EQ(value_of(call(Op::if_else, null(), raises, literal("no"))), "\"no\"");
  EXPECT_EQ(value_of(call(Op::not_, null())), "true");
}

TEST(ExpressionEval, ConversionsReadWhatPythonReads) {
  EXPECT_EQ(value_of(call(Op::to_int, literal(" +1_000 "))), "1000");
  EXPECT_EQ(value_of(call(Op::to_int, literal("1__0"))), "<int() of something that is no number>");
  EXPECT_EQ(value_of(call(Op::to_int, literal("1.5"))), "<int() of something that is no number>");
  EXPECT_EQ(value_of(call(Op::to_int, literal(-1.9))), "-1");
  EXPECT_EQ(value_of(call(Op::to_int, literal(1e30))), "<int() beyond 64 bits>");
  EXPECT_EQ(value_of(call(Op::to_float, literal("2.5"))), "2.5");
  EXPECT_EQ(value_of(call(Op::to_float, null())), "<float() of something that is no number>");
  EXPECT_EQ(value_of(call(Op::to_str, literal(1e16))), "\"1e+16\"");
  EXPECT_EQ(value_of(call(Op::to_str, literal(true))), "\"True\"");
  EXPECT_EQ(value_of(call(Op::length, literal("gr\xC3\xBC\xC3\x9F"))), "4");
  EXPECT_EQ(value_of(call(Op::length, null())), "<len() of something without a length>");
  EXPECT_EQ(value_of(call(Op::add, literal("a"), literal("b"))), "\"ab\"");
}

TEST(ExpressionEval, FieldsAndMembersBorrowFromTheRow) {
  EventBatch rows;
  rows.reset({{{"n", {ValueType::integer, {}}, true}, {"s", {ValueType::structure, {}}, true}}});
  rows.event_time.assign(1, {});
  rows.columns[0].append(std::int64_t{42});
  std::string& text = rows.columns[1].open_text();
  ContainerEncoder encoder(Scalar::Kind::structure, text);
  encoder.name("url");
  encoder.add(Scalar::of_string("/a"));
  encoder.close();
  rows.columns[1].end_text();
  Expression field;
  field.op = Op::field;
  field.field = 1;
  Expression member = call(Op::member, field);
  member.name = "url";
  Expression whole = call(Op::make_structure, member);
  whole.type.kind = ValueType::structure;
  whole.type.children = {{"page", {}, true}};
  ExpressionEvaluator evaluator;
  Scalar out;
  ASSERT_TRUE(evaluator.evaluate(whole, rows.view(), 0, out));
  std::string json;
  append_json(out, json);
  EXPECT_EQ(json.find("\"page\""), 1U);
  EXPECT_NE(json.find("\"/a\""), std::string::npos);
}

TEST(ExpressionEval, OnlyIntegersWiden) {
  EXPECT_TRUE(fits(Scalar::of(std::int64_t{1}), ValueType::number));
  EXPECT_FALSE(fits(Scalar::of(1.0), ValueType::integer));
  EXPECT_TRUE(fits(Scalar::null(), ValueType::string));
  EXPECT_FALSE(fits(Scalar::of_string("1"), ValueType::integer));
}

}  // namespace
}  // namespace windrow
