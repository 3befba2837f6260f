// The words of one expression of a pipeline file.
#include "host/plan/expression_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "host/plan/keys.hpp"

namespace windrow {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Token Lexer::next() {
  while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
    ++at_;
  }
  Token token;
  token.at = at_;
  if (at_ == text_.size()) {
    token.length = 1;
    return token;
  }
  char const c = text_[at_];
  if (is_letter(c)) {
    token.kind = TokenKind::name;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) {
      ++at_;
    }
    token.text = text_.substr(token.at, at_ - token.at);
  } else if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
    read_number(token);
  } else if (c == '"' || c == '\'') {
    read_string(token, c);
  } else {
    read_operator(token);
  }
  token.length = at_ - token.at;
  return token;
}

void Lexer::read_number(Token& token) {
  token.kind = TokenKind::integer;
  while (at_ < text_.size() &&
         (is_digit(text_[at_]) || is_letter(text_[at_]) || text_[at_] == '.' ||
          ((text_[at_] == '-' || text_[at_] == '+') &&
           (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E')))) {
    if (!is_digit(text_[at_])) {
      token.kind = TokenKind::number;
    }
    ++at_;
  }
  token.text = text_.substr(token.at, at_ - token.at);
  token.length = at_ - token.at;
  bool const good = token.kind == TokenKind::integer ? read_integer(token.text).has_value()
                                                     : windrow::read_number(token.text).has_value();
  if (!good) {
    faults_.refuse("E107", token, fmt::format("'{}' is no number of 64 bits", token.text));
  }
}

void Lexer::read_string(Token& token, char quote) {
  token.kind = TokenKind::string;
  for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
    char c = text_[at_];
    if (c == '\\' && at_ + 1 < text_.size()) {
      c = text_[++at_];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    token.text += c;
  }
  token.length = at_ - token.at;
  if (at_ == text_.size()) {
    faults_.refuse("E107", token, "a string without an end");
  }
  ++at_;
  if (quote == '\'' && faults_.place().language == Language::generic) {
    token.length = at_ - token.at;
    faults_.refuse("E107", token, "generic strings have double quotes");
  }
}

void Lexer::read_operator(Token& token) {
  token.kind = TokenKind::op;
  constexpr std::array<std::string_view, 6> doubles{"==", "!=", "<=", ">=", "//", "**"};
  std::string_view const two = std::string_view{text_}.substr(at_, 2);
  bool const is_double = std::find(doubles.begin(), doubles.end(), two) != doubles.end();
  token.text = is_double ? std::string{two} : std::string(1, text_[at_]);
  at_ += token.text.size();
  token.length = token.text.size();
  if (!is_double && std::string_view{"+-*/%<>().,"}.find(token.text) == std::string_view::npos) {
    faults_.refuse("E107", token, fmt::format("'{}' is not supported in expressions", token.text));
  }
}

}  // namespace windrow
