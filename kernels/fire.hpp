// Cells are asked and fire: decisions first, then panes at the places that a scan of the decisions
// gives them.  Rules: semantics.md R17, R25, R29.
#pragma once
#include "kernels/fold_row.hpp"
#include "kernels/state_view.hpp"

namespace windrow::gpu {

// What became of one cell that was asked, in the order of the asking.
//   rows  it puts out
struct Decisions {
  std::uint32_t* cell;
  CellFiring* firing;
  std::uint32_t* rows;
};

// So many cells are due, 0 before they are listed.
struct SetDue {
  Counters* counters;
  std::uint32_t n;
  WINDROW_HOST_DEVICE void operator()(std::size_t) const {
    counters->due = n;
    counters->ended = 0;
  }
};
// The next of the cells that rows have touched are what is due.
struct TakeTouched {
  Counters* counters;
  std::uint32_t begin;
  WINDROW_HOST_DEVICE void operator()(std::size_t) const {
    counters->due = counters->touched - begin;
    counters->ended = 0;
  }
};

// Notes what became of cell i, and how many rows it puts out: tombstones that are owed, too.
WINDROW_HOST_DEVICE inline void decide(StateView const& state, Decisions const& out, std::size_t i,
                                       CellFiring const& firing) noexcept {
  std::uint32_t const cell = out.cell[i];
  std::uint32_t rows = (firing.emits ? 1U : 0U) + (firing.takes_away ? 1U : 0U);
  if (firing.pending && state.link_offset != 0) {
    for (std::uint32_t at = state.link(cell).pending; at != 0; at = state.link(at - 1).next) {
      ++rows;
    }
  }
  state.dirty[cell / page_records] = 1;
  out.firing[i] = firing;
  out.rows[i] = rows;
}

// Phase A: the cells that rows have touched.
struct Settle {
  StateView state;
  StepView const* step;
  BatchTimes times;
  Decisions out;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const cell = out.cell[i];
    CellFiring firing;
    firing.pending = true;
    if ((RecordShape::head(state.record(cell)).flags & flag_buried) == 0) {
      firing = settle_cell(step->cells, state.record(cell), state.window_of(cell), times);
      atomic_count(state.counters->evaluations);
    }
    decide(state, out, i, firing);
  }
};

// A slab that time has reached.
//   ended    its window's end was passed in this batch;  expires  so was its expiry
struct DueSlab {
  std::uint32_t slab, ended, expires;
};

// A page of one.
struct DuePage {
  std::uint32_t page, ended, expires;
};
// i = (due slab, key page)
struct ListPages {
  StateView state;
  DueSlab const* due;
  DuePage* out;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    DueSlab const slab = due[i / state.key_pages];
    std::uint32_t const entry =
        state.page_of[std::size_t{slab.slab} * state.key_pages + i % state.key_pages];
    if (entry != 0) {
      out[atomic_count(state.counters->due)] = {entry - 1U, slab.ended, slab.expires};
    }
  }
};

// Cells of due pages that time reaches.  i = (due page, record)
struct FindDue {
  StateView state;
  StepView const* step;
  BatchTimes times;
  DuePage const* due;
  std::uint32_t* out;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    DuePage const page = due[i / page_records];
    std::uint32_t const cell =
        page.page * page_records + static_cast<std::uint32_t>(i % page_records);
    std::byte* const record = state.record(cell);
    std::uint32_t const flags = RecordShape::head(record).flags;
    if ((flags & flag_exists) == 0) {
      return;
    }
    std::uint32_t const armed = flag_open | flag_armed;
    bool const is_due = page.expires != 0 || (page.ended != 0 && (flags & armed) == armed) ||
                        deadline_of(step->cells, record, times.p_before_us) < times.p_us;
    if (is_due) {
      out[atomic_count(state.counters->due)] = cell;
    }
  }
};

// Phase B: they expire, or are asked.
struct FireDue {
  StateView state;
  StepView const* step;
  BatchTimes times;
  Decisions out;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const cell = out.cell[i];
    std::byte* const record = state.record(cell);
    Window const window = state.window_of(cell);
    bool const expires = times.w >= expiry(window.end, step->cells.lateness);
    CellFiring const firing = expires ? expire_cell(step->cells, record, window, times)
                                      : ask_cell(step->cells, record, window, times);
    if (firing.asked) {
      atomic_count(state.counters->evaluations);
    }
    decide(state, out, i, firing);
  }
};

struct Ended {
  std::uint32_t key;
  Window window;
};
// The record of an expired cell is gone; its row id has ended if its row is out.
struct ForgetExpired {
  StateView state;
  StepView const* step;
  Watermark w;
  std::uint32_t const* cell;
  Ended* ended;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    Window const window = state.window_of(cell[i]);
    if (w < expiry(window.end, step->cells.lateness)) {
      return;
    }
    RecordHead& head = RecordShape::head(state.record(cell[i]));
    if (state.link_offset != 0) {  // others of its key may go, too: SweepSessions
      head.flags = (head.flags & ~flag_exists) | flag_expired;
      state.may_be_freed(head.key);
      return;
    }
    if (step->report_ended && (head.flags & flag_emitted) != 0) {
      ended[atomic_count(state.counters->ended)] = {head.key, window};
    }
    state.forget_window(head.key);
  }
};

// Pages of expired slabs are free again.  i = (due page, record)
struct ResetExpired {
  StateView state;
  StepView const* step;
  DuePage const* due;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    DuePage const page = due[i / page_records];
    if (page.expires != 0) {
      reset_record(state, step,
                   page.page * page_records + static_cast<std::uint32_t>(i % page_records));
    }
  }
};
struct FreeExpired {
  StateView state;
  DuePage const* due;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    if (due[i].expires != 0) {
      free_page(state, due[i].page);
    }
  }
};
// Of a slab whose rows are not folded after all.  i = key page
struct FreeUnused {
  StateView state;
  std::uint32_t slab;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    if (std::uint32_t const entry = state.page_of[std::size_t{slab} * state.key_pages + i];
        entry != 0) {
      free_page(state, entry - 1U);
    }
  }
};

}  // namespace windrow::gpu
