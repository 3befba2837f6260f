// Numbers out of the text of one value, for the walk over plain records.
#pragma once
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ingest/json_value.hpp"

namespace windrow::json {

// Eight bytes as a number whose lowest byte is the first one.
static_assert(std::endian::native == std::endian::little);
WINDROW_ALWAYS_INLINE std::uint64_t eight_bytes(char const* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// The value of eight decimal digits, one per byte (0 to 9), the first in the lowest byte: digits to
// pairs to fours to all.
constexpr std::uint64_t value_of_digits(std::uint64_t digits) {
  std::uint64_t const pairs = (digits * 10 + (digits >> 8U)) & 0x00ff00ff00ff00ffU;
  std::uint64_t const fours = (pairs * 100 + (pairs >> 16U)) & 0x0000ffff0000ffffU;
  return (fours * 10'000 + (fours >> 32U)) & 0xffffffffU;
}

// Is some byte more than 9?
constexpr bool has_other_than_digits(std::uint64_t digits) {
  return ((digits | (digits + 0x7676767676767676U)) & 0x8080808080808080U) != 0;
}

// A JSON integer of at most 16 digits.  False: another form, which may still be an integer.  16
// bytes before the end of `token` are readable.
WINDROW_ALWAYS_INLINE bool read_short_integer(std::string_view token, std::int64_t& out) {
  bool const negative = token[0] == '-';
  std::size_t const n = token.size() - static_cast<std::size_t>(negative);
  char const* const end = token.data() + token.size();
  if (n - 1 > 15 || (end[-static_cast<std::ptrdiff_t>(n)] == '0' && n > 1)) {
    return false;
  }
  constexpr std::uint64_t zeros = 0x3030303030303030U, all = ~std::uint64_t{0};
  // What stands before the number becomes digits 0.
  std::uint64_t const low = (eight_bytes(end - 8) ^ zeros) & (n >= 8 ? all : all << (64 - 8 * n));
  std::uint64_t value = value_of_digits(low), high = 0;
  if (n > 8) {
    high = (eight_bytes(end - 16) ^ zeros) & (all << (128 - 8 * n));
    value += value_of_digits(high) * 100'000'000;
  }
  if (has_other_than_digits(low) || has_other_than_digits(high)) {
    return false;
  }
  out = negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
  return true;
}

// A JSON integer within 64 bits.
WINDROW_ALWAYS_INLINE bool read_integer(std::string_view token, std::int64_t& out) {
  if (read_short_integer(token, out)) [[likely]] {
    return true;
  }
  if (number_form(token) != NumberForm::integer) {
    return false;
  }
  return std::from_chars(token.data(), token.data() + token.size(), out).ec == std::errc{};
}

// A JSON number within binary64; the nearest one.
WINDROW_ALWAYS_INLINE bool read_number(std::string_view token, double& out) {
  std::int64_t integer = 0;
  if (read_short_integer(token, integer) && integer != 0) {  // below 2^54, so rounded once; not -0
    out = static_cast<double>(integer);
    return true;
  }
  return number_form(token) != NumberForm::none &&
         std::from_chars(token.data(), token.data() + token.size(), out).ec == std::errc{};
}

}  // namespace windrow::json
