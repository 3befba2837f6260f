// Steps whose windows all keys share: a slab per window, or slice of windows, of pages of
// neighbouring keys.
#pragma once
#include <algorithm>
#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/device_aggregation.hpp"
#include "kernels/fold_block.hpp"
#include "kernels/judge.hpp"
#include "kernels/slices.hpp"
#include "kernels/window_directory.hpp"

namespace windrow::gpu {

// Windows that one row falls into, at the most.
[[nodiscard]] constexpr std::size_t windows_per_row(WindowFn const& fn) noexcept {
  return fn.kind == WindowKind::sliding
             ? static_cast<std::size_t>((fn.size_us + fn.period_us - 1) / fn.period_us)
             : 1;
}

// Cells that one row falls into, at the most: where windows share slices, one for all that run and
// one for each that has ended and may still take late rows.
[[nodiscard]] inline std::size_t cells_per_row(AggregationSpec const& spec) {
  std::size_t const windows = windows_per_row(spec.windows);
  if (!shares_slices(spec)) {
    return windows;
  }
  std::int64_t const late = floor_div(spec.lateness.us, spec.windows.period_us) + 1;
  return std::min(windows, static_cast<std::size_t>(late)) + 1;
}

template <class Device>
class SlabAggregation final : public DeviceAggregation<Device> {
  using Base = DeviceAggregation<Device>;

 public:
  SlabAggregation(AggregationSpec const& spec, std::unique_ptr<Device> device,
                  DeviceOptions const& options)
      : Base(spec, std::move(device), options,
             is_order_free(spec) ? 0 : std::max(options.pairs, cells_per_row(spec))),
        pairs_per_row_(cells_per_row(spec)),
        pairs_per_run_(std::max(options.pairs, pairs_per_row_)),
        windows_(spec.windows, spec.lateness, shares_slices(spec)),
        new_page_(this->device_),
        new_slice_(this->device_),
        page_window_(this->device_),
        slice_(this->device_),
        ending_(this->device_),
        due_slab_(this->device_),
        due_page_(this->device_) {}

  [[nodiscard]] Wakeup next_wakeup() const override {
    Wakeup wakeup;
    if (std::int64_t const event = windows_.next_event(this->times_.w); event != never) {
      wakeup.event_time.us = event;
    }
    for (auto const& [end, slab] : windows_.by_end()) {
      std::int64_t const at = slab < deadline_of_slab_.size() ? deadline_of_slab_[slab] : never;
      if (at != never) {  // strict (R52)
        wakeup.processing_time.us = std::min(wakeup.processing_time.us, at + 1);
      }
    }
    return wakeup;
  }

 private:
  using Base::counters_;
  using Base::device_;
  using Base::drops_;
  using Base::due_cell_;
  using Base::options_;
  using Base::rows_;
  using Base::runs_;
  using Base::state_;
  using Base::step_;
  using Base::times_;
  using Base::touched_;

  // A batch that does not fit goes over in pieces.
  void fold_rows(BatchTimes const& times) override {
    std::size_t const n = rows_.size();
    KeyedBatchView view{};
    view.event_time = rows_.time();
    view.key = rows_.key();
    view.window = rows_.window();
    std::vector<WindowRef> const& refs = windows_.open_for(view, times.w);
    std::size_t piece = n;
    RowsView rows{};
    while (true) {
      try {
        rows = make_room(refs, piece, times);
        break;
      } catch (DeviceOutOfMemory const&) {
        if (piece <= rows_min) {
          take_back_windows();
          throw;
        }
        piece = std::max(rows_min, piece / 2);
      }
    }
    OpenRefs const on_device = copy_refs(refs);
    for (std::size_t begin = 0; begin < n; begin += piece) {
      if (piece < n) {
        rows = rows_.copy_in(begin, std::min(piece, n - begin));
      }
      judge(rows, on_device, times);
    }
    if (step_.host().shares_slices) {
      StateView const state = state_.view();
      auto const slices = static_cast<std::uint32_t>(slices_.size());
      device_.for_each(
          &state.counters->new_slices, n,
          CountRunning{state, step_.device(), times.w, slice_.data(), slices, new_slice_.data()});
      device_.for_each(&state.counters->new_slices, n, ForgetNewSlices{state, new_slice_.data()});
    }
    this->halved_ += piece < n ? 1 : 0;
  }
  [[nodiscard]] OpenRefs copy_refs(std::vector<WindowRef> const& refs) {
    WindowRef const* const on_device = rows_.copy_refs(refs);
    auto const windows = static_cast<std::uint32_t>(windows_.slice_refs());
    return {on_device, on_device + windows, windows,
            static_cast<std::uint32_t>(refs.size()) - windows};
  }

