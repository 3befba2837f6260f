// Owns the lasting state of a step in device memory and makes it grow between batches.
#pragma once
#include <algorithm>
#include <bit>
#include <memory>
#include <numeric>
#include <tuple>
#include <vector>

#include "kernels/cell_snapshot.hpp"
#include "kernels/primitives/device_array.hpp"
#include "kernels/rows_view.hpp"
#include "kernels/state_view.hpp"

namespace windrow::gpu {

// Moves the table of pages to wider rows.
struct WidenRows {
  std::uint32_t const* from;
  std::uint32_t* to;
  std::uint32_t from_pages, to_pages;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    to[i / from_pages * to_pages + i % from_pages] = from[i];
  }
};

// Slabs that are new, or were there already.
struct OpenSlabs {
  StateView state;
  WindowRef const* refs;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    state.slab_window[refs[i].slab] = refs[i].window;
    state.slab_running[refs[i].slab] = refs[i].running;
  }
};

template <class Device>
class CellState {
 public:
  //   sessions  a link behind every record
  CellState(Device& device, std::uint32_t record_bytes, bool sessions)
      : device_(device),
        page_of_(device),
        owner_(device),
        free_page_(device),
        hold_(device),
        deadline_(device),
        event_(device),
        dirty_(device),
        slab_window_(device),
        slab_deadline_(device),
        slab_pages_(device),
        slab_running_(device),
        windows_of_key_(device),
        freed_bits_(device),
        first_of_(device),
        free_cell_(device),
        erased_(device),
        counters_(device) {
    view_.link_offset = sessions ? record_bytes : 0;
    view_.record_bytes =
        record_bytes + (sessions ? static_cast<std::uint32_t>(sizeof(SessionLink)) : 0U);
    counters_.reserve(1);
    counters_.clear();
    grow_keys(page_records);
    grow_slabs(8);
  }
  CellState(CellState const&) = delete;
  CellState& operator=(CellState const&) = delete;
  ~CellState() {
    for (std::uint32_t c = 0; c < chunks_; ++c) {
      device_.release(view_.chunk[c], chunk_bytes(c));
    }
  }

  // Holds until the next growth.
  [[nodiscard]] StateView const& view() {
    view_.page_of = page_of_.data();
    view_.owner = owner_.data();
    view_.free_page = free_page_.data();
    view_.hold = hold_.data();
    view_.deadline = deadline_.data();
    view_.event = event_.data();
    view_.dirty = dirty_.data();
    view_.slab_window = slab_window_.data();
    view_.slab_deadline = slab_deadline_.data();
    view_.slab_pages = slab_pages_.data();
    view_.slab_running = slab_running_.data();
    view_.windows_of_key = windows_of_key_.data();
    view_.freed_bits = freed_bits_.data();
    view_.first_of = first_of_.data();
    view_.free_cell = free_cell_.data();
    view_.erased = erased_.data();
    view_.counters = counters_.data();
    return view_;
  }
  [[nodiscard]] std::uint32_t pages() const { return chunk_begin(chunks_); }
  [[nodiscard]] std::size_t slabs() const { return slab_capacity_; }
  [[nodiscard]] std::uint32_t keys() const { return view_.key_pages * page_records; }

