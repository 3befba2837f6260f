// The identity and order of keys: the fields of a group as bytes, and back (semantics.md 1, "Key
// bytes").
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

// Comparing key bytes as unsigned bytes orders rows by their fields in turn: null first, false
// before true, integers and numbers by value (-0.0 is 0.0, every NaN is one key, last), text by its
// bytes, a list by its members, a structure by names and members.  Distinct fields give distinct
// bytes.
//
//   one string field that is never null: its bytes
//   otherwise each field: u8 tag (0 ends a container, 1 null, 2 boolean .. as Scalar::Kind), then
//     boolean u8 | integer u64 big-endian, sign flipped | number u64 big-endian, negative ones
//     inverted string, bytes: 00 as 00 FF, ended by 00 00 | list: members, 0 | structure: (string,
//     member).., 0 where a member's name follows a tag 5 (string)
class KeyBytes {
 public:
  explicit KeyBytes(std::vector<Field> const& group);  // no fields: one key, of no bytes
  // The bytes are those of the one column; `of` then only borrows them.
  [[nodiscard]] bool plain() const { return plain_; }
  // Of one row of the group's columns, in order.  Views the column or `scratch`, which is replaced.
  std::string_view of(std::span<ColumnView const> columns, std::size_t row,
                      std::string& scratch) const {
    if (plain_) {
      return text_of(columns, row);
    }
    scratch.clear();
    append(columns, row, scratch);
    return scratch;
  }
  // Appends one row to the group's columns.
  void decode(std::string_view key, std::span<Column> columns) const;

 private:
  static std::string_view text_of(std::span<ColumnView const> columns, std::size_t row);
  void append(std::span<ColumnView const> columns, std::size_t row, std::string& out) const;
  std::size_t fields_;
  bool plain_;
};

}  // namespace windrow
