// Rows find their cells: which pairs of row and window are late or closed, and what those that are
// accepted change at once.  Rules: semantics.md R8, R18-R23, R40, R41.
#pragma once
#include "kernels/fold_row.hpp"
#include "kernels/rows_view.hpp"
#include "kernels/state_view.hpp"

namespace windrow::gpu {

// A run of dropped pairs of one row, as DroppedRun.
struct Drop {
  std::uint32_t row;
  std::uint32_t closed;  // 0 = late
  Window window;
  std::uint32_t windows;
};

// Windows of row i, ascending.
template <class Body>
WINDROW_HOST_DEVICE inline void each_window(WindowFn const& windows, RowsView const& rows,
                                            std::size_t i, Body&& body) noexcept {
  if (windows.kind == WindowKind::given) {
    body(rows.window[i], 0U);
    return;
  }
  IndexRange const range = windows_of(windows, rows.time[i]);
  std::uint32_t place = 0;
  for (std::int64_t j = range.first; j <= range.last; ++j) {
    body(window_at(windows, j), place++);
  }
}

// First pass: the pages that rows need and nobody has made yet, each named once.
//   new_page  entries of `page_of`
struct FindNewPages {
  StateView state;
  StepView const* step;
  RowsView rows;
  Watermark w;
  WindowRef const* refs;
  std::uint32_t ref_count;
  std::uint32_t* new_page;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    each_window(step->windows, rows, i, [&](Window window, std::uint32_t) {
      if (w >= expiry(window.end, step->cells.lateness)) {
        return;
      }
      std::uint32_t const slab = slab_of(refs, ref_count, window);
      std::uint32_t& entry = state.page_entry(slab, rows.key[i]);
      if (entry == 0 && atomic_cas(entry, 0U, none) == 0) {
        new_page[atomic_count(state.counters->new_pages)] =
            static_cast<std::uint32_t>(&entry - state.page_of);
      }
    });
  }
};

// Gives each of them a free page.
struct MakePages {
  StateView state;
  std::uint32_t const* new_page;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const entry = new_page[i];
    std::uint32_t const page =
        state.free_page[state.counters->free_pages - 1U - static_cast<std::uint32_t>(i)];
    state.owner[page] = {entry / state.key_pages, entry % state.key_pages};
    state.hold[page] = never;
    state.deadline[page] = never;
    state.event[page] = never;
    state.dirty[page] = 0;
    state.page_of[entry] = page + 1U;
    atomic_add(state.slab_pages[entry / state.key_pages], 1U);
  }
};
// ... or takes the wish back, when there are not enough.
struct UnmarkPages {
  StateView state;
  std::uint32_t const* new_page;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const { state.page_of[new_page[i]] = 0; }
};
struct ForgetNewPages {
  StateView state;
  WINDROW_HOST_DEVICE void operator()(std::size_t) const { state.counters->new_pages = 0; }
};
struct TakeNewPagesOff {
  StateView state;
  WINDROW_HOST_DEVICE void operator()(std::size_t) const {
    state.counters->free_pages -= state.counters->new_pages;
    state.counters->new_pages = 0;
  }
};

// Which pairs of a row are accepted, and what becomes of the others.
//   touched  cells with their first row of the batch, in no order
struct RowJudge {
  StateView state;
  StepView const* step;
  RowsView rows;
  BatchTimes times;
  WindowRef const* refs;
  std::uint32_t ref_count;
  std::uint32_t* touched;
  Drop* drops;

