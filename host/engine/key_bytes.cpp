// Order-preserving bytes of values, and values of bytes.
#include "host/engine/key_bytes.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

using Kind = Scalar::Kind;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63U;
constexpr char end_of_container = 0;

constexpr char tag_of(Kind kind) { return static_cast<char>(static_cast<int>(kind) + 1); }

void put_big_endian(std::uint64_t v, std::string& out) {
  v = __builtin_bswap64(v);
  out.append(reinterpret_cast<char const*>(&v), sizeof v);
}
std::uint64_t take_big_endian(std::string_view& in) {
  WINDROW_ASSERT(in.size() >= 8, "key bytes end early");
  std::uint64_t v;
  in.copy(reinterpret_cast<char*>(&v), sizeof v);
  in.remove_prefix(sizeof v);
  return __builtin_bswap64(v);
}
char take(std::string_view& in) {
  WINDROW_ASSERT(!in.empty(), "key bytes end early");
  char const c = in.front();
  in.remove_prefix(1);
  return c;
}

std::uint64_t order_of(double v) {
  if (std::isnan(v)) {
    v = std::numeric_limits<double>::quiet_NaN();
  }
  auto const bits = std::bit_cast<std::uint64_t>(v == 0 ? 0.0 : v);
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}
double number_of(std::uint64_t order) {
  return std::bit_cast<double>((order & sign_bit) != 0 ? order ^ sign_bit : ~order);
}

void put_text(std::string_view text, std::string& out) {
  for (std::size_t zero; (zero = text.find('\0')) != std::string_view::npos;) {
    out.append(text.substr(0, zero));
    out.append("\x00\xff", 2);
    text.remove_prefix(zero + 1);
  }
  out.append(text);
  out.append(2, '\0');
}
void take_text(std::string_view& in, std::string& out) {
  while (true) {
    std::size_t const zero = in.find('\0');
    WINDROW_ASSERT(zero != std::string_view::npos && zero + 1 < in.size(), "key bytes end early");
    out.append(in.substr(0, zero));
    bool const last = in[zero + 1] == '\0';
    in.remove_prefix(zero + 2);
    if (last) {
      return;
    }
    out += '\0';
  }
}

void put(Scalar const& value, std::string& out) {
  out += tag_of(value.kind);
  switch (value.kind) {
    case Kind::null:
      break;
    case Kind::boolean:
      out += value.boolean ? '\1' : '\0';
      break;
    case Kind::integer:
      put_big_endian(static_cast<std::uint64_t>(value.integer) ^ sign_bit, out);
      break;
    case Kind::number:
      put_big_endian(order_of(value.number), out);
      break;
    case Kind::string:
    case Kind::bytes:
      put_text(value.text, out);
      break;
    case Kind::list:
    case Kind::structure: {
      ContainerReader reader(value.text);
      std::string_view name;
      Scalar member;
      while (reader.next(name, member)) {
        if (value.kind == Kind::structure) {
          out += tag_of(Kind::string);
          put_text(name, out);
        }
        put(member, out);
      }
      out += end_of_container;
    }
  }
}

// Appends the encoded form (value.hpp) of one value to `out`.
void take_value(std::string_view& in, std::string& out) {
  auto const kind = static_cast<Kind>(take(in) - 1);
  switch (kind) {
    case Kind::null:
      encode(Scalar::null(), out);
      return;
    case Kind::boolean:
      encode(Scalar::of(take(in) != 0), out);
      return;
    case Kind::integer:
      encode(Scalar::of(static_cast<std::int64_t>(take_big_endian(in) ^ sign_bit)), out);
      return;
    case Kind::number:
      encode(Scalar::of(number_of(take_big_endian(in))), out);
      return;
    case Kind::string:
    case Kind::bytes: {
      std::string text;
      take_text(in, text);
      encode(kind == Kind::string ? Scalar::of_string(text) : Scalar::of_bytes(text), out);
      return;
    }
    case Kind::list:
    case Kind::structure: {
      ContainerEncoder container(kind, out);
      WINDROW_ASSERT(!in.empty(), "key bytes end early");
      while (in.front() != end_of_container) {
        if (kind == Kind::structure) {
          std::string name;
          take(in);
          take_text(in, name);
          container.name(name);
        }
        take_value(in, container.member());
        WINDROW_ASSERT(!in.empty(), "key bytes end early");
      }
      take(in);
      container.close();
      return;
    }
  }
  WINDROW_ASSERT(false, "key bytes have known tags");
}

}  // namespace

KeyBytes::KeyBytes(std::vector<Field> const& group)
    : fields_(group.size()),
      plain_(group.size() == 1 && group[0].type.kind == ValueType::string && !group[0].nullable) {}

std::string_view KeyBytes::text_of(std::span<ColumnView const> columns, std::size_t row) {
  WINDROW_ASSERT(columns.size() == 1 && columns[0].is_valid(row), "a field that is never null");
  return columns[0].text(row);
}

void KeyBytes::append(std::span<ColumnView const> columns, std::size_t row,
                      std::string& out) const {
  WINDROW_ASSERT(columns.size() == fields_, "the columns are those of the group");
  for (ColumnView const& column : columns) {
    put(column.at(row), out);
  }
}

void KeyBytes::decode(std::string_view key, std::span<Column> columns) const {
  WINDROW_ASSERT(columns.size() == fields_, "the columns are those of the group");
  if (plain_) {
    columns[0].append_text(key);
    return;
  }
  std::string encoded;
  for (Column& column : columns) {
    encoded.clear();
    take_value(key, encoded);
    std::string_view rest = encoded;
    column.append(windrow::decode(rest));
  }
  WINDROW_ASSERT(key.empty(), "key bytes are of this group");
}

}  // namespace windrow
