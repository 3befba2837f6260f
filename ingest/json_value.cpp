// The slow half of reading values: nulls, wrong types, escapes, and lists and structures.
#include "ingest/json_value.hpp"

#include <limits>
#include <set>
#include <utility>
#include <vector>

namespace windrow::json {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// Null, or what kind of other value stands there.
Read null_or_other(ondemand::value& value, std::string_view token) {
  if (token == "null") {
    bool null = false;
    return value.is_null().get(null) == simdjson::SUCCESS && null ? Read::null : Read::bad_value;
  }
  bool const sound =
      !token.empty() && (token[0] == '"' || token[0] == '{' || token[0] == '[' || token == "true" ||
                         token == "false" || number_form(token) != NumberForm::none);
  return sound ? Read::wrong_type : Read::bad_value;
}

Read encode_any(ondemand::value& value, int depth, std::string& out);

// One member or element of a declared type.
Read encode_typed(ondemand::value& value, Field const& field, int depth, std::string& out);

Read encode_list(ondemand::value& value, FieldType const* type, int depth, std::string& out) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return Read::broken;
  }
  Field const* const element =
      type != nullptr && !type->children.empty() ? &type->children[0] : nullptr;
  ContainerEncoder encoder(Scalar::Kind::list, out);
  for (auto item : array) {
    ondemand::value member;
    if (std::move(item).get(member) != simdjson::SUCCESS) {
      return Read::broken;
    }
    std::string& into = encoder.member();
    Read const read = element != nullptr ? encode_typed(member, *element, depth + 1, into)
                                         : encode_any(member, depth + 1, into);
    if (read != Read::ok) {
      return read;
    }
  }
  encoder.close();
  return Read::ok;
}

// Members as they come; of duplicate names the first.
Read encode_open_structure(ondemand::object& object, int depth, std::string& out) {
  std::set<std::string, std::less<>> seen;
  ContainerEncoder encoder(Scalar::Kind::structure, out);
  for (auto item : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return Read::broken;
    }
    if (!seen.emplace(name).second) {
      continue;
    }
    encoder.name(name);
    Read const read = encode_any(field.value(), depth + 1, encoder.member());
    if (read != Read::ok) {
      return read;
    }
  }
  encoder.close();
  return Read::ok;
}

// The declared members only, in the schema's order, so that equal structures have equal bytes.
Read encode_declared_structure(ondemand::object& object, std::vector<Field> const& fields,
                               int depth, std::string& out) {
  std::vector<std::string> members(fields.size());
  for (auto item : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return Read::broken;
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name != name) {
        continue;
      }
      if (!members[i].empty()) {
        break;
      }
      Read const read = encode_typed(field.value(), fields[i], depth + 1, members[i]);
      if (read != Read::ok) {
        return read;
      }
      break;
    }
  }
  ContainerEncoder encoder(Scalar::Kind::structure, out);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    encoder.name(fields[i].name);
    if (!members[i].empty()) {
      encoder.member().append(members[i]);
    } else if (fields[i].nullable) {
      encoder.add(Scalar::null());
    } else {
      return Read::missing;
    }
  }
  encoder.close();
  return Read::ok;
}

// `depth` counts the containers around, the cell's own being 1.
Read encode_container(ondemand::value& value, FieldType const* type, int depth, std::string& out) {
  if (depth > value_depth_max) {
    return Read::too_deep;
  }
  if (token_of(value)[0] == '[') {
    return encode_list(value, type, depth, out);
  }
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return Read::broken;
  }
  bool const open = type == nullptr || type->children.empty();
  return open ? encode_open_structure(object, depth, out)
              : encode_declared_structure(object, type->children, depth, out);
}

bool is_container(ondemand::value& value, ValueType type) {
  std::string_view const token = token_of(value);
  return !token.empty() && token[0] == (type == ValueType::list ? '[' : '{');
}

Read encode_typed(ondemand::value& value, Field const& field, int depth, std::string& out) {
  if (field.type.kind == ValueType::list || field.type.kind == ValueType::structure) {
    if (is_container(value, field.type.kind)) {
      return encode_container(value, &field.type, depth, out);
    }
    Read const other = null_or_other(value, token_of(value));
    if (other != Read::null) {
      return other;
    }
    if (!field.nullable) {
      return Read::missing;
    }
    encode(Scalar::null(), out);
    return Read::ok;
  }
  std::string buffer;
  Scalar scalar;
  Read const read = read_value(value, field.type, buffer, scalar);
  if (read == Read::null ? !field.nullable : read != Read::ok) {
    return read == Read::null ? Read::missing : read;
  }
  encode(read == Read::null ? Scalar::null() : scalar, out);
  return Read::ok;
}

