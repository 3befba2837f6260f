// Writing and reading the fields of an id.
#include "host/engine/row_id.hpp"

#include <algorithm>
#include <cstdint>

#include "host/engine/value.hpp"
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
