#include "host/plan/expression_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "host/plan/expression_lexer.hpp"
#include "host/plan/keys.hpp"
#include "host/plan/schema_reader.hpp"

namespace windrow {
namespace {

bool is_numeric(FieldType const& type) {
  return type.kind == ValueType::integer || type.kind == ValueType::number;
}
bool is_null_literal(Expression const& e) {
  return e.op == ExpressionOp::literal && std::holds_alternative<std::monostate>(e.value);
}

class Parser {
 public:
  explicit Parser(Faults const& faults) : faults_(faults), lexer_(faults) { advance(); }

  Expression parse() {
    Expression out = generic() ? parse_generic() : parse_choice();
    if (now_.kind != TokenKind::end) {
      std::string const why = generic()
                                  ? "generic allows a field, a number, a string or one comparison "
                                    "of two of these; for more: language: python"
                                  : fmt::format("'{}' is not expected here", now_.text);
      faults_.refuse("E107", now_, why);
    }
    return out;
  }

 private:
  static constexpr int depth_max = 200;

  [[nodiscard]] bool generic() const { return faults_.place().language == Language::generic; }
  void advance() { now_ = lexer_.next(); }
  [[nodiscard]] bool is(std::string_view op) const {
    return now_.kind == TokenKind::op && now_.text == op;
  }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return now_.kind == TokenKind::name && now_.text == word;
  }
  bool accept(std::string_view op) {
    if (!is(op)) {
      return false;
    }
    advance();
    return true;
  }
  void expect(std::string_view op) {
    if (!accept(op)) {
      faults_.refuse("E107", now_, fmt::format("'{}' is expected here", op));
    }
  }

  static std::optional<ExpressionOp> comparison(Token const& token) {
    constexpr std::array<std::pair<std::string_view, ExpressionOp>, 6> ops{
        {{"==", ExpressionOp::equal},
         {"!=", ExpressionOp::not_equal},
         {"<", ExpressionOp::less},
         {"<=", ExpressionOp::less_equal},
         {">", ExpressionOp::greater},
         {">=", ExpressionOp::greater_equal}}};
    for (auto const& [text, op] : ops) {
      if (token.kind == TokenKind::op && token.text == text) {
        return op;
      }
    }
    return std::nullopt;
  }

  Expression parse_generic() {
    Expression left = parse_generic_operand();
    std::optional<ExpressionOp> const op = comparison(now_);
    if (!op || !faults_.place().comparison) {
      return left;
    }
    Token const at = now_;
    advance();
    return compared(*op, at, std::move(left), parse_generic_operand());
  }
  Expression parse_generic_operand() {
    bool const negative = accept("-");
    if (negative && now_.kind != TokenKind::integer && now_.kind != TokenKind::number) {
      faults_.refuse("E107", now_, "a number is expected here");
    }
    if (now_.kind == TokenKind::op || now_.kind == TokenKind::end) {
      faults_.refuse("E107", now_, "generic allows a field, a number or a string here");
    }
    Token const at = now_;
    Expression out = parse_atom();
    if (is(".")) {
      faults_.refuse("E107", now_, "nested fields need language: python");
    }
    return negative ? negated(std::move(out), at) : out;
  }

  Expression parse_choice() {
    if (++depth_ > depth_max) {
      faults_.refuse("E107", now_, "too deeply nested");
    }
    Expression then = parse_or();
    if (is_word("if")) {
      advance();
      Token const at = now_;
      Expression condition = parse_or();
      want_boolean(condition, at);
      if (!is_word("else")) {
        faults_.refuse("E107", now_, "'else' is expected here");
      }
      advance();
      Token const other_at = now_;
      Expression other = parse_choice();
      then = chosen(std::move(condition), std::move(then), std::move(other), other_at);
    }
    --depth_;
    return then;
  }
  Expression chosen(Expression condition, Expression then, Expression other, Token const& at) {
    Expression out;
    out.op = ExpressionOp::if_else;
    out.nullable = then.nullable || other.nullable;
    if (is_null_literal(then)) {
      out.type = other.type;
    } else if (is_null_literal(other) || then.type == other.type) {
      out.type = then.type;
    } else if (is_numeric(then.type) && is_numeric(other.type)) {
      out.type = {ValueType::number, {}};
      then = to_float(std::move(then));
      other = to_float(std::move(other));
    } else {
      faults_.refuse("E140", at,
                     fmt::format("one branch is {}, the other {}", to_string(then.type),
                                 to_string(other.type)));
    }
    out.args = {std::move(condition), std::move(then), std::move(other)};
    return out;
  }
  static Expression to_float(Expression e) {
    if (e.type.kind == ValueType::number) {
      return e;
    }
    Expression out;
    out.op = ExpressionOp::to_float;
    out.type = {ValueType::number, {}};
    out.nullable = e.nullable;
    out.args = {std::move(e)};
    return out;
  }