  // Takes all memory that the batch needs, in pieces of so many rows; the last piece is on the
  // device then.
  RowsView make_room(std::vector<WindowRef> const& refs, std::size_t piece,
                     BatchTimes const& times) {
    std::size_t const n = rows_.size();
    // Runs of dropped pairs of one row: late ones come first; closed ones, which only some triggers
    // leave, may alternate with others.
    this->reserve_rows(pairs_per_row_, 1 + pairs_per_row_ / 2);
    new_slice_.reserve(step_.host().shares_slices ? n : 0);
    state_.grow_slabs(windows_.slabs());
    rows_.reserve(piece, refs.size());
    std::size_t const pages_max =
        std::min(piece * pairs_per_row_, refs.size() * state_.view().key_pages);
    new_page_.reserve(pages_max);
    OpenRefs const on_device = copy_refs(refs);
    device_.for_each(refs.size(), OpenSlabs{state_.view(), on_device.window});
    RowsView rows{};
    for (std::size_t begin = 0; begin < n; begin += piece) {
      rows = rows_.copy_in(begin, std::min(piece, n - begin));
      device_.for_each(rows.rows, FindNewPages{state_.view(), step_.device(), rows, times.w,
                                               on_device, new_page_.data()});
      make_pages(static_cast<std::uint32_t>(pages_max));
    }
    make_room_for_time(times);
    return rows;
  }
  // Room for the windows that end in this batch, whose slices are known, and for all cells to be
  // due.
  void make_room_for_time(BatchTimes const& times) override {
    ending_windows_.clear();
    if (step_.host().shares_slices) {
      slices_ = windows_.slices();
      slice_.reserve(slices_.size());
      device_.copy_in(slice_.data(), slices_.data(), slices_.size() * sizeof(SliceRef));
      ending_windows_ = windows_.ending(slices_, times.w, this->next_w_);
    }
    if (!ending_windows_.empty()) {
      make_room_for_ending();
    }
    due_slab_.reserve(windows_.slabs() + ending_windows_.size());
    due_page_.reserve(state_.pages());
  }
  void make_room_for_ending() {
    std::size_t const windows = ending_windows_.size();
    ending_.reserve(windows);
    state_.grow_slabs(windows_.slabs() + windows);
    device_.copy_in(ending_.data(), ending_windows_.data(), windows * sizeof(EndingWindow));
    StateView const state = state_.view();
    device_.for_each(windows * state.key_pages,
                     FindEndingPages{state, slice_.data(), ending_.data(), nullptr, nullptr});
    this->read_counters();
    device_.for_each(1, ForgetNewPages{state});
    ending_pages_ = counters_[0].new_pages;
    new_page_.reserve(ending_pages_);
    page_window_.reserve(ending_pages_);
    while (counters_[0].free_pages < ending_pages_) {
      counters_[0].free_pages += state_.grow_pages(step_.device());
    }
  }