  // Room for key ids below n.
  void grow_keys(std::uint32_t n) {
    if (n <= keys()) {
      return;
    }
    std::uint32_t const from = view_.key_pages;
    std::uint32_t const to = std::bit_ceil((n + page_records - 1U) / page_records);
    std::size_t const keys = std::size_t{to} * page_records,
                      kept = std::size_t{from} * page_records;
    DeviceArray<Device, std::uint32_t> wider(device_);
    wider.reserve(slab_capacity_ * to);
    wider.clear();
    grow_zeroed(windows_of_key_, keys, kept);
    grow_zeroed(freed_bits_, keys / 32, kept / 32);
    if (view_.link_offset != 0) {
      grow_zeroed(first_of_, keys, kept);
    }
    device_.for_each(slab_capacity_ * from, WidenRows{page_of_.data(), wider.data(), from, to});
    device_.synchronise();
    page_of_.swap(wider);
    view_.key_pages = to;
  }
  // Room for slab numbers below n.
  void grow_slabs(std::size_t n) {
    if (n <= slab_capacity_) {
      return;
    }
    std::size_t const to = std::bit_ceil(n);
    slab_window_.grow(to, slab_capacity_);
    slab_deadline_.grow(to, slab_capacity_);
    grow_zeroed(slab_pages_, to, slab_capacity_);
    grow_zeroed(slab_running_, to, slab_capacity_);
    grow_zeroed(page_of_, to * view_.key_pages, slab_capacity_ * view_.key_pages);
    slab_capacity_ = to;
  }
  // Another chunk of free pages (of sessions: of free cells); returns how many pages.
  std::uint32_t grow_pages(StepView const* step) {
    std::uint32_t const first = pages(), more = first_chunk_pages << chunks_;
    owner_.grow(first + more, first);
    free_page_.grow(first + more, first);
    hold_.grow(first + more, first);
    deadline_.grow(first + more, first);
    event_.grow(first + more, first);
    grow_zeroed(dirty_, first + more, first);
    if (view_.link_offset != 0) {
      free_cell_.grow(std::size_t{first + more} * page_records, std::size_t{first} * page_records);
      erased_.grow(std::size_t{first + more} * page_records, std::size_t{first} * page_records);
    }
    if (chunks_ == chunks_max) {
      throw DeviceOutOfMemory();
    }
    view_.chunk[chunks_] = static_cast<std::byte*>(device_.allocate(chunk_bytes(chunks_)));
    ++chunks_;
    device_.for_each(std::size_t{more} * page_records,
                     ResetRecords{view(), step, first * page_records});
    if (view_.link_offset == 0) {
      device_.for_each(more, AddFreePages{view(), first});
    } else {
      device_.for_each(more, AddSessionPages{view(), first});
    }
    return more;
  }

