// Plan B: a block of threads folds its rows into a table in its shared memory first, so that a hot
// cell costs the memory behind one visit per block and not one per row.  Cells that find no place
// in the table are folded where they are (plan A).
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/judge.hpp"
#include "kernels/primitives/block.hpp"

namespace windrow::gpu {

// A table of a power of two of entries: cell, rows, accumulators.
//   contents  [entries] contents of a record, 8-aligned
struct BlockTable {
  std::uint32_t *cell, *rows;
  std::byte* contents;
  std::uint32_t entries, contents_bytes;

  WINDROW_HOST_DEVICE BlockTable(std::byte* shared, std::uint32_t size,
                                 RecordShape const& shape) noexcept
      : cell(reinterpret_cast<std::uint32_t*>(shared)),
        rows(cell + size),
        contents(reinterpret_cast<std::byte*>(rows + size)),
        entries(size),
        contents_bytes(shape.contents_bytes()) {}
  // Bytes of shared memory for so many entries.
  [[nodiscard]] static constexpr std::size_t bytes(std::size_t entries,
                                                   RecordShape const& shape) noexcept {
    return entries * (2 * sizeof(std::uint32_t) + shape.contents_bytes());
  }
  // As if its accumulators lay in a record that begins here.
  [[nodiscard]] WINDROW_HOST_DEVICE std::byte* record(std::uint32_t entry,
                                                      RecordShape const& shape) const noexcept {
    return contents + std::size_t{entry} * contents_bytes - shape.contents_begin;
  }
  // The entry of a cell, new or not; `none` where its few places are taken.
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t find(std::uint32_t wanted) const noexcept {
    constexpr std::uint32_t places = 4;
    std::uint32_t const home = (wanted * 0x9e3779b1U) >> 7U;
    for (std::uint32_t i = 0; i < places; ++i) {
      std::uint32_t const entry = (home + i) & (entries - 1U);
      std::uint32_t const there = atomic_cas(cell[entry], none, wanted);
      if (there == none || there == wanted) {
        return entry;
      }
    }
    return none;
  }
};

// Three phases with a barrier between: the table is emptied, rows go in, entries go out.
//   rows_per_block  of the batch
struct FoldBlock {
  static constexpr unsigned phases = 3;
  RowJudge judge;
  std::uint32_t entries, rows_per_block;

  WINDROW_HOST_DEVICE void operator()(Block const& block, unsigned phase) const {
    RecordShape const& shape = judge.step->cells.shape;
    BlockTable const table(block.shared, entries, shape);
    if (phase == 0) {
      for (std::uint32_t e = block.thread; e < entries; e += block.threads) {
        table.cell[e] = none;
        table.rows[e] = 0;
        clear_contents(shape, table.record(e, shape));
      }
    } else if (phase == 1) {
      std::size_t const begin = std::size_t{block.index} * rows_per_block;
      std::size_t const end =
          begin + rows_per_block < judge.rows.rows ? begin + rows_per_block : judge.rows.rows;
      for (std::size_t i = begin + block.thread; i < end; i += block.threads) {
        fold_row(table, static_cast<std::uint32_t>(i));
      }
    } else {
      for (std::uint32_t e = block.thread; e < entries; e += block.threads) {
        if (table.cell[e] != none) {
          std::byte* const record = judge.state.record(table.cell[e]);
          judge.accept(table.cell[e], table.rows[e]);
          merge_contents_atomic(shape, record, table.record(e, shape));
        }
      }
    }
  }

 private:
  WINDROW_HOST_DEVICE void fold_row(BlockTable const& table, std::uint32_t row) const {
    RecordShape const& shape = judge.step->cells.shape;
    judge.each_accepted(row, [&](std::uint32_t cell, std::uint32_t) {
      std::uint32_t const entry = table.find(cell);
      if (entry == none) {
        judge.accept(cell, 1);
        lift_row_atomic(shape, judge.state.record(cell), judge.rows, row);
      } else {
        atomic_add(table.rows[entry], 1U);
        lift_row_atomic(shape, table.record(entry, shape), judge.rows, row);
      }
    });
  }
};

}  // namespace windrow::gpu
