// The lasting state of a step as kernels see it: records in pages, found through a table per slab.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host/model/cell_rules.hpp"
#include "kernels/primitives/atomic.hpp"
#include "kernels/step_view.hpp"

namespace windrow::gpu {

// A page holds the records of 64 neighbouring key ids in one slab (a slab is one window, or a slice
// of windows that share it).  Key ids are dense, and 64 of them are of one shard.
inline constexpr std::uint32_t page_records = 64;

// Pages lie in chunks, each as large as all before it and one more, so that state grows without
// being moved.
inline constexpr std::uint32_t first_chunk_pages = 16, chunks_max = 21;  // cells fit 32 bits
[[nodiscard]] WINDROW_HOST_DEVICE constexpr std::uint32_t chunk_begin(
    std::uint32_t chunk) noexcept {
  return first_chunk_pages * ((1U << chunk) - 1U);
}
[[nodiscard]] WINDROW_HOST_DEVICE constexpr std::uint32_t chunk_of(std::uint32_t page) noexcept {
  std::uint32_t chunk = 0;
  for (std::uint32_t rest = page / first_chunk_pages + 1U; rest > 1; rest >>= 1U) {
    ++chunk;
  }
  return chunk;
}

// Which records a page holds; `slab` none = the page is free.
struct PageOwner {
  std::uint32_t slab, key_page;
};

// What a session has beside its record.
//   next     of the same key, ascending by window;  pending  the first of those that merges took
//            away and whose tombstones are owed (R36), ascending, linked by `next`; cell + 1, 0 =
//            none
struct SessionLink {
  Window window;
  std::uint32_t next, pending;
};

// Flags of session cells beside those of trigger_eval.hpp.
//   buried   no session: carries the tombstones that a burial owes (R62)
//   expired  still in the chain of its key, until the batch ends
inline constexpr std::uint32_t flag_buried = 64, flag_expired = 128;

// Written by kernels, read back with the number of panes.  those of pages, cells and keys are
// what there is, the others are of the batch or run.
//   hold, event  the earliest of the step; of sessions when one ends or expires
//   live         sessions: rows that are not late
//   new_slices   cells of slices that the batch has made
//   slices_..    of the cells those of slices;  running_..  pairs of a key and a running window in
//                which it has rows (slices.hpp)
struct Counters {
  std::uint32_t free_pages, free_cells, new_pages, touched, due, drops, ended, freed, erased, live,
      new_slices;
  std::uint64_t late, assigned, aggregated, dropped_late, dropped_closed, no_window, evaluations;
  std::uint64_t cells_made, cells_gone, keys_made, keys_gone;
  std::uint64_t slices_made, slices_gone, running_made, running_gone;
  std::int64_t hold, event;
};

// A *cell* is the number of a record: page * page_records + place within the page.
//   page_of         [slab * key_pages + key / page_records] page + 1; 0 none, `none` being made
//   free_page       [counters.free_pages] a stack
//   hold, deadline  [page] the earliest of its records, true where `dirty` is 0
//   slab_window, slab_deadline, slab_pages  [slab]; the earliest deadline; how many pages it has
//   slab_running  [slab] of a slice that has rows in the batch: how many of its windows run; else 0
//   link_offset     of SessionLink behind a record; 0: no sessions.  Sessions lie in any page, and
//   first_of        [key] is the first of a key (cell + 1), free_cell [counters.free_cells] a
//   stack,
//                   erased [counters.erased] cells that the batch freed
//   windows_of_key  [key] records of the key;  freed_bits  [key / 32] may have lost the last one
struct StateView {
  std::byte* chunk[chunks_max];
  std::uint32_t record_bytes;
  std::uint32_t key_pages;
  std::uint32_t* page_of;
  PageOwner* owner;
  std::uint32_t* free_page;
  std::int64_t *hold, *deadline, *event;
  std::uint32_t* dirty;
  Window* slab_window;
  std::int64_t* slab_deadline;
  std::uint32_t *slab_pages, *slab_running;
  std::uint32_t* windows_of_key;
  std::uint32_t* freed_bits;
  std::uint32_t link_offset;
  std::uint32_t *first_of, *free_cell, *erased;
  Counters* counters;

