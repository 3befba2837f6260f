// The words of one expression of a pipeline file, and how it is refused at one of them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "host/plan/context.hpp"
#include "host/plan/expression_reader.hpp"

namespace windrow {

struct Refused {};  // ends the reading of one expression; the finding is written

enum class TokenKind : std::uint8_t { end, name, integer, number, string, op };
struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // of a string its content
  std::size_t at = 0, length = 0;
};

// Who it is, reported with a place inside the expression.
class Faults {
 public:
  Faults(Context& context, YamlNode const& node, ExpressionPlace const& place)
      : context_(context), node_(node), place_(place) {}
  [[noreturn]] void refuse(std::string_view code, Token const& token, std::string const& text,
                           std::string suggestion = {}) const {
    context_.report.add_inside(code, node_, token.at, token.length, place_.place + ": " + text,
                               std::move(suggestion));
    throw Refused{};
  }
  [[nodiscard]] ExpressionPlace const& place() const { return place_; }
  [[nodiscard]] std::string const& text() const { return node_.text; }

 private:
  Context& context_;
  YamlNode const& node_;
  ExpressionPlace const& place_;
};

// Refuses what is no word (E107).
class Lexer {
 public:
  explicit Lexer(Faults const& faults) : faults_(faults), text_(faults.text()) {}
  Token next();

 private:
  void read_number(Token& token);
  void read_string(Token& token, char quote);
  void read_operator(Token& token);

  Faults const& faults_;
  std::string const& text_;
  std::size_t at_ = 0;
};

}  // namespace windrow