Read encode_any(ondemand::value& value, int depth, std::string& out) {
  std::string_view const token = token_of(value);
  if (token.empty()) {
    return Read::bad_value;
  }
  if (token[0] == '[' || token[0] == '{') {
    return encode_container(value, nullptr, depth, out);
  }
  Scalar scalar;
  Read read = Read::ok;
  if (token[0] == '"') {
    read = read_text(value, scalar);
  } else if (token[0] == 't' || token[0] == 'f') {
    read = read_boolean(value, scalar);
  } else {
    NumberForm const form = number_form(token);
    read = form == NumberForm::integer ? read_integer(value, scalar)
           : form == NumberForm::real  ? read_number(value, scalar)
                                       : null_or_other(value, token);
  }
  if (read != Read::ok && read != Read::null) {
    return read;
  }
  encode(read == Read::null ? Scalar::null() : scalar, out);
  return Read::ok;
}

}  // namespace

bool append_base64(std::string_view text, std::string& out) {
  while (!text.empty() && text.back() == '=') {
    text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) {
    return false;
  }
  unsigned bits = 0;
  int have = 0;
  for (char const c : text) {
    unsigned digit_value = 0;
    if (c >= 'A' && c <= 'Z') {
      digit_value = static_cast<unsigned>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit_value = static_cast<unsigned>(c - 'a') + 26;
    } else if (digit(c)) {
      digit_value = static_cast<unsigned>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit_value = c == '+' ? 62 : 63;
    } else {
      return false;
    }
    bits = (bits << 6U) | digit_value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xffU));
    }
  }
  return true;
}

NumberForm number_form(std::string_view token) {
  std::size_t i = 0;
  std::size_t const n = token.size();
  auto digits = [&] {
    std::size_t const from = i;
    while (i < n && digit(token[i])) {
      ++i;
    }
    return i - from;
  };
  if (i < n && token[i] == '-') {
    ++i;
  }
  std::size_t const first = i;
  std::size_t const whole = digits();
  if (whole == 0 || (whole > 1 && token[first] == '0')) {
    return NumberForm::none;
  }
  bool real = false;
  if (i < n && token[i] == '.') {
    real = true;
    ++i;
    if (digits() == 0) {
      return NumberForm::none;
    }
  }
  if (i < n && (token[i] == 'e' || token[i] == 'E')) {
    real = true;
    ++i;
    if (i < n && (token[i] == '+' || token[i] == '-')) {
      ++i;
    }
    if (digits() == 0) {
      return NumberForm::none;
    }
  }
  if (i != n) {
    return NumberForm::none;
  }
  return real ? NumberForm::real : NumberForm::integer;
}

Read not_an_integer(ondemand::value& value) {
  std::string_view const token = token_of(value);
  return number_form(token) == NumberForm::integer ? Read::integer_overflow
                                                   : null_or_other(value, token);
}

Read not_a_number(ondemand::value& value, Scalar& out) {
  std::string_view const token = token_of(value);
  if (token == "\"NaN\"") {
    out = Scalar::of(std::numeric_limits<double>::quiet_NaN());
  } else if (token == "\"Infinity\"") {
    out = Scalar::of(std::numeric_limits<double>::infinity());
  } else if (token == "\"-Infinity\"") {
    out = Scalar::of(-std::numeric_limits<double>::infinity());
  } else {
    return number_form(token) != NumberForm::none ? Read::number_overflow
                                                  : null_or_other(value, token);
  }
  return Read::ok;
}

Read not_a_boolean(ondemand::value& value) { return null_or_other(value, token_of(value)); }

Read not_plain_text(ondemand::value& value, std::string_view token, Scalar& out) {
  if (!token.empty() && token[0] == '"') {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      return Read::bad_value;
    }
    out = Scalar::of_string(text);
    return Read::ok;
  }
  if (number_form(token) == NumberForm::integer) {
    out = Scalar::of_string(token);
    return Read::ok;
  }
  return null_or_other(value, token);
}

Read read_bytes(ondemand::value& value, std::string& buffer, Scalar& out) {
  std::string_view const token = token_of(value);
  if (token.empty() || token[0] != '"') {
    return null_or_other(value, token);
  }
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) {
    return Read::bad_value;
  }
  buffer.clear();
  if (!append_base64(text, buffer)) {
    return Read::wrong_type;
  }
  out = Scalar::of_bytes(buffer);
  return Read::ok;
}

Read read_container(ondemand::value& value, FieldType const& type, std::string& out) {
  out.clear();
  if (!is_container(value, type.kind)) {
    return null_or_other(value, token_of(value));
  }
  return encode_container(value, &type, 1, out);
}

Read read_any_scalar(ondemand::value& value, Scalar& out) {
  std::string_view const token = token_of(value);
  if (!token.empty() && token[0] == '"') {
    return read_text(value, out);
  }
  switch (number_form(token)) {
    case NumberForm::integer: {
      Read const read = read_integer(value, out);
      return read == Read::integer_overflow ? read_number(value, out) : read;
    }
    case NumberForm::real:
      return read_number(value, out);
    case NumberForm::none:
      break;
  }
  if (token == "true" || token == "false") {
    return read_boolean(value, out);
  }
  return null_or_other(value, token);
}

}  // namespace windrow::json
