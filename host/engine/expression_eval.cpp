#include "host/engine/expression_eval.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

using Kind = Scalar::Kind;

// Python counts True as 1 in arithmetic and comparisons.
Scalar as_plain_number(Scalar const& v) {
  return v.kind == Kind::boolean ? Scalar::of(std::int64_t{v.boolean}) : v;
}
bool is_number(Scalar const& v) { return v.kind == Kind::integer || v.kind == Kind::number; }
double as_double(Scalar const& v) {
  return v.kind == Kind::integer ? static_cast<double>(v.integer) : v.number;
}

bool truth_of(Scalar const& v) {
  switch (v.kind) {
    case Kind::null:
      return false;
    case Kind::boolean:
      return v.boolean;
    case Kind::integer:
      return v.integer != 0;
    case Kind::number:
      return v.number != 0;
    case Kind::string:
    case Kind::bytes:
      return !v.text.empty();
    case Kind::list:
    case Kind::structure:
      return ContainerReader(v.text).count() != 0;
  }
  return false;
}

// -1, 0, 1; 2 where a NaN makes every comparison false.  Integers and numbers compare exactly.
int compare_numbers(Scalar const& a, Scalar const& b) {
  if ((a.kind == Kind::number && std::isnan(a.number)) ||
      (b.kind == Kind::number && std::isnan(b.number))) {
    return 2;
  }
  auto const without_negative_zero = [](Scalar const& v) {
    return v.kind == Kind::number && v.number == 0 ? Scalar::of(0.0) : v;
  };
  Scalar const x = without_negative_zero(a), y = without_negative_zero(b);
  return compare(x, y);
}

std::string_view stripped(std::string_view text) {
  auto const is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
    text.remove_prefix(1);
  }
  return text;
}

// Python's int() of text: decimal digits, single underscores between them.
bool integer_of(std::string_view text, std::int64_t& out) {
  std::string digits;
  text = stripped(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const between = i > 0 && i + 1 < text.size() && text[i - 1] >= '0' && text[i - 1] <= '9' &&
                         text[i + 1] >= '0' && text[i + 1] <= '9';
    if (text[i] != '_' || !between) {
      digits += text[i];
    }
  }
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size();
}

bool number_of(std::string_view text, double& out) {
  text = stripped(text);
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  bool const whole = end == text.data() + text.size() && !text.empty();
  if (whole && error == std::errc::result_out_of_range) {  // Python: inf, or 0 where too small
    out = std::strtod(std::string(text).c_str(), nullptr);
    return true;
  }
  return whole && error == std::errc{};
}

// Python's repr of a float: shortest digits that read back, always with a point or an exponent.
std::string text_of(double v) {
  if (std::isnan(v)) {
    return "nan";
  }
  std::string text = fmt::format("{}", v);
  if (text.find_first_of(".en") == std::string::npos) {
    text += ".0";
  }
  return text;
}

std::int64_t code_points(std::string_view text) {
  std::int64_t n = 0;
  for (char const c : text) {
    n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }
  return n;
}

}  // namespace

bool fits(Scalar const& value, ValueType type) {
  switch (value.kind) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return type == ValueType::boolean;
    case Kind::integer:
      return type == ValueType::integer || type == ValueType::number;
    case Kind::number:
      return type == ValueType::number;
    case Kind::string:
      return type == ValueType::string;
    case Kind::bytes:
      return type == ValueType::bytes;
    case Kind::list:
      return type == ValueType::list;
    case Kind::structure:
      return type == ValueType::structure;
  }
  return false;
}

void ExpressionEvaluator::clear() { made_count_ = 0; }

std::string& ExpressionEvaluator::made_text() {
  if (made_count_ == made_.size()) {
    made_.emplace_back();
  }
  std::string& text = made_[made_count_++];
  text.clear();
  return text;
}

bool ExpressionEvaluator::fail(std::string_view why) {
  why_ = why;
  return false;
}