  [[nodiscard]] WINDROW_HOST_DEVICE std::byte* record(std::uint32_t cell) const noexcept {
    std::uint32_t const page = cell / page_records, of = chunk_of(page);
    std::size_t const at = std::size_t{page - chunk_begin(of)} * page_records + cell % page_records;
    return chunk[of] + at * record_bytes;
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t& page_entry(std::uint32_t slab,
                                                              std::uint32_t key) const noexcept {
    return page_of[std::size_t{slab} * key_pages + key / page_records];
  }
  // The cell of a key in a slab, whose page is there.
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t cell_of(std::uint32_t slab,
                                                          std::uint32_t key) const noexcept {
    return (page_entry(slab, key) - 1U) * page_records + key % page_records;
  }
  // Its record, where there is one.
  [[nodiscard]] WINDROW_HOST_DEVICE std::byte* find(std::uint32_t slab,
                                                    std::uint32_t key) const noexcept {
    if (page_entry(slab, key) == 0) {
      return nullptr;
    }
    std::byte* const found = record(cell_of(slab, key));
    return (RecordShape::head(found).flags & flag_exists) != 0 ? found : nullptr;
  }
  [[nodiscard]] WINDROW_HOST_DEVICE SessionLink& link(std::uint32_t cell) const noexcept {
    return *reinterpret_cast<SessionLink*>(record(cell) + link_offset);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE Window window_of(std::uint32_t cell) const noexcept {
    return link_offset != 0 ? link(cell).window : slab_window[owner[cell / page_records].slab];
  }
  WINDROW_HOST_DEVICE void may_be_freed(std::uint32_t key) const noexcept {
    atomic_or(freed_bits[key / 32], 1U << (key % 32));
  }
  // A record of the key has come to be.
  WINDROW_HOST_DEVICE void count_window(std::uint32_t key) const noexcept {
    atomic_count(counters->cells_made);
    if (atomic_add(windows_of_key[key], 1U) == 0) {
      atomic_count(counters->keys_made);
    }
  }
  WINDROW_HOST_DEVICE void forget_window(std::uint32_t key) const noexcept {
    atomic_count(counters->cells_gone);
    if (atomic_add(windows_of_key[key], none) == 1) {
      atomic_count(counters->keys_gone);
    }
    may_be_freed(key);
  }
};

// Counters of the batch that begins.
struct BeginBatch {
  Counters* counters;
  WINDROW_HOST_DEVICE void operator()(std::size_t) const {
    Counters const before = *counters;
    *counters = {};
    counters->free_pages = before.free_pages;
    counters->free_cells = before.free_cells;
    counters->event = before.event;
    counters->cells_made = before.cells_made;
    counters->cells_gone = before.cells_gone;
    counters->keys_made = before.keys_made;
    counters->keys_gone = before.keys_gone;
    counters->slices_made = before.slices_made;
    counters->slices_gone = before.slices_gone;
    counters->running_made = before.running_made;
    counters->running_gone = before.running_gone;
    counters->hold = before.hold;
  }
};

// Makes a record what no row has reached.
WINDROW_HOST_DEVICE inline void reset_record(StateView const& state, StepView const* step,
                                             std::uint32_t cell) noexcept {
  std::byte* const record = state.record(cell);
  auto* const words = reinterpret_cast<std::uint64_t*>(record);
  for (std::uint32_t w = 0; w < state.record_bytes / 8; ++w) {
    words[w] = 0;
  }
  start_cell(step->cells, record);
  RecordShape::head(record).flags = 0;
}
struct ResetRecords {
  StateView state;
  StepView const* step;
  std::uint32_t first_cell;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    reset_record(state, step, first_cell + static_cast<std::uint32_t>(i));
  }
};

// Puts new pages on the stack of free ones.
struct AddFreePages {
  StateView state;
  std::uint32_t first_page;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const page = first_page + static_cast<std::uint32_t>(i);
    state.owner[page] = {none, 0};
    state.free_page[atomic_count(state.counters->free_pages)] = page;
  }
};

// Of sessions: their records are free one by one.
struct AddSessionPages {
  StateView state;
  std::uint32_t first_page;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const page = first_page + static_cast<std::uint32_t>(i);
    state.owner[page] = {0, 0};
    state.hold[page] = state.deadline[page] = state.event[page] = never;
    std::uint32_t const at = atomic_add(state.counters->free_cells, page_records);
    for (std::uint32_t r = 0; r < page_records; ++r) {
      state.free_cell[at + r] = page * page_records + r;
    }
  }
};

