// One value outside a typed column: what an expression computes, and the encoded form in which
// lists and structures travel in a column's cell.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "host/model/value.hpp"

namespace windrow {

// A value or null.  `text` borrows: of string and bytes the content, of list and structure the
// whole encoded value.  Copying is cheap; the bytes must outlive it.
struct Scalar {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, bytes, list, structure };
  Kind kind = Kind::null;
  union {
    bool boolean;
    std::int64_t integer = 0;
    double number;
  };
  std::string_view text;

  static Scalar null() { return {}; }
  static Scalar of(bool v) {
    Scalar s;
    s.kind = Kind::boolean;
    s.boolean = v;
    return s;
  }
  static Scalar of(std::int64_t v) {
    Scalar s;
    s.kind = Kind::integer;
    s.integer = v;
    return s;
  }
  static Scalar of(double v) {
    Scalar s;
    s.kind = Kind::number;
    s.number = v;
    return s;
  }
  static Scalar of_string(std::string_view v) {
    Scalar s;
    s.kind = Kind::string;
    s.text = v;
    return s;
  }
  static Scalar of_bytes(std::string_view v) {
    Scalar s;
    s.kind = Kind::bytes;
    s.text = v;
    return s;
  }
  // `encoded` is a whole encoded list or structure, as in a cell.
  static Scalar of_encoded(std::string_view encoded);
  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
};

// Encoded value, little-endian:
//   u8 Kind, then  boolean: u8 | integer: i64 | number: f64 | string, bytes: u32 length, content
//                  list: u32 byte length of what follows, u32 count, values
//                  structure: u32 byte length of what follows, u32 count,
//                  (u32 length, name, value)..
// `null` is the tag alone.  Nesting is at most `value_depth_max`, which decoders enforce.
inline constexpr int value_depth_max = 128;

// Appends one encoded value to `out`.
void encode(Scalar const& value, std::string& out);

// Builds a list or structure in place: open, add members (`name` first in a structure), close.
class ContainerEncoder {
 public:
  ContainerEncoder(Scalar::Kind list_or_structure, std::string& out);
  void name(std::string_view field);  // structures only, before each member
  void add(Scalar const& value);
  std::string& member();  // the buffer to which a nested encoder or encode() appends one member
  void close();           // writes length and count; call once

 private:
  std::string& out_;
  std::size_t at_;
  std::uint32_t count_ = 0;
};

// Walks the members of an encoded list or structure.
class ContainerReader {
 public:
  explicit ContainerReader(std::string_view encoded);
  bool next(std::string_view& name, Scalar& value);  // name is empty in a list; false at the end
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  std::string_view rest_;
  std::uint32_t count_ = 0, left_ = 0;
  bool structure_ = false;
};

// Reads one encoded value at the start of `bytes` and drops it from there.
Scalar decode(std::string_view& bytes);
// The member `name` of an encoded structure, null if it has none.
Scalar member_of(std::string_view structure, std::string_view name);

// Total order of values: null first, then by kind, numbers by value (-0.0 before 0.0, NaN last;
// integers and numbers compare with each other exactly), text by bytes, containers member by
// member.
int compare(Scalar const& a, Scalar const& b);

// What approx_distinct hashes of a text (host/model/hyperloglog.hpp): its XXH3-64, seed 0.
[[nodiscard]] std::uint64_t distinct_bits_of_text(std::string_view text);

// Length of the UTF-8 character of two bytes or more at `at`, 0 if there is none: no overlong form,
// no surrogate, nothing above U+10FFFF (RFC 3629).
[[nodiscard]] std::size_t multibyte_at(std::string_view text, std::size_t at);
// Appends JSON text: strings escaped and what is no UTF-8 in them U+FFFD, bytes as base64, NaN and
// infinities as the strings "NaN", "Infinity", "-Infinity", since JSON has no such numbers.
void append_json(Scalar const& value, std::string& out);

}  // namespace windrow
