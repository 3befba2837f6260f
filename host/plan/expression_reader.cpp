#include "host/plan/expression_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "host/plan/expression_lexer.hpp"
#include "host/plan/expression_typing.hpp"
#include "host/plan/keys.hpp"

namespace windrow {
namespace {

class Parser {
 public:
  explicit Parser(Faults const& faults) : faults_(faults), typing_(faults), lexer_(faults) {
    advance();
  }

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
  static constexpr int words_max = 4000;  // a sum is as deep a tree as it is long

  [[nodiscard]] bool generic() const { return faults_.place().language == Language::generic; }
  void advance() {
    now_ = lexer_.next();
    if (++words_ > words_max) {
      faults_.refuse("E107", now_, fmt::format("more than {} words", words_max));
    }
  }
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
    return typing_.compared(*op, at, std::move(left), parse_generic_operand());
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
    return negative ? typing_.negated(std::move(out), at) : out;
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
      typing_.want_boolean(condition, at);
      if (!is_word("else")) {
        faults_.refuse("E107", now_, "'else' is expected here");
      }
      advance();
      Token const other_at = now_;
      Expression other = parse_choice();
      then = typing_.chosen(std::move(condition), std::move(then), std::move(other), other_at);
    }
    --depth_;
    return then;
  }
  Expression parse_or() {
    Token at = now_;
    Expression left = parse_and();
    while (is_word("or")) {
      typing_.want_boolean(left, at);
      advance();
      at = now_;
      Expression right = parse_and();
      typing_.want_boolean(right, at);
      left = boolean_of(ExpressionOp::or_, operands(std::move(left), std::move(right)));
    }
    return left;
  }
  Expression parse_and() {
    Token at = now_;
    Expression left = parse_not();
    while (is_word("and")) {
      typing_.want_boolean(left, at);
      advance();
      at = now_;
      Expression right = parse_not();
      typing_.want_boolean(right, at);
      left = boolean_of(ExpressionOp::and_, operands(std::move(left), std::move(right)));
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
    typing_.want_boolean(inner, at);
    return boolean_of(ExpressionOp::not_, operands(std::move(inner)));
  }

  Expression parse_comparison() {
    Expression left = parse_sum();
    std::optional<ExpressionOp> const op = comparison(now_);
    if (is_word("in") || is_word("is")) {
      faults_.refuse("E107", now_, fmt::format("'{}' is not supported in expressions", now_.text),
                     is_word("is") ? "a null is told by == None or != None" : "");
    }
    if (!op) {
      return left;
    }
    Token const at = now_;
    advance();
    Expression out = typing_.compared(*op, at, std::move(left), parse_sum());
    if (comparison(now_)) {
      faults_.refuse("E107", now_, "chained comparisons are not supported");
    }
    return out;
  }

  Expression parse_sum() {
    Expression left = parse_product();
    while (is("+") || is("-")) {
      Token const at = now_;
      advance();
      ExpressionOp const op = at.text == "+" ? ExpressionOp::add : ExpressionOp::subtract;
      left = typing_.arithmetic(op, at, std::move(left), parse_product());
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
      left = typing_.arithmetic(op, at, std::move(left), parse_unary());
    }
    return left;
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
    return at.text == "-" ? typing_.negated(std::move(inner), at) : inner;
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
      out = typing_.member(std::move(out), at);
    }
    return out;
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
    return typing_.called(found->second, at, std::move(arg), arg_at);
  }

  Faults const& faults_;
  Typing typing_;
  Lexer lexer_;
  Token now_;
  int depth_ = 0, words_ = 0;
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
