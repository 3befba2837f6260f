// Windows that share slices (model/slices.hpp): rows lie in cells of their slices, which
// count the windows that run, and a window that ends is made of its slices, in their order.
#pragma once
#include "kernels/fire.hpp"
#include "kernels/fold_row.hpp"
#include "kernels/state_view.hpp"

namespace windrow::gpu {

// A slice with rows, and where its cells are.
struct SliceRef {
  std::int64_t slice;
  std::uint32_t slab;
};

// A window that W reaches in this batch.
//   first, last  its slices, as places in a list of all: [first, last)
struct EndingWindow {
  Window window;
  std::uint32_t slab, first, last;
};

// How many running windows a new cell of a slice gives its key that it had no row in.  Windows of a
// slice are neighbours, so that only the nearest slices of the key say which these are: what two
// new ones have in common counts for the older.
//   slice  [slices] ascending
struct CountRunning {
  StateView state;
  StepView const* step;
  Watermark w;
  SliceRef const* slice;
  std::uint32_t slices;
  std::uint32_t const* new_slice;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const cell = new_slice[i];
    std::uint32_t const key = RecordShape::head(state.record(cell)).key;
    std::uint32_t const here = place_of(state.owner[cell / page_records].slab);
    IndexRange running = running_windows(step->windows, slice[here].slice, w);
    for (std::uint32_t at = here; at-- > 0;) {
      std::int64_t const last = windows_of_slice(step->windows, slice[at].slice).last;
      if (last < running.first) {
        break;
      }
      if (state.find(slice[at].slab, key) != nullptr) {
        running.first = last + 1;
      }
    }
    for (std::uint32_t at = here + 1; at < slices; ++at) {
      std::int64_t const first = windows_of_slice(step->windows, slice[at].slice).first;
      if (first > running.last) {
        break;
      }
      std::byte* const record = state.find(slice[at].slab, key);
      if (record != nullptr && RecordShape::head(record).new_rows == 0) {
        running.last = first - 1;
      }
    }
    atomic_add(state.counters->running_made, static_cast<std::uint64_t>(running.count()));
  }

 private:
  WINDROW_HOST_DEVICE std::uint32_t place_of(std::uint32_t slab) const {
    EventTime const start = state.slab_window[slab].start;
    std::int64_t const wanted = slice_of(step->windows, start);
    std::uint32_t begin = 0, end = slices;
    while (begin < end) {
      std::uint32_t const middle = (begin + end) / 2;
      if (slice[middle].slice < wanted) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  }
};
struct ForgetNewSlices {
  StateView state;
  std::uint32_t const* new_slice;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    RecordShape::head(state.record(new_slice[i])).new_rows = 0;
  }
};

// Pages that ending windows need: first how many, then which.  i = (ending window, key page)
//   new_page, of_window  null: how many; else entries of `page_of`, and for which window
struct FindEndingPages {
  StateView state;
  SliceRef const* slice;
  EndingWindow const* ending;
  std::uint32_t *new_page, *of_window;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    auto const at = static_cast<std::uint32_t>(i / state.key_pages);
    auto const key = static_cast<std::uint32_t>(i % state.key_pages) * page_records;
    EndingWindow const& window = ending[at];
    for (std::uint32_t s = window.first; s < window.last; ++s) {
      if (state.page_entry(slice[s].slab, key) != 0) {
        std::uint32_t const n = atomic_count(state.counters->new_pages);
        if (new_page != nullptr) {
          new_page[n] =
              static_cast<std::uint32_t>(&state.page_entry(window.slab, key) - state.page_of);
          of_window[n] = at;
        }
        return;
      }
    }
  }
};
struct OpenEnding {
  StateView state;
  EndingWindow const* ending;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    state.slab_window[ending[i].slab] = ending[i].window;
    state.slab_running[ending[i].slab] = 0;
  }
};

// Makes the record of a key in an ending window.  i = (new page, record)
struct CombineSlices {
  StateView state;
  StepView const* step;
  SliceRef const* slice;
  EndingWindow const* ending;
  std::uint32_t const *new_page, *of_window;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const entry = new_page[i / page_records];
    std::uint32_t const key =
        entry % state.key_pages * page_records + static_cast<std::uint32_t>(i % page_records);
    EndingWindow const& window = ending[of_window[i / page_records]];
    std::byte* record = nullptr;
    for (std::uint32_t s = window.first; s < window.last; ++s) {
      std::byte* const from = state.find(slice[s].slab, key);
      if (from == nullptr) {
        continue;
      }
      if (record == nullptr) {
        std::uint32_t const cell = state.cell_of(window.slab, key);
        record = state.record(cell);
        start_combined_cell(step->cells, record);
        RecordShape::head(record).flags |= flag_exists;
        RecordShape::head(record).key = key;
        state.count_window(key);
        atomic_count(state.counters->running_gone);
        state.dirty[cell / page_records] = 1;
      }
      merge_contents(step->cells.shape, record, from);
    }
  }
};

// Cells of slices that no window needs any more.  i = (page, record)
struct ForgetSlices {
  StateView state;
  DuePage const* due;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const cell =
        due[i / page_records].page * page_records + static_cast<std::uint32_t>(i % page_records);
    RecordHead const& head = RecordShape::head(state.record(cell));
    if ((head.flags & flag_exists) != 0) {
      atomic_count(state.counters->slices_gone);
      state.forget_window(head.key);
    }
  }
};

}  // namespace windrow::gpu
