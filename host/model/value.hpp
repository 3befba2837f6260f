// The types that a field of a row can have (semantics.md 16.4).
#pragma once
#include <cstdint>

namespace windrow {

// boolean u8, integer int64, number binary64, string UTF-8; a list or structure is carried as one
// encoded value per cell (host/engine/value.hpp).
enum class ValueType : std::uint8_t { boolean, integer, number, string, bytes, list, structure };

}  // namespace windrow
