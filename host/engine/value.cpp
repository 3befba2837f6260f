// Encoded values, their order and their JSON.
#define XXH_INLINE_ALL
#include "host/engine/value.hpp"

#include <xxhash.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "host/model/portable.hpp"

namespace windrow {

std::uint64_t distinct_bits_of_text(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

std::size_t multibyte_at(std::string_view text, std::size_t at) {
  auto const first = static_cast<std::uint8_t>(text[at]);
  std::size_t const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < size) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<std::uint8_t>(text[at + i]) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  auto const second = static_cast<std::uint8_t>(text[at + 1]);
  bool const wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
  return wrong ? 0 : size;
}

namespace {

static_assert(std::endian::native == std::endian::little, "encoded values are little-endian");

template <class T>
void put(std::string& out, T v) {
  out.append(reinterpret_cast<char const*>(&v), sizeof v);
}
template <class T>
T take(std::string_view& bytes) {
  WINDROW_ASSERT(bytes.size() >= sizeof(T), "an encoded value ends early");
  T v;
  std::memcpy(&v, bytes.data(), sizeof v);
  bytes.remove_prefix(sizeof v);
  return v;
}
std::string_view take_text(std::string_view& bytes) {
  auto const size = take<std::uint32_t>(bytes);
  WINDROW_ASSERT(bytes.size() >= size, "an encoded value ends early");
  std::string_view const text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return text;
}
std::uint32_t length32(std::size_t size) {
  WINDROW_ASSERT(size <= UINT32_MAX, "one encoded value stays below 4 GiB");
  return static_cast<std::uint32_t>(size);
}

int sign(bool less, bool greater) { return less ? -1 : greater ? 1 : 0; }

int compare_numbers(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return sign(!std::isnan(a), !std::isnan(b));
  }
  if (a == 0 && b == 0) {
    return sign(std::signbit(a) && !std::signbit(b), std::signbit(b) && !std::signbit(a));
  }
  return sign(a < b, b < a);
}
// Exact: converting the integer would round it from 2^53 on.  Integer 0 is +0.0.
int compare_integer_number(std::int64_t a, double b) {
  if (std::isnan(b) || b >= 0x1p63) {
    return -1;
  }
  if (b < -0x1p63) {
    return 1;
  }
  auto const whole = static_cast<std::int64_t>(b);  // toward zero
  if (a != whole) {
    return sign(a<whole, a> whole);
  }
  double const rest = b - static_cast<double>(whole);  // exact: a fraction is left only below 2^53
  if (rest == 0 && whole == 0) {
    return std::signbit(b) ? 1 : 0;
  }
  return sign(rest > 0, rest < 0);
}

// Integers and numbers are one rank, so that they compare by value.
int rank(Scalar::Kind kind) {
  return static_cast<int>(kind == Scalar::Kind::number ? Scalar::Kind::integer : kind);
}

int compare_containers(std::string_view a, std::string_view b) {
  ContainerReader left(a), right(b);
  std::string_view left_name, right_name;
  Scalar left_value, right_value;
  while (true) {
    bool const more_left = left.next(left_name, left_value);
    bool const more_right = right.next(right_name, right_value);
    if (!more_left || !more_right) {
      return sign(!more_left && more_right, more_left && !more_right);
    }
    if (int const order = left_name.compare(right_name); order != 0) {
      return sign(order<0, order> 0);
    }
    if (int const order = compare(left_value, right_value); order != 0) {
      return order;
    }
  }
}

void append_json_string(std::string_view text, std::string& out) {
  constexpr char const* hex = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto const c = static_cast<unsigned char>(text[at]);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20) {
          out += "\\u00";
          out += hex[c >> 4U];
          out += hex[c & 15U];
        } else if (c < 0x80) {
          out += text[at];
        } else if (std::size_t const size = multibyte_at(text, at); size != 0) {
          out += text.substr(at, size);
          at += size - 1;
        } else {
          out += "\\ufffd";
        }
    }
  }
  out += '"';
}

void append_base64(std::string_view bytes, std::string& out) {
  constexpr char const* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const n = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= n ? digits[(group >> (18 - 6 * j)) & 63U] : '=';
    }
  }
}

// The shortest digits that read back as the same double; a whole number keeps ".0" so that it stays
// a float to readers that tell the two apart.
void append_json_number(double v, std::string& out) {
  if (std::isnan(v)) {
    out += "\"NaN\"";
    return;
  }
  if (std::isinf(v)) {
    out += v > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  std::array<char, 32> digits;
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), v).ptr;
  std::string_view const text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) {
    out += ".0";
  }
}

}  // namespace

Scalar Scalar::of_encoded(std::string_view encoded) {
  WINDROW_ASSERT(!encoded.empty(), "an encoded value has a tag");
  Scalar s;
  s.kind = static_cast<Kind>(encoded.front());
  WINDROW_ASSERT(s.kind == Kind::list || s.kind == Kind::structure, "a list or a structure");
  s.text = encoded;
  return s;
}

