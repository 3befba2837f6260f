// One JSON value, read as what the schema says; scalars inline, since they are the hot path.
#pragma once
#include <simdjson.h>

#include <cstring>
#include <string>
#include <string_view>

#include "host/engine/batch.hpp"
#include "host/engine/value.hpp"

#define WINDROW_ALWAYS_INLINE [[gnu::always_inline]] inline

namespace windrow::json {

namespace ondemand = simdjson::ondemand;

// How reading one value ended.  All but `broken` leave the iterator where the rest of the document
// can be skipped; after `broken` it must not be used any more.
enum class Read : std::uint8_t {
  ok,
  null,
  missing,
  wrong_type,
  integer_overflow,
  number_overflow,
  too_deep,
  bad_value,
  bad_timestamp,
  broken
};

// Form of a token by JSON's grammar of numbers.
enum class NumberForm : std::uint8_t { none, integer, real };
[[nodiscard]] NumberForm number_form(std::string_view token);

// The value's text up to the next one, without the white space behind it.  Does not move.
WINDROW_ALWAYS_INLINE std::string_view token_of(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') {
    token.remove_suffix(1);
  }
  return token;
}

// What a value is that its getter refused; `wrong_type` when it is sound but of another type.
[[nodiscard]] Read not_an_integer(ondemand::value& value);
[[nodiscard]] Read not_a_number(ondemand::value& value, Scalar& out);
[[nodiscard]] Read not_a_boolean(ondemand::value& value);
[[nodiscard]] Read not_plain_text(ondemand::value& value, std::string_view token, Scalar& out);
// Appends the bytes of base64 text (with or without padding); false when it is none.
[[nodiscard]] bool append_base64(std::string_view text, std::string& out);
// A string in base64; `out` borrows from `buffer`.
[[nodiscard]] Read read_bytes(ondemand::value& value, std::string& buffer, Scalar& out);
// A list or structure of that type, encoded into `out` (cleared first).
[[nodiscard]] Read read_container(ondemand::value& value, FieldType const& type, std::string& out);
// Checks all that an object or array at that depth holds (the record's own object has depth 0;
// `count` gets the elements): well-formed, or `broken` or `too_deep`.  A DOM would refuse large
// integers.
[[nodiscard]] Read validate_object(ondemand::object& object, int depth);
[[nodiscard]] Read validate_array(ondemand::array& array, int depth, std::size_t& count);
// Any scalar by its own form: integers beyond int64 become numbers.
[[nodiscard]] Read read_any_scalar(ondemand::value& value, Scalar& out);

WINDROW_ALWAYS_INLINE Read read_integer(ondemand::value& value, Scalar& out) {
  std::int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) [[unlikely]] {
    return not_an_integer(value);
  }
  out = Scalar::of(number);
  return Read::ok;
}

WINDROW_ALWAYS_INLINE Read read_number(ondemand::value& value, Scalar& out) {
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) [[unlikely]] {
    return not_a_number(value, out);
  }
  out = Scalar::of(number);
  return Read::ok;
}

WINDROW_ALWAYS_INLINE Read read_boolean(ondemand::value& value, Scalar& out) {
  bool yes = false;
  if (value.get_bool().get(yes) != simdjson::SUCCESS) [[unlikely]] {
    return not_a_boolean(value);
  }
  out = Scalar::of(yes);
  return Read::ok;
}

// Text without escapes is taken where it lies (stage 1 has checked UTF-8 and control characters),
// which saves the copy into simdjson's string buffer.
WINDROW_ALWAYS_INLINE Read read_text(ondemand::value& value, Scalar& out) {
  std::string_view const token = token_of(value);
  if (token.size() < 2 || token.front() != '"' || token.back() != '"' ||
      std::memchr(token.data(), '\\', token.size()) != nullptr) [[unlikely]] {
    return not_plain_text(value, token, out);
  }
  ondemand::raw_json_string consumed;
  if (value.get_raw_json_string().get(consumed) != simdjson::SUCCESS) [[unlikely]] {
    return Read::broken;
  }
  out = Scalar::of_string(token.substr(1, token.size() - 2));
  return Read::ok;
}

// Reads a value of the type; texts borrow from the document, its parser or `buffer`.
WINDROW_ALWAYS_INLINE Read read_value(ondemand::value& value, FieldType const& type,
                                      std::string& buffer, Scalar& out) {
  switch (type.kind) {
    case ValueType::integer:
      return read_integer(value, out);
    case ValueType::string:
      return read_text(value, out);
    case ValueType::number:
      return read_number(value, out);
    case ValueType::boolean:
      return read_boolean(value, out);
    case ValueType::bytes:
      return read_bytes(value, buffer, out);
    case ValueType::list:
    case ValueType::structure:
      break;
  }
  Read const read = read_container(value, type, buffer);
  if (read == Read::ok) {
    out = Scalar::of_encoded(buffer);
  }
  return read;
}

}  // namespace windrow::json