  // Gives the pages that were found to be new a free page each; at most `most`.
  void make_pages(std::uint32_t most) {
    std::uint32_t needed = most;
    if (counters_[0].free_pages < most) {
      this->read_counters();
      needed = counters_[0].new_pages;
    }
    try {
      while (counters_[0].free_pages < needed) {
        counters_[0].free_pages += state_.grow_pages(step_.device());
      }
    } catch (DeviceOutOfMemory const&) {
      device_.for_each(needed, UnmarkPages{state_.view(), new_page_.data()});
      device_.for_each(1, ForgetNewPages{state_.view()});
      throw;
    }
    StateView const state = state_.view();
    device_.for_each(&state.counters->new_pages, most, MakePages{state, new_page_.data()});
    device_.for_each(1, TakeNewPagesOff{state});
    counters_[0].free_pages -= needed;
  }

  void take_back_windows() {
    for (std::uint32_t const slab : windows_.opened()) {
      if (slab < state_.slabs()) {  // else there was no room for it
        device_.for_each(state_.view().key_pages, FreeUnused{state_.view(), slab});
      }
    }
    windows_.take_back();
    this->read_counters();
  }

  void judge(RowsView const& rows, OpenRefs const& refs, BatchTimes const& times) {
    StateView const state = state_.view();
    auto const per_row = static_cast<std::uint32_t>(pairs_per_row_);
    bool const atomic = step_.host().atomic;
    std::uint32_t const no_cell = state_.pages() * page_records;
    RowJudge const row_judge{state,           step_.device(),    rows,         times, refs,
                             touched_.data(), new_slice_.data(), drops_.data()};
    if (std::uint32_t const entries = table_entries(refs.windows + refs.slices); entries > 0) {
      std::size_t const per_block = std::max(rows_per_block_min, rows.rows / blocks_max + 1);
      device_.for_each_block(static_cast<unsigned>((rows.rows + per_block - 1) / per_block),
                             BlockTable::bytes(entries, step_.host().cells.shape),
                             FoldBlock{row_judge, entries, static_cast<std::uint32_t>(per_block)});
      return;
    }
    std::size_t const rows_per_run = atomic ? rows.rows : pairs_per_run_ / per_row;
    for (std::size_t begin = 0; begin < rows.rows; begin += rows_per_run) {
      std::size_t const n = std::min(rows_per_run, rows.rows - begin);
      auto const first = static_cast<std::uint32_t>(begin);
      device_.for_each(
          n, Judge{row_judge, atomic ? nullptr : runs_.pair_cell(), per_row, no_cell, first});
      if (!atomic) {
        runs_.fold(state, &step_.device()->cells.shape, rows, first, n, per_row, no_cell);
      }
    }
  }

  // Plan B, by what is known of the state: of how many entries its tables are, 0 where so many
  // cells are touched that few rows of a block meet in one.
  [[nodiscard]] std::uint32_t table_entries(std::size_t windows) const {
    RecordShape const& shape = step_.host().cells.shape;
    if (!step_.host().atomic || shape.stores_hold) {
      return 0;
    }
    std::size_t const entries = std::bit_floor(
        std::min(device_.shared_bytes(), options_.block_memory) / BlockTable::bytes(1, shape));
    std::size_t const cells = this->keys() * windows;
    return cells > 4 * entries ? 0 : static_cast<std::uint32_t>(entries);
  }