  void want_boolean(Expression const& e, Token const& at) {
    if (e.type.kind != ValueType::boolean || is_null_literal(e)) {
      faults_.refuse("E140", at, fmt::format("a boolean is needed, this is {}", to_string(e.type)));
    }
  }
  Expression logic(ExpressionOp op, std::vector<Expression> args) {
    Expression out;
    out.op = op;
    out.type = {ValueType::boolean, {}};
    out.args = std::move(args);
    return out;
  }
  Expression parse_or() {
    Token at = now_;
    Expression left = parse_and();
    while (is_word("or")) {
      want_boolean(left, at);
      advance();
      at = now_;
      Expression right = parse_and();
      want_boolean(right, at);
      left = logic(ExpressionOp::or_, {std::move(left), std::move(right)});
    }
    return left;
  }
  Expression parse_and() {
    Token at = now_;
    Expression left = parse_not();
    while (is_word("and")) {
      want_boolean(left, at);
      advance();
      at = now_;
      Expression right = parse_not();
      want_boolean(right, at);
      left = logic(ExpressionOp::and_, {std::move(left), std::move(right)});
    }
    return left;
  }
  Expression parse_not() {
    if (!is_word("not")) {
      return parse_comparison();
    }
    if (++depth_ > depth_max) {
      faults_.refuse("E107", now_, "too deeply nested");
    }
    advance();
    Token const at = now_;
    Expression inner = parse_not();
    --depth_;
    want_boolean(inner, at);
    return logic(ExpressionOp::not_, {std::move(inner)});
  }

  Expression compared(ExpressionOp op, Token const& at, Expression left, Expression right) {
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
    return logic(op, {std::move(left), std::move(right)});
  }
  static std::string described(Expression const& e) {
    return is_null_literal(e) ? "null" : to_string(e.type);
  }
  Expression parse_comparison() {
    Expression left = parse_sum();
    std::optional<ExpressionOp> const op = comparison(now_);
    if (is_word("in") || is_word("is")) {
      faults_.refuse("E107", now_, fmt::format("'{}' is not supported in expressions", now_.text));
    }
    if (!op) {
      return left;
    }
    Token const at = now_;
    advance();
    Expression out = compared(*op, at, std::move(left), parse_sum());
    if (comparison(now_)) {
      faults_.refuse("E107", now_, "chained comparisons are not supported");
    }
    return out;
  }

  Expression arithmetic(ExpressionOp op, Token const& at, Expression left, Expression right) {
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
    out.args = {std::move(left), std::move(right)};
    return out;
  }
  Expression parse_sum() {
    Expression left = parse_product();
    while (is("+") || is("-")) {
      Token const at = now_;
      advance();
      ExpressionOp const op = at.text == "+" ? ExpressionOp::add : ExpressionOp::subtract;
      left = arithmetic(op, at, std::move(left), parse_product());
    }
    return left;
  }
  Expression parse_product() {
    Expression left = parse_unary();
    while (is("*") || is("/") || is("//") || is("%")) {
      Token const at = now_;
      advance();
      ExpressionOp const op = at.text == "*"    ? ExpressionOp::multiply
                              : at.text == "/"  ? ExpressionOp::divide
                              : at.text == "//" ? ExpressionOp::floor_divide
                                                : ExpressionOp::modulo;
      left = arithmetic(op, at, std::move(left), parse_unary());
    }
    return left;
  }
  Expression negated(Expression e, Token const& at) {
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
    out.args = {std::move(e)};
    return out;
  }
  Expression parse_unary() {
    if (!is("-") && !is("+")) {
      return parse_members();
    }
    if (++depth_ > depth_max) {
      faults_.refuse("E107", now_, "too deeply nested");
    }
    Token const at = now_;
    advance();
    Expression inner = parse_unary();
    --depth_;
    return at.text == "-" ? negated(std::move(inner), at) : inner;
  }
  Expression parse_members() {
    Expression out = parse_atom();
    while (accept(".")) {
      Token const at = now_;
      if (at.kind != TokenKind::name) {
        faults_.refuse("E107", at, "a field is expected here");
      }
      advance();
      if (is("(")) {
        faults_.refuse("E107", at, fmt::format("'{}()' is not supported", at.text));
      }
      out = member(std::move(out), at);
    }
    return out;
  }
  Expression member(Expression of, Token const& at) {
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
      out.args = {std::move(of)};
      return out;
    }
    faults_.refuse("E140", at, fmt::format("{} has no field '{}'", to_string(of.type), at.text),
                   did_you_mean(at.text, names));
  }