void encode(Scalar const& value, std::string& out) {
  using Kind = Scalar::Kind;
  if (value.kind == Kind::list || value.kind == Kind::structure) {
    out.append(value.text);
    return;
  }
  put(out, value.kind);
  switch (value.kind) {
    case Kind::boolean:
      put(out, static_cast<std::uint8_t>(value.boolean));
      break;
    case Kind::integer:
      put(out, value.integer);
      break;
    case Kind::number:
      put(out, value.number);
      break;
    case Kind::string:
    case Kind::bytes:
      put(out, length32(value.text.size()));
      out.append(value.text);
      break;
    default:
      break;
  }
}

ContainerEncoder::ContainerEncoder(Scalar::Kind list_or_structure, std::string& out)
    : out_(out), at_(out.size()) {
  WINDROW_ASSERT(
      list_or_structure == Scalar::Kind::list || list_or_structure == Scalar::Kind::structure,
      "a list or a structure");
  put(out_, list_or_structure);
  out_.append(8, '\0');
}
void ContainerEncoder::name(std::string_view field) {
  put(out_, length32(field.size()));
  out_.append(field);
}
void ContainerEncoder::add(Scalar const& value) { encode(value, member()); }
std::string& ContainerEncoder::member() {
  ++count_;
  return out_;
}
void ContainerEncoder::close() {
  std::uint32_t const length = length32(out_.size() - at_ - 5);
  std::memcpy(out_.data() + at_ + 1, &length, sizeof length);
  std::memcpy(out_.data() + at_ + 5, &count_, sizeof count_);
}

ContainerReader::ContainerReader(std::string_view encoded) {
  auto const kind = take<Scalar::Kind>(encoded);
  WINDROW_ASSERT(kind == Scalar::Kind::list || kind == Scalar::Kind::structure,
                 "a list or a structure");
  structure_ = kind == Scalar::Kind::structure;
  rest_ = take_text(encoded);
  count_ = left_ = take<std::uint32_t>(rest_);
}
bool ContainerReader::next(std::string_view& name, Scalar& value) {
  if (left_ == 0) {
    return false;
  }
  --left_;
  name = structure_ ? take_text(rest_) : std::string_view{};
  value = decode(rest_);
  return true;
}

Scalar decode(std::string_view& bytes) {
  using Kind = Scalar::Kind;
  std::string_view const whole = bytes;
  switch (take<Kind>(bytes)) {
    case Kind::null:
      return Scalar::null();
    case Kind::boolean:
      return Scalar::of(take<std::uint8_t>(bytes) != 0);
    case Kind::integer:
      return Scalar::of(take<std::int64_t>(bytes));
    case Kind::number:
      return Scalar::of(take<double>(bytes));
    case Kind::string:
      return Scalar::of_string(take_text(bytes));
    case Kind::bytes:
      return Scalar::of_bytes(take_text(bytes));
    case Kind::list:
    case Kind::structure:
      take_text(bytes);
      return Scalar::of_encoded(whole.substr(0, whole.size() - bytes.size()));
  }
  WINDROW_ASSERT(false, "an encoded value has a known tag");
  return Scalar::null();
}

Scalar member_of(std::string_view structure, std::string_view name) {
  ContainerReader reader(structure);
  std::string_view field;
  Scalar value;
  while (reader.next(field, value)) {
    if (field == name) {
      return value;
    }
  }
  return Scalar::null();
}

int compare(Scalar const& a, Scalar const& b) {
  using Kind = Scalar::Kind;
  if (rank(a.kind) != rank(b.kind)) {
    return sign(rank(a.kind) < rank(b.kind), true);
  }
  switch (a.kind) {
    case Kind::null:
      return 0;
    case Kind::boolean:
      return sign(!a.boolean && b.boolean, a.boolean && !b.boolean);
    case Kind::integer:
      if (b.kind == Kind::number) {
        return compare_integer_number(a.integer, b.number);
      }
      return sign(a.integer<b.integer, a.integer> b.integer);
    case Kind::number:
      if (b.kind == Kind::integer) {
        return -compare_integer_number(b.integer, a.number);
      }
      return compare_numbers(a.number, b.number);
    case Kind::string:
    case Kind::bytes: {
      int const order = a.text.compare(b.text);
      return sign(order<0, order> 0);
    }
    case Kind::list:
    case Kind::structure:
      return compare_containers(a.text, b.text);
  }
  return 0;
}

void append_json(Scalar const& value, std::string& out) {
  using Kind = Scalar::Kind;
  switch (value.kind) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += value.boolean ? "true" : "false";
      break;
    case Kind::integer:
      out += std::to_string(value.integer);
      break;
    case Kind::number:
      append_json_number(value.number, out);
      break;
    case Kind::string:
      append_json_string(value.text, out);
      break;
    case Kind::bytes:
      out += '"';
      append_base64(value.text, out);
      out += '"';
      break;
    case Kind::list:
    case Kind::structure: {
      bool const structure = value.kind == Kind::structure;
      out += structure ? '{' : '[';
      ContainerReader reader(value.text);
      std::string_view name;
      Scalar member;
      for (bool first = true; reader.next(name, member); first = false) {
        if (!first) {
          out += ',';
        }
        if (structure) {
          append_json_string(name, out);
          out += ':';
        }
        append_json(member, out);
      }
      out += structure ? '}' : ']';
    }
  }
}

}  // namespace windrow
