// Plan E: pairs sorted by cell, runs of one cell cut into tiles of a fixed number of rows, each
// folded in row order, the tiles of a run merged in order.  So rounded sums depend on the rows
// alone, and no thread folds a hot key by itself.
#pragma once
#include <bit>
#include <cstdint>

#include "kernels/fold_row.hpp"
#include "kernels/primitives/device_array.hpp"
#include "kernels/state_view.hpp"

namespace windrow::gpu {

inline constexpr std::uint32_t tile_rows = 64;

// Numbers the pairs, the values of the sort.
struct NumberPairs {
  std::uint32_t* pair;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    pair[i] = static_cast<std::uint32_t>(i);
  }
};

// 1 where a run of one cell begins; pairs without a cell stand last and begin none.
struct FlagRuns {
  std::uint32_t const* cell;
  std::uint32_t no_cell;
  std::uint32_t* flag;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    flag[i] = cell[i] != no_cell && (i == 0 || cell[i] != cell[i - 1]) ? 1 : 0;
  }
};

//   scanned  exclusive sums of a flag: where sum[i + 1] > sum[i], something begins at i
struct PlaceBegins {
  std::uint32_t const* scanned;
  std::uint32_t* begin;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    if (scanned[i + 1] > scanned[i]) {
      begin[scanned[i]] = static_cast<std::uint32_t>(i);
    }
  }
};

// 1 where a tile begins: at the begin of its run and every tile_rows behind it.
struct FlagTiles {
  std::uint32_t const* cell;
  std::uint32_t no_cell;
  std::uint32_t const *run_sum, *run_begin;
  std::uint32_t* flag;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    if (cell[i] == no_cell) {
      flag[i] = 0;
      return;
    }
    std::uint32_t const begin = run_begin[run_sum[i + 1] - 1U];
    flag[i] = (static_cast<std::uint32_t>(i) - begin) % tile_rows == 0 ? 1 : 0;
  }
};

// Folds the rows of one tile, in order, into a partial.
//   pair     [pairs] by (cell, arrival);  pairs_per_row  first + pair / pairs_per_row is its row
//   partial  [tiles] contents
struct FoldTile {
  RecordShape const* shape;
  RowsView rows;
  std::uint32_t const *cell, *pair;
  std::uint32_t pairs, pairs_per_row, first;
  std::uint32_t const* tile_begin;
  std::byte* partial;
  WINDROW_HOST_DEVICE void operator()(std::size_t tile) const {
    std::uint32_t const begin = tile_begin[tile];
    std::byte* const contents = partial + tile * shape->contents_bytes() - shape->contents_begin;
    clear_contents(*shape, contents);
    for (std::uint32_t i = begin; i < pairs && i < begin + tile_rows && cell[i] == cell[begin];
         ++i) {
      lift_row(*shape, contents, rows, first + pair[i] / pairs_per_row);
    }
  }
};

// Sorted pairs, reduced: run r begins at run_begin[r], its first tile is number
// tile_sum[run_begin[r]], run_sum[pairs] runs and tile_sum[pairs] tiles there are.
struct Runs {
  std::uint32_t const *run_begin, *run_sum, *tile_sum;
  std::byte* partial;

  // Merges the tiles of a run, in order, into a record.
  WINDROW_HOST_DEVICE void merge_into(RecordShape const& shape, std::byte* record,
                                      std::uint32_t run, std::uint32_t pairs) const noexcept {
    std::uint32_t const end =
        run + 1 < run_sum[pairs] ? tile_sum[run_begin[run + 1]] : tile_sum[pairs];
    for (std::uint32_t tile = tile_sum[run_begin[run]]; tile < end; ++tile) {
      merge_contents(shape, record,
                     partial + std::size_t{tile} * shape.contents_bytes() - shape.contents_begin);
    }
  }
};

struct MergeRun {
  StateView state;
  RecordShape const* shape;
  std::uint32_t const* cell;
  std::uint32_t pairs;
  Runs runs;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    auto const run = static_cast<std::uint32_t>(i);
    runs.merge_into(*shape, state.record(cell[runs.run_begin[run]]), run, pairs);
  }
};

// Owns what plan E needs beside the state.
template <class Device>
class FoldRuns {
 public:
  // Room for so many pairs at a time.
  FoldRuns(Device& device, RecordShape const& shape, std::size_t pairs)
      : device_(device),
        cell_in_(device),
        cell_(device),
        pair_in_(device),
        pair_(device),
        flag_(device),
        run_sum_(device),
        run_begin_(device),
        tile_sum_(device),
        tile_begin_(device),
        partial_(device) {
    reserve(pairs, shape);
  }
  void reserve(std::size_t pairs, RecordShape const& shape) {
    for (auto* const array :
         {&cell_in_, &cell_, &pair_in_, &pair_, &flag_, &run_begin_, &tile_begin_}) {
      array->reserve(pairs);
    }
    run_sum_.reserve(pairs + 1);
    tile_sum_.reserve(pairs + 1);
    partial_.reserve(pairs * shape.contents_bytes());
  }
  // The judge writes the cells of the pairs here.
  [[nodiscard]] std::uint32_t* pair_cell() { return cell_in_.data(); }

  // Folds rows [first, first + rows).
  void fold(StateView const& state, RecordShape const* shape, RowsView const& view,
            std::uint32_t first, std::size_t rows, std::uint32_t pairs_per_row,
            std::uint32_t no_cell) {
    std::size_t const n = rows * pairs_per_row;
    device_.for_each(n, NumberPairs{pair_in_.data()});
    device_.sort_pairs(cell_in_.data(), cell_.data(), pair_in_.data(), pair_.data(), n,
                       static_cast<unsigned>(std::bit_width(no_cell)));
    Runs const runs =
        reduce(shape, cell_.data(), pair_.data(), view, first, n, pairs_per_row, no_cell);
    device_.for_each(runs.run_sum + n, n,
                     MergeRun{state, shape, cell_.data(), static_cast<std::uint32_t>(n), runs});
  }

  // Reduces the tiles of sorted pairs; what is in the result holds until the next call.
  Runs reduce(RecordShape const* shape, std::uint32_t const* cell, std::uint32_t const* pair,
              RowsView const& view, std::uint32_t first, std::size_t n, std::uint32_t pairs_per_row,
              std::uint32_t no_cell) {
    device_.for_each(n, FlagRuns{cell, no_cell, flag_.data()});
    device_.exclusive_scan(flag_.data(), run_sum_.data(), n);
    device_.for_each(n, PlaceBegins{run_sum_.data(), run_begin_.data()});
    device_.for_each(n, FlagTiles{cell, no_cell, run_sum_.data(), run_begin_.data(), flag_.data()});
    device_.exclusive_scan(flag_.data(), tile_sum_.data(), n);
    device_.for_each(n, PlaceBegins{tile_sum_.data(), tile_begin_.data()});
    device_.for_each(tile_sum_.data() + n, n,
                     FoldTile{shape, view, cell, pair, static_cast<std::uint32_t>(n), pairs_per_row,
                              first, tile_begin_.data(), partial_.data()});
    return {run_begin_.data(), run_sum_.data(), tile_sum_.data(), partial_.data()};
  }

 private:
  Device& device_;
  DeviceArray<Device, std::uint32_t> cell_in_, cell_, pair_in_, pair_, flag_, run_sum_, run_begin_,
      tile_sum_, tile_begin_;
  DeviceArray<Device, std::byte> partial_;
};

}  // namespace windrow::gpu