// Takes a page off its slab.
WINDROW_HOST_DEVICE inline void free_page(StateView const& state, std::uint32_t page) {
  PageOwner const owner = state.owner[page];
  state.page_of[std::size_t{owner.slab} * state.key_pages + owner.key_page] = 0;
  atomic_add(state.slab_pages[owner.slab], none);
  state.owner[page] = {none, 0};
  state.free_page[atomic_count(state.counters->free_pages)] = page;
}

// Before the pages say anew what time their records wait for.  i = slab, or behind the last one
struct ForgetTimes {
  StateView state;
  std::uint32_t slabs;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    if (i < slabs) {
      state.slab_deadline[i] = never;
    } else {
      state.counters->hold = never;
      state.counters->event = never;
    }
  }
};

// Of every page, what its records hold the watermark at and when they are asked for time's sake;
// pages that no kernel has changed know it already.
struct RefreshPage {
  StateView state;
  StepView const* step;
  Watermark w;
  std::int64_t p_us;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    auto const page = static_cast<std::uint32_t>(i);
    std::uint32_t const slab = state.owner[page].slab;
    if (slab == none) {
      return;
    }
    if (state.dirty[page] != 0 || state.deadline[page] < p_us || state.event[page] <= w.us) {
      refresh(page);
    }
    if (state.hold[page] != never) {
      atomic_min(state.counters->hold, state.hold[page]);
    }
    if (state.deadline[page] != never) {
      atomic_min(state.slab_deadline[slab], state.deadline[page]);
    }
    if (state.event[page] != never) {
      atomic_min(state.counters->event, state.event[page]);
    }
  }

 private:
  WINDROW_HOST_DEVICE void refresh(std::uint32_t page) const {
    std::int64_t hold = never, deadline = never, event = never;
    for (std::uint32_t r = 0; r < page_records; ++r) {
      std::uint32_t const cell = page * page_records + r;
      std::byte* const record = state.record(cell);
      if ((RecordShape::head(record).flags & flag_exists) == 0) {
        continue;
      }
      Window const window = state.window_of(cell);
      std::int64_t const h = hold_of(step->cells, record, window);
      std::int64_t const d = deadline_of(step->cells, record, p_us);
      hold = h < hold ? h : hold;
      deadline = d < deadline ? d : deadline;
      if (state.link_offset != 0) {
        std::int64_t const e =
            w < window.end ? window.end.us : expiry(window.end, step->cells.lateness).us;
        event = e < event ? e : event;
      }
    }
    state.hold[page] = hold;
    state.deadline[page] = deadline;
    state.event[page] = event;
    state.dirty[page] = 0;
  }
};

// Names the keys of one word of `freed_bits` that have no record.
struct NameFreedKeys {
  StateView state;
  std::uint32_t* freed;
  WINDROW_HOST_DEVICE void operator()(std::size_t word) const {
    std::uint32_t bits = state.freed_bits[word];
    state.freed_bits[word] = 0;
    for (std::uint32_t bit = 0; bits != 0; ++bit, bits >>= 1U) {
      auto const key = static_cast<std::uint32_t>(word) * 32U + bit;
      if ((bits & 1U) != 0 && state.windows_of_key[key] == 0) {
        freed[atomic_count(state.counters->freed)] = key;
      }
    }
  }
};

}  // namespace windrow::gpu