  std::size_t find_due() override {
    next_due_ = 0;
    if (step_.host().shares_slices) {
      combine_ending();
      drop_slices();
    }
    if (this->tracks_deadlines()) {
      deadline_of_slab_.resize(windows_.slabs(), never);
    }
    due_ = windows_.due(times_, deadline_of_slab_);
    if (due_.empty()) {
      return 0;
    }
    pages_of_slab_.resize(windows_.slabs());
    device_.copy_out(pages_of_slab_.data(), state_.view().slab_pages,
                     pages_of_slab_.size() * sizeof(std::uint32_t));
    device_.synchronise();
    return pages_of(0, due_.size()) * page_records;
  }
  // Windows that end now have cells of their own from here on.
  void combine_ending() {
    if (ending_windows_.empty()) {
      return;
    }
    for (EndingWindow& ending : ending_windows_) {
      ending.slab = windows_.open(ending.window);
    }
    std::size_t const windows = ending_windows_.size();
    device_.copy_in(ending_.data(), ending_windows_.data(), windows * sizeof(EndingWindow));
    StateView const state = state_.view();
    device_.for_each(windows, OpenEnding{state, ending_.data()});
    device_.for_each(windows * state.key_pages,
                     FindEndingPages{state, slice_.data(), ending_.data(), new_page_.data(),
                                     page_window_.data()});
    device_.for_each(ending_pages_, MakePages{state, new_page_.data()});
    device_.for_each(std::size_t{ending_pages_} * page_records,
                     CombineSlices{state, step_.device(), slice_.data(), ending_.data(),
                                   new_page_.data(), page_window_.data()});
    device_.for_each(1, TakeNewPagesOff{state});
  }
  void drop_slices() {
    std::vector<DueSlab> const ended = windows_.take_ended_slices(times_.w);
    if (ended.empty()) {
      return;
    }
    StateView const state = state_.view();
    device_.copy_in(due_slab_.data(), ended.data(), ended.size() * sizeof(DueSlab));
    device_.for_each(1, SetDue{state.counters, 0});
    device_.for_each(ended.size() * state.key_pages,
                     ListPages{state, due_slab_.data(), due_page_.data()});
    this->read_counters();
    std::size_t const pages = counters_[0].due;
    device_.for_each(pages * page_records, ForgetSlices{state, due_page_.data()});
    device_.for_each(pages * page_records, ResetExpired{state, step_.device(), due_page_.data()});
    device_.for_each(pages, FreeExpired{state, due_page_.data()});
  }
  [[nodiscard]] bool has_due() const override { return next_due_ < due_.size(); }

  [[nodiscard]] std::size_t pages_of(std::size_t begin, std::size_t end) const {
    std::size_t pages = 0;
    for (std::size_t i = begin; i < end; ++i) {
      pages += pages_of_slab_[due_[i].slab];
    }
    return pages;
  }
  // The due slabs of the next part: whole windows, those of one end together.
  [[nodiscard]] std::size_t end_of_part() const {
    std::size_t end = next_due_, cells = 0;
    while (end < due_.size() && cells < options_.cells_per_part) {
      cells += pages_of_slab_[due_[end].slab] * page_records;
      ++end;
    }
    while (end < due_.size() &&
           windows_.window(due_[end].slab).end == windows_.window(due_[end - 1].slab).end) {
      ++end;
    }
    return end;
  }

  void fire_due(bool all, AggregationOutput& out) override {
    std::size_t const begin = next_due_, end = all ? due_.size() : end_of_part();
    std::size_t const pages = pages_of(begin, end);
    next_due_ = end;
    if (pages > 0) {
      fire_pages(begin, end, pages, out);
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (due_[i].expires != 0) {
        windows_.close(due_[i].slab);
        if (this->tracks_deadlines()) {
          deadline_of_slab_[due_[i].slab] = never;
        }
      }
    }
  }

  void fire_pages(std::size_t begin, std::size_t end, std::size_t pages, AggregationOutput& out) {
    StateView const state = state_.view();
    device_.copy_in(due_slab_.data(), due_.data() + begin, (end - begin) * sizeof(DueSlab));
    device_.for_each(1, SetDue{state.counters, 0});
    device_.for_each((end - begin) * state.key_pages,
                     ListPages{state, due_slab_.data(), due_page_.data()});
    std::size_t const pages_per_run = options_.panes / page_records;
    for (std::size_t page = 0; page < pages; page += pages_per_run) {
      std::size_t const n = std::min(pages_per_run, pages - page) * page_records;
      device_.for_each(1, SetDue{state.counters, 0});
      device_.for_each(
          n, FindDue{state, step_.device(), times_, due_page_.data() + page, due_cell_.data()});
      this->template put_out<FireDue>(due_cell_.data(), times_, out);
    }
    device_.for_each(pages * page_records, ResetExpired{state, step_.device(), due_page_.data()});
    device_.for_each(pages, FreeExpired{state, due_page_.data()});
  }

