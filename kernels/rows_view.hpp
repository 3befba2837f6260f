// The columns of a batch in device memory.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host/model/time.hpp"
#include "host/model/value.hpp"
#include "host/model/window.hpp"

namespace windrow::gpu {

// boolean u8, integer i64, number f64; `valid` [rows] 0 = null, no array = no nulls.
struct ColumnRef {
  void const* data;
  std::uint8_t const* valid;
  ValueType type;

  [[nodiscard]] WINDROW_HOST_DEVICE bool is_valid(std::uint32_t row) const noexcept {
    return valid == nullptr || valid[row] != 0;
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::int64_t integer(std::uint32_t row) const noexcept {
    return type == ValueType::boolean ? static_cast<std::uint8_t const*>(data)[row]
                                      : static_cast<std::int64_t const*>(data)[row];
  }
  [[nodiscard]] WINDROW_HOST_DEVICE double number(std::uint32_t row) const noexcept {
    return type == ValueType::number ? static_cast<double const*>(data)[row]
                                     : static_cast<double>(integer(row));
  }
};

//   window, weight  null where the step has none;  column  by CombineFn::column
//   first_row       row 0 of the arrays is this row of the batch
struct RowsView {
  std::size_t rows;
  EventTime const* time;
  std::uint32_t const* key;
  Window const* window;
  std::int8_t const* weight;
  ColumnRef const* column;
  std::uint32_t first_row;
};

// An open window and where its cells are; sorted by window.  Or a slice: then `running` of its
// windows run, else 0.
struct WindowRef {
  Window window;
  std::uint32_t slab, running;
};
[[nodiscard]] WINDROW_HOST_DEVICE inline std::uint32_t slab_of(WindowRef const* refs,
                                                               std::uint32_t n,
                                                               Window window) noexcept {
  std::uint32_t begin = 0, end = n;
  while (begin < end) {
    std::uint32_t const middle = (begin + end) / 2;
    if (refs[middle].window < window) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return refs[begin].slab;
}

// Of slices: that of the one which holds `time`.
[[nodiscard]] WINDROW_HOST_DEVICE inline std::uint32_t slab_at(WindowRef const* refs,
                                                               std::uint32_t n,
                                                               EventTime time) noexcept {
  std::uint32_t begin = 0, end = n;
  while (begin < end) {
    std::uint32_t const middle = (begin + end) / 2;
    if (refs[middle].window.end <= time) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return refs[begin].slab;
}

}  // namespace windrow::gpu