  // Into a state without records: cell i of `cells` in slab_of_cell[i].
  //   running  pairs of a key and a running window
  void restore(CellImages& cells, std::vector<std::uint32_t> const& slab_of_cell,
               std::uint64_t running, StepView const& host_step, StepView const* step) {
    std::vector<std::uint32_t> page_of(slab_capacity_ * view_.key_pages), of_key(keys()),
        of_slab(slab_capacity_), free;
    std::vector<PageOwner> owner;
    std::vector<Window> window(slab_capacity_);
    Counters counters{};
    counters.hold = never;
    counters.running_made = running;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      counters.slices_made += cells.is_slice(i) ? 1 : 0;
      std::uint32_t const key = cells.head(i).key, slab = slab_of_cell[i];
      std::uint32_t& entry = page_of[std::size_t{slab} * view_.key_pages + key / page_records];
      if (entry == 0) {
        owner.push_back({slab, key / page_records});
        entry = static_cast<std::uint32_t>(owner.size());
        ++of_slab[slab];
      }
      window[slab] = cells.window(i);
      counters.keys_made += of_key[key]++ == 0 ? 1 : 0;
      ++counters.cells_made;
    }
    while (pages() < owner.size()) {
      grow_pages(step);
    }
    std::size_t const page_bytes = std::size_t{page_records} * view_.record_bytes;
    std::vector<std::byte> page(owner.size() * page_bytes);
    for (std::size_t at = 0; at < page.size(); at += view_.record_bytes) {
      start_cell(host_step.cells, page.data() + at);
      RecordShape::head(page.data() + at).flags = 0;
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::uint32_t const key = cells.head(i).key;
      std::uint32_t const entry =
          page_of[std::size_t{slab_of_cell[i]} * view_.key_pages + key / page_records];
      std::copy_n(cells.record(i), view_.record_bytes,
                  page.data() + (entry - 1U) * page_bytes +
                      std::size_t{key % page_records} * view_.record_bytes);
    }
    for (std::size_t p = 0; p < owner.size(); ++p) {
      auto const first_cell = static_cast<std::uint32_t>(p * page_records);
      device_.copy_in(view().record(first_cell), page.data() + p * page_bytes, page_bytes);
    }
    for (auto p = static_cast<std::uint32_t>(owner.size()); p < pages(); ++p) {
      owner.push_back({none, 0});
      free.push_back(p);
    }
    counters.free_pages = static_cast<std::uint32_t>(free.size());
    copy_in(page_of_, page_of);
    copy_in(owner_, owner);
    copy_in(free_page_, free);
    copy_in(slab_window_, window);
    copy_in(slab_pages_, of_slab);
    copy_in(windows_of_key_, of_key);
    device_.copy_in(counters_.data(), &counters, sizeof counters);
    device_.fill(dirty_.data(), 1, dirty_.capacity() * sizeof(std::uint32_t));
    device_.synchronise();
  }

  // The same for sessions.
  void restore_sessions(CellImages& cells, StepView const& host_step, StepView const* step) {
    std::vector<std::size_t> order(cells.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Chains ascend and are built from their ends.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(cells.head(a).key, cells.window(a)) >
             std::tuple(cells.head(b).key, cells.window(b));
    });
    std::vector<std::uint32_t> first_of(keys()), of_key(keys()), free;
    std::vector<std::byte> records;
    std::uint32_t used = 0;
    auto const append = [&](std::byte const* record, SessionLink const& link) {
      records.resize(records.size() + view_.record_bytes);
      std::byte* const at = records.data() + records.size() - view_.record_bytes;
      if (record != nullptr) {
        std::copy_n(record, view_.link_offset, at);
      } else {
        start_cell(host_step.cells, at);
        RecordShape::head(at).flags = 0;
      }
      *reinterpret_cast<SessionLink*>(at + view_.link_offset) = link;
      return ++used;
    };
    Counters counters{};
    for (std::size_t const i : order) {
      std::uint32_t const key = cells.head(i).key;
      std::uint32_t pending = 0;
      for (auto owed = cells.pending(i).rbegin(); owed != cells.pending(i).rend(); ++owed) {
        pending = append(nullptr, {*owed, pending, 0});
        RecordShape::head(records.data() + (pending - 1U) * view_.record_bytes).key = key;
      }
      first_of[key] = append(cells.record(i), {cells.window(i), first_of[key], pending});
      counters.keys_made += of_key[key]++ == 0 ? 1 : 0;
      ++counters.cells_made;
    }
    while (pages() * page_records < used) {
      grow_pages(step);
    }
    for (std::uint32_t cell = 0; cell < used; ++cell) {
      device_.copy_in(view().record(cell), records.data() + cell * view_.record_bytes,
                      view_.record_bytes);
    }
    for (std::uint32_t cell = used; cell < pages() * page_records; ++cell) {
      free.push_back(cell);
    }
    counters.free_cells = static_cast<std::uint32_t>(free.size());
    copy_in(first_of_, first_of);
    copy_in(free_cell_, free);
    copy_in(windows_of_key_, of_key);
    device_.copy_in(counters_.data(), &counters, sizeof counters);
    device_.fill(dirty_.data(), 1, dirty_.capacity() * sizeof(std::uint32_t));
    device_.synchronise();
  }

 private:
  [[nodiscard]] std::size_t chunk_bytes(std::uint32_t chunk) const {
    return (std::size_t{first_chunk_pages} << chunk) * page_records * view_.record_bytes;
  }
  template <class T>
  void copy_in(DeviceArray<Device, T>& to, std::vector<T> const& from) {
    device_.copy_in(to.data(), from.data(), from.size() * sizeof(T));
  }
  template <class T>
  void grow_zeroed(DeviceArray<Device, T>& array, std::size_t n, std::size_t kept) {
    if (n > array.capacity()) {
      array.grow(n, kept);
      array.clear(kept);
    }
  }

  Device& device_;
  StateView view_{};
  std::uint32_t chunks_ = 0;
  std::size_t slab_capacity_ = 0;
  DeviceArray<Device, std::uint32_t> page_of_;
  DeviceArray<Device, PageOwner> owner_;
  DeviceArray<Device, std::uint32_t> free_page_;
  DeviceArray<Device, std::int64_t> hold_, deadline_, event_;
  DeviceArray<Device, std::uint32_t> dirty_;
  DeviceArray<Device, Window> slab_window_;
  DeviceArray<Device, std::int64_t> slab_deadline_;
  DeviceArray<Device, std::uint32_t> slab_pages_, slab_running_, windows_of_key_, freed_bits_,
      first_of_, free_cell_, erased_;
  DeviceArray<Device, Counters> counters_;
};

}  // namespace windrow::gpu