  void sweep(AggregationOutput&) override {}
  void refresh_times() override {
    StateView const state = state_.view();
    std::uint32_t const slabs = windows_.slabs();
    if (step_.host().tracks_times) {
      device_.for_each(slabs + 1U, ForgetTimes{state, slabs});
      device_.for_each(state_.pages(), RefreshPage{state, step_.device(), times_.w, times_.p_us});
    }
    if (this->tracks_deadlines()) {
      deadline_of_slab_.resize(slabs);
      device_.copy_out(deadline_of_slab_.data(), state.slab_deadline, slabs * sizeof(std::int64_t));
    }
  }

  [[nodiscard]] CellImages copy_cells_out() override {
    StateView const state = state_.view();
    std::uint32_t const pages = state_.pages();
    std::vector<PageOwner> owner(pages);
    device_.copy_out(owner.data(), state.owner, pages * sizeof(PageOwner));
    device_.synchronise();
    CellImages cells(state.record_bytes);
    std::vector<bool> is_slice(windows_.slabs());
    for (SliceRef const& ref : windows_.slices()) {
      is_slice[ref.slab] = true;
    }
    std::vector<std::byte> page(std::size_t{page_records} * state.record_bytes);
    for (std::uint32_t p = 0; p < pages; ++p) {
      if (owner[p].slab != none) {
        device_.copy_out(page.data(), state.record(p * page_records), page.size());
        device_.synchronise();
        cells.append_page(page, windows_.window(owner[p].slab), is_slice[owner[p].slab]);
      }
    }
    return cells;
  }
  void place_cells(CellImages& cells) override {
    std::vector<std::uint32_t> slab_of_cell;
    std::vector<std::pair<KeyId, std::int64_t>> slices;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells.is_slice(i)) {
        slices.emplace_back(cells.head(i).key,
                            slice_of(step_.host().windows, cells.window(i).start));
      }
      slab_of_cell.push_back(cells.is_slice(i) ? windows_.open_slice(slices.back().second)
                                               : windows_.open(cells.window(i)));
    }
    state_.grow_slabs(windows_.slabs());
    state_.restore(cells, slab_of_cell, running_of(std::move(slices)), step_.host(),
                   step_.device());
  }
  // Pairs of a key and a running window, of pairs of a key and a slice.
  [[nodiscard]] std::uint64_t running_of(std::vector<std::pair<KeyId, std::int64_t>> slices) const {
    std::sort(slices.begin(), slices.end());
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      IndexRange running = running_windows(step_.host().windows, slices[i].second, times_.w);
      if (i > 0 && slices[i - 1].first == slices[i].first) {
        running.first = std::max(
            running.first, windows_of_slice(step_.host().windows, slices[i - 1].second).last + 1);
      }
      count += static_cast<std::uint64_t>(running.count());
    }
    return count;
  }

  static constexpr std::size_t rows_min = 1024;
  // Of plan B: enough rows for their cells to meet, enough blocks for the largest GPU.
  static constexpr std::size_t rows_per_block_min = 8192, blocks_max = 512;

  std::size_t const pairs_per_row_, pairs_per_run_;
  WindowDirectory windows_;
  std::vector<std::int64_t> deadline_of_slab_;  // as of the last batch; empty: no deadlines
  std::vector<std::uint32_t> pages_of_slab_;    // of the batch whose output is taken
  std::vector<DueSlab> due_;
  std::size_t next_due_ = 0;
  std::vector<SliceRef> slices_;  // of this batch, as these are
  std::vector<EndingWindow> ending_windows_;
  std::uint32_t ending_pages_ = 0;
  DeviceArray<Device, std::uint32_t> new_page_, new_slice_, page_window_;
  DeviceArray<Device, SliceRef> slice_;
  DeviceArray<Device, EndingWindow> ending_;
  DeviceArray<Device, DueSlab> due_slab_;
  DeviceArray<Device, DuePage> due_page_;
};

}  // namespace windrow::gpu