bool ExpressionEvaluator::evaluate(Expression const& e, EventBatchView const& rows, std::size_t row,
                                   Scalar& out) {
  switch (e.op) {
    case ExpressionOp::literal:
      out = Scalar::null();
      if (auto const* b = std::get_if<bool>(&e.value)) {
        out = Scalar::of(*b);
      } else if (auto const* i = std::get_if<std::int64_t>(&e.value)) {
        out = Scalar::of(*i);
      } else if (auto const* d = std::get_if<double>(&e.value)) {
        out = Scalar::of(*d);
      } else if (auto const* s = std::get_if<std::string>(&e.value)) {
        out = Scalar::of_string(*s);
      }
      return true;
    case ExpressionOp::field:
      out = rows.columns[e.field].at(row);
      return true;
    case ExpressionOp::member: {
      Scalar whole;
      if (!evaluate(e.args[0], rows, row, whole)) {
        return false;
      }
      if (whole.kind != Kind::structure) {
        return fail("a member of null");
      }
      out = member_of(whole.text, e.name);
      return true;
    }
    case ExpressionOp::and_:
    case ExpressionOp::or_: {
      if (!evaluate(e.args[0], rows, row, out)) {
        return false;
      }
      if (truth_of(out) == (e.op == ExpressionOp::and_) && !evaluate(e.args[1], rows, row, out)) {
        return false;
      }
      if (e.type.kind == ValueType::boolean) {
        out = Scalar::of(truth_of(out));
      }
      return true;
    }
    case ExpressionOp::not_:
      if (!evaluate(e.args[0], rows, row, out)) {
        return false;
      }
      out = Scalar::of(!truth_of(out));
      return true;
    case ExpressionOp::if_else:
      if (!evaluate(e.args[0], rows, row, out)) {
        return false;
      }
      return evaluate(e.args[truth_of(out) ? 1 : 2], rows, row, out);
    case ExpressionOp::make_structure: {
      std::string& text = made_text();
      ContainerEncoder encoder(Kind::structure, text);
      for (std::size_t i = 0; i < e.args.size(); ++i) {
        Scalar member;
        if (!evaluate(e.args[i], rows, row, member)) {
          return false;
        }
        encoder.name(e.type.children[i].name);
        encoder.add(member);
      }
      encoder.close();
      out = Scalar::of_encoded(text);
      return true;
    }
    case ExpressionOp::to_int:
    case ExpressionOp::to_float:
    case ExpressionOp::to_str:
    case ExpressionOp::length:
      return conversion(e, rows, row, out);
    case ExpressionOp::equal:
    case ExpressionOp::not_equal:
    case ExpressionOp::less:
    case ExpressionOp::less_equal:
    case ExpressionOp::greater:
    case ExpressionOp::greater_equal:
      return comparison(e, rows, row, out);
    default:
      return arithmetic(e, rows, row, out);
  }
}

bool ExpressionEvaluator::arithmetic(Expression const& e, EventBatchView const& rows,
                                     std::size_t row, Scalar& out) {
  Scalar a, b;
  if (!evaluate(e.args[0], rows, row, a)) {
    return false;
  }
  if (e.op == ExpressionOp::negate) {  // 0 - a would lose the sign of 0.0
    b = as_plain_number(a);
    if (b.kind == Kind::number) {
      out = Scalar::of(-b.number);
      return true;
    }
    return b.kind == Kind::integer ? integer_arithmetic(ExpressionOp::subtract, 0, b.integer, out)
                                   : fail("arithmetic with null or text");
  }
  if (!evaluate(e.args[1], rows, row, b)) {
    return false;
  }
  if (a.is_null() || b.is_null()) {
    return fail("arithmetic with null");
  }
  if (e.op == ExpressionOp::add && a.kind == Kind::string && b.kind == Kind::string) {
    std::string& text = made_text();
    text.append(a.text).append(b.text);
    out = Scalar::of_string(text);
    return true;
  }
  a = as_plain_number(a);
  b = as_plain_number(b);
  if (!is_number(a) || !is_number(b)) {
    return fail("arithmetic with something that is no number");
  }
  return a.kind == Kind::integer && b.kind == Kind::integer
             ? integer_arithmetic(e.op, a.integer, b.integer, out)
             : number_arithmetic(e.op, as_double(a), as_double(b), out);
}

bool ExpressionEvaluator::integer_arithmetic(ExpressionOp op, std::int64_t a, std::int64_t b,
                                             Scalar& out) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case ExpressionOp::add:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case ExpressionOp::subtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case ExpressionOp::multiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    default: {
      if (b == 0) {
        return fail("division by zero");
      }
      if (op == ExpressionOp::divide) {  // x87's 64-bit mantissa holds every int64
        out = Scalar::of(
            static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
        return true;
      }
      if (b == -1) {
        overflow = op == ExpressionOp::floor_divide && __builtin_sub_overflow(0, a, &result);
        break;  // and the rest is 0
      }
      std::int64_t const quotient = a / b, rest = a % b;
      bool const down = rest != 0 && (rest < 0) != (b < 0);
      result = op == ExpressionOp::modulo ? rest + (down ? b : 0) : quotient - (down ? 1 : 0);
    }
  }
  if (overflow) {
    return fail("an integer beyond 64 bits");
  }
  out = Scalar::of(result);
  return true;
}