  Expression parse_atom() {
    Token const at = now_;
    if (at.kind == TokenKind::end) {
      faults_.refuse("E107", at, "an expression is missing");
    }
    if (accept("(")) {
      Expression inner = parse_choice();
      expect(")");
      return inner;
    }
    advance();
    Expression out;
    switch (at.kind) {
      case TokenKind::integer:
        out.value = *read_integer(at.text);
        out.type = {ValueType::integer, {}};
        return out;
      case TokenKind::number:
        out.value = *windrow::read_number(at.text);
        out.type = {ValueType::number, {}};
        return out;
      case TokenKind::string:
        out.value = at.text;
        out.type = {ValueType::string, {}};
        return out;
      case TokenKind::name:
        return is("(") ? parse_call(at) : named(at);
      default:
        faults_.refuse("E107", at, fmt::format("'{}' is not expected here", at.text));
    }
  }
  Expression named(Token const& at) {
    if (!generic()) {
      Expression out;
      if (at.text == "True" || at.text == "False") {
        out.value = at.text == "True";
        out.type = {ValueType::boolean, {}};
        return out;
      }
      if (at.text == "None") {
        out.nullable = true;
        return out;
      }
      for (char const* const word :
           {"lambda", "import", "for", "not", "and", "or", "if", "else", "in", "is"}) {
        if (at.text == word) {
          faults_.refuse("E107", at, fmt::format("'{}' is not supported here", at.text));
        }
      }
    }
    Schema const& schema = faults_.place().schema;
    std::optional<std::size_t> const field = schema.index_of(at.text);
    if (!field) {
      faults_.refuse("E140", at, fmt::format("no field '{}'", at.text),
                     did_you_mean(at.text, names_of(schema)));
    }
    return field_of(schema, *field);
  }
  Expression parse_call(Token const& at) {
    constexpr std::array<std::pair<std::string_view, ExpressionOp>, 4> functions{
        {{"int", ExpressionOp::to_int},
         {"float", ExpressionOp::to_float},
         {"str", ExpressionOp::to_str},
         {"len", ExpressionOp::length}}};
    auto const* const found = std::find_if(functions.begin(), functions.end(),
                                           [&](auto const& f) { return f.first == at.text; });
    if (generic() || found == functions.end()) {
      std::vector<std::string> const names{"int", "float", "str", "len"};
      faults_.refuse("E107", at, fmt::format("function '{}' is not supported", at.text),
                     generic() ? "" : did_you_mean(at.text, names));
    }
    expect("(");
    Token const arg_at = now_;
    Expression arg = parse_choice();
    expect(")");
    ValueType const kind = arg.type.kind;
    bool const fits =
        !is_null_literal(arg) &&
        (found->second == ExpressionOp::length
             ? kind == ValueType::string || kind == ValueType::list || kind == ValueType::bytes
             : kind < ValueType::bytes);
    if (!fits) {
      faults_.refuse("E140", arg_at, fmt::format("{}() of {}", at.text, described(arg)));
    }
    Expression out;
    out.op = found->second;
    out.type = {found->second == ExpressionOp::to_float ? ValueType::number
                : found->second == ExpressionOp::to_str ? ValueType::string
                                                        : ValueType::integer,
                {}};
    out.args = {std::move(arg)};
    return out;
  }

  Faults const& faults_;
  Lexer lexer_;
  Token now_;
  int depth_ = 0;
};

}  // namespace

std::optional<Expression> read_expression(Context& context, YamlNode const& node,
                                          ExpressionPlace const& place) {
  Faults const faults{context, node, place};
  try {
    return Parser{faults}.parse();
  } catch (Refused const&) {
    return std::nullopt;
  }
}

Expression field_of(Schema const& schema, std::size_t at) {
  Expression out;
  out.op = ExpressionOp::field;
  out.field = at;
  out.type = schema.fields[at].type;
  out.nullable = schema.fields[at].nullable;
  return out;
}

std::optional<std::size_t> find_field(Context& context, YamlNode const& node, std::string_view name,
                                      Schema const& schema, std::string const& place) {
  std::optional<std::size_t> const at = schema.index_of(name);
  if (!at) {
    context.report.add("E140", node, fmt::format("{}: no field '{}'", place, name),
                       did_you_mean(name, names_of(schema)));
  }
  return at;
}

}  // namespace windrow