  // body(cell, number of the pair within the row) for the accepted ones.
  template <class Body>
  WINDROW_HOST_DEVICE void each_accepted(std::uint32_t row, Body&& body) const {
    Counters& counters = *state.counters;
    std::uint32_t const key = rows.key[row];
    if (rows.time[row] < times.w) {
      atomic_count(counters.late);
    }
    bool has_window = false;
    Drop drop{rows.first_row + row, 0, {}, 0};
    EventTime drop_end{0};
    each_window(step->windows, rows, row, [&](Window window, std::uint32_t place) {
      has_window = true;
      atomic_count(counters.assigned);
      bool const late = times.w >= expiry(window.end, step->cells.lateness);
      std::uint32_t const cell = late ? none : state.cell_of(slab_of(refs, ref_count, window), key);
      if (!late && !is_closed(cell)) {
        body(cell, place);
        return;
      }
      atomic_count(late ? counters.dropped_late : counters.dropped_closed);
      std::uint32_t const closed = late ? 0 : 1;
      bool const continues = drop.windows > 0 && drop.closed == closed &&
                             window.end.us - drop_end.us <= step->windows.period_us;
      if (!continues) {
        put(drop);
        drop = {drop.row, closed, window, 0};
      }
      ++drop.windows;
      drop_end = window.end;
    });
    put(drop);
    if (!has_window) {
      atomic_count(counters.no_window);
      state.may_be_freed(key);
    }
    if (drop.windows > 0) {
      state.may_be_freed(key);
    }
  }

  // So many accepted rows reach a cell: fresh, counted, and held by the window's end (R40, R41).
  WINDROW_HOST_DEVICE void accept(std::uint32_t cell, std::uint32_t count) const {
    RecordHead& head = RecordShape::head(state.record(cell));
    bool const stores_hold = step->cells.shape.stores_hold;
    bool const held =
        !stores_hold && holds(step->cells, state.window_of(cell), EventTime{0}, times);
    std::uint32_t const bits = flag_exists | flag_open | flag_fresh | (held ? flag_held : 0U);
    if ((atomic_or(head.flags, bits) & flag_exists) == 0) {
      head.key = state.owner[cell / page_records].key_page * page_records + cell % page_records;
      state.count_window(head.key);
    }
    atomic_add(state.counters->aggregated, std::uint64_t{count});
    if (atomic_add(head.new_rows, count) == 0) {
      touched[atomic_count(state.counters->touched)] = cell;
    }
  }
  // What a row holds where the step stores holds.
  WINDROW_HOST_DEVICE void hold(std::uint32_t cell, EventTime time) const {
    if (step->cells.shape.stores_hold && holds(step->cells, state.window_of(cell), time, times)) {
      std::byte* const record = state.record(cell);
      std::int64_t& hold = step->cells.shape.hold_of(record);
      step->cells.stamp == TimestampCombiner::latest ? atomic_max(hold, time.us)
                                                     : atomic_min(hold, time.us);
      atomic_or(RecordShape::head(record).flags, flag_held);
    }
  }

 private:
  WINDROW_HOST_DEVICE void put(Drop const& drop) const {
    if (drop.windows > 0) {
      drops[atomic_count(state.counters->drops)] = drop;
    }
  }
  // Nothing opens or closes while rows are judged.
  [[nodiscard]] WINDROW_HOST_DEVICE bool is_closed(std::uint32_t cell) const {
    std::uint32_t const flags = RecordShape::head(state.record(cell)).flags;
    return (flags & (flag_exists | flag_open)) == flag_exists;
  }
};

// Second pass, plans A and E.  Accepted pairs are counted in their cells and, where every
// accumulator is order-free, folded; else their cells are noted for fold_runs.hpp.
//   first      row of i = 0
//   pair_cell  [rows * pairs_per_row] cell, `no_cell` where the pair was dropped; null = folded
//   here
struct Judge {
  RowJudge judge;
  std::uint32_t* pair_cell;
  std::uint32_t pairs_per_row, no_cell, first;

  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const row = first + static_cast<std::uint32_t>(i);
    for (std::uint32_t p = 0; pair_cell != nullptr && p < pairs_per_row; ++p) {
      pair_cell[i * pairs_per_row + p] = no_cell;
    }
    judge.each_accepted(row, [&](std::uint32_t cell, std::uint32_t place) {
      judge.accept(cell, 1);
      judge.hold(cell, judge.rows.time[row]);
      if (pair_cell != nullptr) {
        pair_cell[i * pairs_per_row + place] = cell;
      } else {
        lift_row_atomic(judge.step->cells.shape, judge.state.record(cell), judge.rows, row);
      }
    });
  }
};

}  // namespace windrow::gpu
