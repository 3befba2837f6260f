// Writing and reading the fields of an id.
#include "host/engine/row_id.hpp"

#include <algorithm>
#include <cstdint>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::string_view hex = "0123456789ABCDEF";

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

bool is_plain_ascii(char c) {
  auto const b = static_cast<std::uint8_t>(c);
  return b >= 0x20 && b < 0x7f && c != '%' && c != '|';
}

// Length of the UTF-8 character of two bytes or more at `at`, 0 if there is none: no overlong form,
// no surrogate, nothing above U+10FFFF (RFC 3629).
std::size_t multibyte_at(std::string_view text, std::size_t at) {
  std::uint8_t const first = byte_at(text, at);
  std::size_t const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < size) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  std::uint8_t const second = byte_at(text, at + 1);
  bool const wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
  return wrong ? 0 : size;
}

int digit_of(char c) {
  std::size_t const at = hex.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

void escape_id_field(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    auto const plain = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                                        is_plain_ascii);
    auto const end = static_cast<std::size_t>(plain - text.begin());
    out.append(text.substr(at, end - at));
    at = end;
    if (at == text.size()) {
      return;
    }
    if (std::size_t const size = multibyte_at(text, at); size != 0) {
      out.append(text.substr(at, size));
      at += size;
    } else {
      out += '%';
      out += hex[byte_at(text, at) >> 4U];
      out += hex[byte_at(text, at) & 15U];
      ++at;
    }
  }
}

bool unescape_id_field(std::string_view escaped, std::string& out) {
  std::size_t const before = out.size();
  for (std::size_t at = 0; at < escaped.size(); ++at) {
    if (escaped[at] != '%') {
      out += escaped[at];
      continue;
    }
    int const high = escaped.size() - at > 2 ? digit_of(escaped[at + 1]) : -1;
    int const low = escaped.size() - at > 2 ? digit_of(escaped[at + 2]) : -1;
    if (high < 0 || low < 0) {
      out.resize(before);
      return false;
    }
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  std::string again;
  escape_id_field(std::string_view(out).substr(before), again);
  if (again == escaped) {
    return true;
  }
  out.resize(before);
  return false;
}

void append_id_field(Scalar const& field, std::string& out) {
  switch (field.kind) {
    case Scalar::Kind::null:
      out += "%~";
      return;
    case Scalar::Kind::string:
    case Scalar::Kind::bytes:
      escape_id_field(field.text, out);
      return;
    case Scalar::Kind::integer:
      append_json(field, out);
      return;
    default:
      break;
  }
  bool const zero = field.kind == Scalar::Kind::number && field.number == 0;
  std::string json;
  append_json(zero ? Scalar::of(0.0) : field, json);
  escape_id_field(json, out);
}

void append_row_id(std::string_view prefix, Window window, std::span<Scalar const> fields,
                   std::string& out) {
  WINDROW_ASSERT(prefix.find_first_of("/|") == std::string_view::npos,
                 "a prefix has neither / nor |");
  if (!prefix.empty()) {
    out.append(prefix);
    out += '/';
  }
  bool const global = window.start == T_MIN && window.end == T_END;
  if (global) {
    out += "global";
  } else {
    append_json(Scalar::of(window.start.us), out);
  }
  for (Scalar const& field : fields) {
    out += '|';
    append_id_field(field, out);
  }
}

}  // namespace windrow