bool ExpressionEvaluator::number_arithmetic(ExpressionOp op, double a, double b, Scalar& out) {
  switch (op) {
    case ExpressionOp::add:
      out = Scalar::of(a + b);
      return true;
    case ExpressionOp::subtract:
      out = Scalar::of(a - b);
      return true;
    case ExpressionOp::multiply:
      out = Scalar::of(a * b);
      return true;
    default:
      break;
  }
  if (b == 0) {
    return fail("division by zero");
  }
  if (op == ExpressionOp::divide) {
    out = Scalar::of(a / b);
    return true;
  }
  double rest = std::fmod(a, b);  // as CPython: the rest has the sign of b, also when it is zero
  double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) {
    rest += b;
    quotient -= 1;
  } else if (rest == 0) {
    rest = std::copysign(0.0, b);
  }
  if (op == ExpressionOp::modulo) {
    out = Scalar::of(rest);
  } else if (quotient == 0) {
    out = Scalar::of(std::copysign(0.0, a / b));
  } else {
    double const floored = std::floor(quotient);
    out = Scalar::of(quotient - floored > 0.5 ? floored + 1 : floored);
  }
  return true;
}

bool ExpressionEvaluator::comparison(Expression const& e, EventBatchView const& rows,
                                     std::size_t row, Scalar& out) {
  Scalar a, b;
  if (!evaluate(e.args[0], rows, row, a) || !evaluate(e.args[1], rows, row, b)) {
    return false;
  }
  bool const asks_order = e.op != ExpressionOp::equal && e.op != ExpressionOp::not_equal;
  if (asks_order && (a.is_null() || b.is_null())) {
    return fail("an order of null");
  }
  a = as_plain_number(a);
  b = as_plain_number(b);
  bool const numbers = is_number(a) && is_number(b);
  if (asks_order && !numbers && a.kind != b.kind) {
    return fail("an order of values of different types");
  }
  int const order = numbers ? compare_numbers(a, b) : compare(a, b);
  switch (e.op) {
    case ExpressionOp::equal:
      out = Scalar::of(order == 0);
      break;
    case ExpressionOp::not_equal:
      out = Scalar::of(order != 0);
      break;
    case ExpressionOp::less:
      out = Scalar::of(order < 0);
      break;
    case ExpressionOp::less_equal:
      out = Scalar::of(order <= 0);
      break;
    case ExpressionOp::greater:
      out = Scalar::of(order == 1);
      break;
    default:
      out = Scalar::of(order == 0 || order == 1);
      break;
  }
  return true;
}

bool ExpressionEvaluator::conversion(Expression const& e, EventBatchView const& rows,
                                     std::size_t row, Scalar& out) {
  Scalar v;
  if (!evaluate(e.args[0], rows, row, v)) {
    return false;
  }
  std::int64_t integer = 0;
  double number = 0;
  switch (e.op) {
    case ExpressionOp::to_int:
      v = as_plain_number(v);
      if (v.kind == Kind::number) {
        double const whole = std::trunc(v.number);
        if (!(whole >= -0x1p63 && whole < 0x1p63)) {
          return fail("int() beyond 64 bits");
        }
        out = Scalar::of(static_cast<std::int64_t>(whole));
      } else if (v.kind == Kind::integer) {
        out = v;
      } else if (v.kind == Kind::string && integer_of(v.text, integer)) {
        out = Scalar::of(integer);
      } else {
        return fail("int() of something that is no number");
      }
      return true;
    case ExpressionOp::to_float:
      v = as_plain_number(v);
      if (is_number(v)) {
        out = Scalar::of(as_double(v));
      } else if (v.kind == Kind::string && number_of(v.text, number)) {
        out = Scalar::of(number);
      } else {
        return fail("float() of something that is no number");
      }
      return true;
    case ExpressionOp::length:
      if (v.kind == Kind::string) {
        out = Scalar::of(code_points(v.text));
      } else if (v.kind == Kind::bytes) {
        out = Scalar::of(static_cast<std::int64_t>(v.text.size()));
      } else if (v.kind == Kind::list || v.kind == Kind::structure) {
        out = Scalar::of(std::int64_t{ContainerReader(v.text).count()});
      } else {
        return fail("len() of something without a length");
      }
      return true;
    default:
      break;
  }
  std::string& text = made_text();
  switch (v.kind) {
    case Kind::null:
      text = "None";
      break;
    case Kind::boolean:
      text = v.boolean ? "True" : "False";
      break;
    case Kind::integer:
      text = fmt::format("{}", v.integer);
      break;
    case Kind::number:
      text = text_of(v.number);
      break;
    case Kind::string:
      text = v.text;
      break;
    case Kind::bytes:
    case Kind::list:
    case Kind::structure:
      append_json(v, text);
      break;
  }
  out = Scalar::of_string(text);
  return true;
}

}  // namespace windrow
