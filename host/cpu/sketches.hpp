// Sketches as bytes: a function of the values alone, whatever their order and however they were
// split, so that these bytes also stand in snapshots.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "host/engine/batch.hpp"
#include "host/model/accumulator.hpp"

namespace windrow::cpu {

[[nodiscard]] constexpr bool is_sketch(CombineKind kind) noexcept {
  return kind == CombineKind::approx_distinct || kind == CombineKind::approx_quantile;
}

// No bytes are the sketch of no value.  Little-endian:
//   approx_distinct  u32 entries (hyperloglog.hpp) ascending, or where these are too many the
//                    ranks of all registers, u8 [2^precision]
//   approx_quantile  (i32 bucket, u64 values in it).. ascending, of those that have any
//
// `bits`: of approx_distinct `distinct_bits`, of approx_quantile those of the number.
void lift_sketch(CombineFn const& fn, std::string& to, std::uint64_t bits);
void merge_sketch(CombineFn const& fn, std::string& to, std::string&& from);
// Appends the result; of no value 0 is distinct and a quantile is null.
void extract_sketch(CombineFn const& fn, std::string_view from, Column& out);

}  // namespace windrow::cpu
