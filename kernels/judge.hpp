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

// Windows of row i that have records of their own, ascending; returns how many share the record of
// its slice instead: the others, which run.
template <class Body>
WINDROW_HOST_DEVICE inline std::uint32_t each_window(StepView const& step, RowsView const& rows,
                                                     std::size_t i, Watermark w,
                                                     Body&& body) noexcept {
  if (step.windows.kind == WindowKind::given) {
    body(rows.window[i]);
    return 0;
  }
  IndexRange const range = windows_of(step.windows, rows.time[i]);
  for (std::int64_t j = range.first; j <= range.last; ++j) {
    Window const window = window_at(step.windows, j);
    if (step.shares_slices && w < window.end) {
      return static_cast<std::uint32_t>(range.last - j + 1);
    }
    body(window);
  }
  return 0;
}

// The open windows of the rows of a batch, and their slices.
struct OpenRefs {
  WindowRef const* window;
  WindowRef const* slice;
  std::uint32_t windows, slices;
};

// First pass: the pages that rows need and nobody has made yet, each named once.
//   new_page  entries of `page_of`
struct FindNewPages {
  StateView state;
  StepView const* step;
  RowsView rows;
  Watermark w;
  OpenRefs refs;
  std::uint32_t* new_page;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const running = each_window(*step, rows, i, w, [&](Window window) {
      if (w < expiry(window.end, step->cells.lateness)) {
        find(slab_of(refs.window, refs.windows, window), rows.key[i]);
      }
    });
    if (running > 0) {
      find(slab_at(refs.slice, refs.slices, rows.time[i]), rows.key[i]);
    }
  }

 private:
  WINDROW_HOST_DEVICE void find(std::uint32_t slab, std::uint32_t key) const {
    std::uint32_t& entry = state.page_entry(slab, key);
    if (entry == 0 && atomic_cas(entry, 0U, none) == 0) {
      new_page[atomic_count(state.counters->new_pages)] =
          static_cast<std::uint32_t>(&entry - state.page_of);
    }
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
//   touched    cells of windows with their first row of the batch, in no order
//   new_slice  cells of slices with their first row of all
struct RowJudge {
  StateView state;
  StepView const* step;
  RowsView rows;
  BatchTimes times;
  OpenRefs refs;
  std::uint32_t *touched, *new_slice;
  Drop* drops;

  // body(cell, how many were accepted before) for the accepted ones; those of running windows are
  // the last, together.
  template <class Body>
  WINDROW_HOST_DEVICE void each_accepted(std::uint32_t row, Body&& body) const {
    Counters& counters = *state.counters;
    std::uint32_t const key = rows.key[row];
    if (rows.time[row] < times.w) {
      atomic_count(counters.late);
    }
    bool has_window = false;
    std::uint32_t place = 0;
    Drop drop{rows.first_row + row, 0, {}, 0};
    EventTime drop_end{0};
    std::uint32_t const running = each_window(*step, rows, row, times.w, [&](Window window) {
      has_window = true;
      atomic_count(counters.assigned);
      bool const late = times.w >= expiry(window.end, step->cells.lateness);
      std::uint32_t const cell =
          late ? none : state.cell_of(slab_of(refs.window, refs.windows, window), key);
      if (!late && !is_closed(cell)) {
        body(cell, place++);
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
    if (running > 0) {
      atomic_add(counters.assigned, std::uint64_t{running});
      body(state.cell_of(slab_at(refs.slice, refs.slices, rows.time[row]), key), place);
    }
    if (!has_window && running == 0) {
      atomic_count(counters.no_window);
      state.may_be_freed(key);
    }
    if (drop.windows > 0) {
      state.may_be_freed(key);
    }
  }

  // So many accepted rows reach a cell: fresh, counted, and held by the window's end (R40, R41).
  WINDROW_HOST_DEVICE void accept(std::uint32_t cell, std::uint32_t count) const {
    PageOwner const owner = state.owner[cell / page_records];
    std::uint32_t const key = owner.key_page * page_records + cell % page_records;
    RecordHead& head = RecordShape::head(state.record(cell));
    if (std::uint32_t const running = state.slab_running[owner.slab]; running > 0) {
      if ((atomic_or(head.flags, flag_exists) & flag_exists) == 0) {
        head.key = key;
        head.new_rows = 1;  // until CountRunning
        state.count_window(key);
        atomic_count(state.counters->slices_made);
        new_slice[atomic_count(state.counters->new_slices)] = cell;
      }
      atomic_add(state.counters->aggregated, std::uint64_t{count} * running);
      return;
    }
    bool const stores_hold = step->cells.shape.stores_hold;
    bool const held =
        !stores_hold && holds(step->cells, state.window_of(cell), EventTime{0}, times);
    std::uint32_t const bits = flag_exists | flag_open | flag_fresh | (held ? flag_held : 0U);
    if ((atomic_or(head.flags, bits) & flag_exists) == 0) {
      head.key = key;
      state.count_window(key);
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
