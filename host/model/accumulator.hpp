// What a Combine computes: one CombineFn per output column.  Rules: semantics.md 16.4.
#pragma once
#include <cstdint>

#include "host/model/ddsketch.hpp"
#include "host/model/value.hpp"

namespace windrow {

enum class CombineKind : std::uint8_t {
  count,
  sum,
  min,
  max,
  mean,
  variance,
  stddev,
  any,
  all,
  group,
  concat,
  first,
  last,
  top,
  approx_distinct,
  approx_quantile
};

//   in       type of the value column; `top` reads structures {out: field, ..}
//   column   index into KeyedBatchView::values; not read by `count`, which counts rows, nulls too
//   n        top: how many;  by: top: which field of the structure orders;  ascending: top
//            approx_distinct: precision (hyperloglog.hpp)
//            approx_quantile: buckets between two powers of two (ddsketch.hpp)
//   population  variance, stddev: divide by n instead of n - 1
//   quantiles   approx_quantile: how many of `q` make a list; 0: q[0] makes a number
struct CombineFn {
  CombineKind kind = CombineKind::count;
  ValueType in = ValueType::integer;
  std::uint16_t column = 0;
  std::uint32_t n = 0, by = 0;
  bool ascending = false, population = false;
  std::uint8_t quantiles = 0;
  double q[quantiles_max] = {};
  bool operator==(CombineFn const&) const = default;
};

// Type of the result column: count, approx_distinct integer; sum, min, max, first, last, concat as
// `in`; mean, variance, stddev number; any, all boolean; group, top list; approx_quantile number or
// list.
[[nodiscard]] constexpr ValueType result_type(CombineFn const& fn) noexcept {
  switch (fn.kind) {
    case CombineKind::count:
    case CombineKind::approx_distinct:
      return ValueType::integer;
    case CombineKind::approx_quantile:
      return fn.quantiles == 0 ? ValueType::number : ValueType::list;
    case CombineKind::mean:
    case CombineKind::variance:
    case CombineKind::stddev:
      return ValueType::number;
    case CombineKind::any:
    case CombineKind::all:
      return ValueType::boolean;
    case CombineKind::group:
    case CombineKind::top:
      return ValueType::list;
    default:
      return fn.in;
  }
}

}  // namespace windrow
