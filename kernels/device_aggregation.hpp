// One step on a device: rows wait until their batch ends, go over in one piece, find their cells
// and are folded; then cells are asked, and panes come back.  Everything per row and per cell is a
// kernel; the host knows windows and clocks.
#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "host/model/portable.hpp"
#include "kernels/backend.hpp"
#include "kernels/batch_rows.hpp"
#include "kernels/cell_snapshot.hpp"
#include "kernels/cell_state.hpp"
#include "kernels/fold_runs.hpp"
#include "kernels/judge.hpp"
#include "kernels/panes_buffer.hpp"
#include "kernels/step_on_device.hpp"
#include "kernels/window_directory.hpp"

namespace windrow::gpu {

template <class Device>
class DeviceAggregation final : public Aggregation {
 public:
  DeviceAggregation(AggregationSpec const& spec, std::unique_ptr<Device> device,
                    DeviceOptions const& options)
      : spec_(spec),
        options_(options),
        device_owner_(std::move(device)),
        device_(*device_owner_),
        step_(device_, spec_),
        windows_(spec_.windows, spec_.lateness),
        state_(device_, step_.host().cells.shape.bytes),
        rows_(device_, spec_),
        panes_(device_, spec_, options_.panes),
        runs_(device_, step_.host().cells.shape, pairs_per_run()),
        touched_(device_),
        new_page_(device_),
        due_cell_(device_),
        row_count_(device_),
        place_(device_),
        freed_(device_),
        firing_(device_),
        drops_(device_),
        ended_(device_),
        due_slab_(device_),
        due_page_(device_),
        counters_(device_) {
    due_cell_.reserve(options_.panes);
    row_count_.reserve(options_.panes);
    place_.reserve(options_.panes + 1);
    firing_.reserve(options_.panes);
    ended_.reserve(options_.panes);
    counters_.resize(1);
    counters_[0] = {};
  }

  void push(KeyedBatchView const& rows) override {
    WINDROW_ASSERT(!has_output_, "the output of a batch is taken before the next");
    rows_.append(rows);
    stats_.rows += rows.key.size();
  }

  void advance(Watermark w, ProcessingTime now) override {
    WINDROW_ASSERT(!has_output_, "the output of a batch is taken before the next");
    fold_rows();
    phase_a_ = times_;
    phase_a_.w_before = times_.w;
    phase_a_.p_before_us = times_.p_us;
    phase_a_.p_us = std::max(times_.p_us, now.us);
    times_ = phase_a_;
    times_.w = std::max(times_.w, w);
    times_.phase_b = true;
    has_output_ = true;
    is_first_part_ = true;
    next_due_ = 0;
    if (tracks_deadlines()) {
      deadline_of_slab_.resize(windows_.slabs(), never);
    }
    due_ = windows_.due(times_, deadline_of_slab_);
  }

  bool take_output(AggregationOutput& out) override {
    WINDROW_ASSERT(has_output_, "an output is taken once per advance");
    out.reset(spec_.combines);
    if (std::exchange(is_first_part_, false)) {
      run_phase_a(out);
      std::size_t cells = 0;
      for (DueSlab const& due : due_) {
        cells += pages_of_slab_[due.slab] * page_records;
      }
      if (cells > options_.cells_per_part) {
        return true;
      }
      run_phase_b(due_.size(), out);
    } else {
      run_phase_b(end_of_part(), out);
    }
    has_output_ = next_due_ < due_.size();
    if (!has_output_) {
      end_batch(out);
    }
    return has_output_;
  }

  [[nodiscard]] Watermark watermark() const override { return times_.w; }
  [[nodiscard]] Watermark output_watermark() const override { return times_.w_out; }

  [[nodiscard]] Wakeup next_wakeup() const override {
    Wakeup wakeup;
    if (std::int64_t const event = windows_.next_event(times_.w); event != never) {
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

  void snapshot(SnapshotWriter& out) const override {
    WINDROW_ASSERT(rows_.size() == 0 && !has_output_, "a cut lies between batches");
    AggregationClocks{times_.w, times_.w_out, times_.p_us, stats_.rows, stats()}.write(out);
    CellImages cells = const_cast<DeviceAggregation*>(this)->copy_cells_out();
    write_cells(step_.host(), cells, out);
  }

  void restore(SnapshotReader& in) override {
    AggregationClocks clocks;
    CellImages cells(step_.host().cells.shape.bytes);
    read_cells(in, step_.host(), clocks, cells);
    times_.w = clocks.w;
    times_.w_out = clocks.w_out;
    times_.p_us = clocks.p_us;
    stats_ = clocks.totals;
    std::vector<std::uint32_t> slab_of_cell;
    KeyId last_key = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      last_key = std::max(last_key, cells.head(i).key);
      slab_of_cell.push_back(windows_.open(cells.window(i)));
    }
    state_.grow_keys(last_key + 1);
    state_.grow_slabs(windows_.slabs());
    state_.restore(cells, slab_of_cell, step_.host(), step_.device());
    refresh_times();
    read_counters();
  }

  [[nodiscard]] AggregationStats stats() const override {
    AggregationStats out = stats_;
    out.cells = out.windows_with_state = static_cast<std::uint64_t>(counters_[0].cells);
    out.keys = static_cast<std::uint64_t>(counters_[0].keys);
    out.device_bytes = device_.bytes();
    return out;
  }

 private:
  [[nodiscard]] bool tracks_deadlines() const { return spec_.trigger.deadlines > 0; }
  [[nodiscard]] std::size_t windows_per_row() const {
    WindowFn const& fn = spec_.windows;
    return fn.kind == WindowKind::sliding
               ? static_cast<std::size_t>((fn.size_us + fn.period_us - 1) / fn.period_us)
               : 1;
  }
  // Runs of dropped pairs that one row may have: late ones come first; closed ones, which only some
  // triggers leave, may alternate with others.
  [[nodiscard]] std::size_t drops_per_row() const { return 1 + windows_per_row() / 2; }

  [[nodiscard]] std::size_t pairs_per_run() const {
    return step_.host().atomic ? 0 : std::max(options_.pairs, windows_per_row());
  }

  // The rows of the batch under the clocks before it.  Memory is asked for first: without it
  // DeviceOutOfMemory, and nothing has changed.
  void fold_rows() {
    device_.for_each(1, BeginBatch{state_.view().counters});
    std::size_t const n = rows_.size();
    if (n == 0) {
      return;
    }
    KeyedBatchView view{};
    view.event_time = rows_.time();
    view.key = rows_.key();
    view.window = rows_.window();
    std::vector<WindowRef> const& refs = windows_.open_for(view, times_.w);
    std::size_t piece = n;
    RowsView rows{};
    while (true) {
      try {
        rows = make_room(refs, piece);
        break;
      } catch (DeviceOutOfMemory const&) {
        if (piece <= rows_min) {
          take_back_windows();
          throw;
        }
        piece = std::max(rows_min, piece / 2);
      }
    }
    WindowRef const* const on_device = rows_.copy_refs(refs);
    for (std::size_t begin = 0; begin < n; begin += piece) {
      if (piece < n) {
        rows = rows_.copy_in(begin, std::min(piece, n - begin));
      }
      judge(rows, on_device, refs.size());
    }
    rows_.clear();
  }

  // Takes all memory that the batch needs, in pieces of so many rows; the last piece is on the
  // device then.
  RowsView make_room(std::vector<WindowRef> const& refs, std::size_t piece) {
    std::size_t const n = rows_.size();
    KeyId const last_key = *std::max_element(rows_.key().begin(), rows_.key().end());
    state_.grow_keys(last_key + 1);
    state_.grow_slabs(windows_.slabs());
    freed_.reserve(state_.keys());
    rows_.reserve(piece, refs.size());
    touched_.reserve(n * windows_per_row());
    drops_.reserve(n * drops_per_row());
    std::size_t const pages_max =
        std::min(piece * windows_per_row(), refs.size() * state_.view().key_pages);
    new_page_.reserve(pages_max);
    WindowRef const* const on_device = rows_.copy_refs(refs);
    device_.for_each(refs.size(), OpenSlabs{state_.view(), on_device});
    RowsView rows{};
    for (std::size_t begin = 0; begin < n; begin += piece) {
      rows = rows_.copy_in(begin, std::min(piece, n - begin));
      device_.for_each(rows.rows,
                       FindNewPages{state_.view(), step_.device(), rows, times_.w, on_device,
                                    static_cast<std::uint32_t>(refs.size()), new_page_.data()});
      make_pages(static_cast<std::uint32_t>(pages_max));
    }
    return rows;
  }

  // Gives the pages that were found to be new a free page each; at most `most`.
  void make_pages(std::uint32_t most) {
    std::uint32_t needed = most;
    if (counters_[0].free_pages < most) {
      read_counters();
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
      device_.for_each(state_.view().key_pages, FreeUnused{state_.view(), slab});
    }
    windows_.take_back();
    read_counters();
  }

  void judge(RowsView const& rows, WindowRef const* refs, std::size_t ref_count) {
    StateView const state = state_.view();
    auto const per_row = static_cast<std::uint32_t>(windows_per_row());
    bool const atomic = step_.host().atomic;
    std::uint32_t const no_cell = state_.pages() * page_records;
    std::size_t const rows_per_run = atomic ? rows.rows : pairs_per_run() / per_row;
    for (std::size_t begin = 0; begin < rows.rows; begin += rows_per_run) {
      std::size_t const n = std::min(rows_per_run, rows.rows - begin);
      auto const first = static_cast<std::uint32_t>(begin);
      device_.for_each(
          n, Judge{state, step_.device(), rows, times_, refs, static_cast<std::uint32_t>(ref_count),
                   touched_.data(), drops_.data(), atomic ? nullptr : runs_.pair_cell(), per_row,
                   no_cell, first});
      if (!atomic) {
        runs_.fold(state, &step_.device()->cells.shape, rows, first, n, per_row, no_cell);
      }
    }
  }

  void read_counters() {
    device_.copy_out(counters_.data(), state_.view().counters, sizeof(Counters));
    device_.synchronise();
  }

  void run_phase_a(AggregationOutput& out) {
    read_counters();
    std::size_t const touched = counters_[0].touched, drops = counters_[0].drops;
    for (std::size_t begin = 0; begin < touched; begin += options_.panes) {
      std::size_t const n = std::min(options_.panes, touched - begin);
      Decisions const decisions{touched_.data() + begin, firing_.data(), row_count_.data()};
      device_.fill(row_count_.data(), 0, options_.panes * sizeof(std::uint32_t));
      device_.for_each(n, Settle{state_.view(), step_.device(), phase_a_, decisions});
      put_out(decisions, n, phase_a_, out);
    }
    take_drops(drops, out);
    if (!due_.empty()) {
      pages_of_slab_.resize(windows_.slabs());
      device_.copy_out(pages_of_slab_.data(), state_.view().slab_pages,
                       pages_of_slab_.size() * sizeof(std::uint32_t));
      device_.synchronise();
    }
  }

  // Panes of n decisions, or as many as the device knows to be due.
  void put_out(Decisions const& decisions, std::size_t n, BatchTimes const& times,
               AggregationOutput& out) {
    device_.exclusive_scan(row_count_.data(), place_.data(), options_.panes);
    std::uint32_t rows = 0;
    device_.copy_out(&rows, place_.data() + options_.panes, sizeof rows);
    read_counters();
    n = std::min<std::size_t>(n, times.phase_b ? counters_[0].due : n);
    device_.for_each(n, WritePanes{state_.view(), step_.device(), decisions, place_.data(),
                                   times.phase_b ? 1U : 0U, panes_.view()});
    if (times.phase_b) {
      device_.for_each(
          n, ForgetExpired{state_.view(), step_.device(), times.w, decisions.cell, ended_.data()});
      device_.copy_out(counters_.data(), state_.view().counters, sizeof(Counters));
    }
    panes_.copy_out(rows);
    device_.synchronise();
    panes_.append_to(out.panes, stats_);
    if (counters_[0].ended > 0) {
      std::vector<Ended> ended(counters_[0].ended);
      device_.copy_out(ended.data(), ended_.data(), ended.size() * sizeof(Ended));
      device_.synchronise();
      for (Ended const& row : ended) {
        out.ended.push_back({row.key, row.window});
      }
    }
  }

  void take_drops(std::size_t n, AggregationOutput& out) {
    if (n == 0) {
      return;
    }
    std::vector<Drop> drops(n);
    device_.copy_out(drops.data(), drops_.data(), n * sizeof(Drop));
    device_.synchronise();
    for (Drop const& drop : drops) {
      out.dropped.push_back({drop.row, drop.closed != 0 ? DropReason::closed : DropReason::late,
                             drop.window, drop.windows});
    }
    std::sort(out.dropped.begin(), out.dropped.end(), [](DroppedRun const& a, DroppedRun const& b) {
      return std::tie(a.row, a.window) < std::tie(b.row, b.window);
    });
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

  void run_phase_b(std::size_t end, AggregationOutput& out) {
    std::vector<DueSlab> const part(due_.begin() + static_cast<std::ptrdiff_t>(next_due_),
                                    due_.begin() + static_cast<std::ptrdiff_t>(end));
    next_due_ = end;
    std::size_t pages = 0;
    for (DueSlab const& due : part) {
      pages += pages_of_slab_[due.slab];
    }
    if (pages > 0) {
      StateView const state = state_.view();
      due_slab_.reserve(part.size());
      due_page_.reserve(pages);
      device_.copy_in(due_slab_.data(), part.data(), part.size() * sizeof(DueSlab));
      device_.for_each(1, BeginRun{state.counters});
      device_.for_each(part.size() * state.key_pages,
                       ListPages{state, due_slab_.data(), due_page_.data()});
      std::size_t const pages_per_run = options_.panes / page_records;
      for (std::size_t begin = 0; begin < pages; begin += pages_per_run) {
        std::size_t const n = std::min(pages_per_run, pages - begin) * page_records;
        Decisions const decisions{due_cell_.data(), firing_.data(), row_count_.data()};
        device_.for_each(1, BeginRun{state.counters});
        device_.fill(row_count_.data(), 0, options_.panes * sizeof(std::uint32_t));
        device_.for_each(
            n, FindDue{state, step_.device(), times_, due_page_.data() + begin, due_cell_.data()});
        device_.for_each(&state.counters->due, n,
                         FireDue{state, step_.device(), times_, decisions});
        put_out(decisions, n, times_, out);
      }
      device_.for_each(pages * page_records, ResetExpired{state, step_.device(), due_page_.data()});
      device_.for_each(pages, FreeExpired{state, due_page_.data()});
    }
    for (DueSlab const& due : part) {
      if (due.expires != 0) {
        windows_.close(due.slab);
      }
    }
  }

  // What time the cells wait for, after all that changed them.
  void refresh_times() {
    StateView const state = state_.view();
    std::uint32_t const slabs = windows_.slabs();
    if (step_.host().tracks_times) {
      device_.for_each(slabs + 1U, ForgetTimes{state, slabs});
      device_.for_each(state_.pages(), RefreshPage{state, step_.device(), times_.p_us});
    }
    if (tracks_deadlines()) {
      deadline_of_slab_.resize(slabs);
      device_.copy_out(deadline_of_slab_.data(), state.slab_deadline, slabs * sizeof(std::int64_t));
    }
  }

  // All panes have fired: what holds W_out now, and which keys have lost their last state.
  void end_batch(AggregationOutput& out) {
    refresh_times();
    freed_.reserve(state_.keys());
    device_.for_each(state_.keys() / 32, NameFreedKeys{state_.view(), freed_.data()});
    read_counters();
    Counters const& counters = counters_[0];
    std::size_t const before = out.freed.size();
    out.freed.resize(before + counters.freed);
    device_.copy_out(out.freed.data() + before, freed_.data(), counters.freed * sizeof(KeyId));
    device_.synchronise();
    std::sort(out.freed.begin() + static_cast<std::ptrdiff_t>(before), out.freed.end());
    stats_.late += counters.late;
    stats_.assigned += counters.assigned;
    stats_.aggregated += counters.aggregated;
    stats_.dropped_late += counters.dropped_late;
    stats_.dropped_closed += counters.dropped_closed;
    stats_.no_window += counters.no_window;
    stats_.evaluations += counters.evaluations;
    Watermark held = times_.w;
    if (step_.tracks_holds()) {
      held.us = std::min(held.us, counters.hold);
    }
    times_.w_out = std::max(times_.w_out, held);
    times_.phase_b = false;
  }

  [[nodiscard]] CellImages copy_cells_out() {
    StateView const state = state_.view();
    std::uint32_t const pages = state_.pages();
    std::vector<PageOwner> owner(pages);
    device_.copy_out(owner.data(), state.owner, pages * sizeof(PageOwner));
    device_.synchronise();
    CellImages cells(state.record_bytes);
    std::vector<std::byte> page(std::size_t{page_records} * state.record_bytes);
    for (std::uint32_t p = 0; p < pages; ++p) {
      if (owner[p].slab != none) {
        device_.copy_out(page.data(), state.record(p * page_records), page.size());
        device_.synchronise();
        cells.append_page(page, windows_.window(owner[p].slab));
      }
    }
    return cells;
  }

  static constexpr std::size_t rows_min = 1024;  // a batch that does not fit goes over in pieces

  AggregationSpec const spec_;
  DeviceOptions const options_;
  std::unique_ptr<Device> const device_owner_;
  Device& device_;
  StepOnDevice<Device> step_;
  WindowDirectory windows_;
  CellState<Device> state_;
  BatchRows<Device> rows_;
  PanesBuffer<Device> panes_;
  FoldRuns<Device> runs_;

  BatchTimes times_{T_MIN, T_MIN, T_MIN, 0, 0, false}, phase_a_{};
  AggregationStats stats_;
  std::vector<std::int64_t> deadline_of_slab_;  // as of the last batch; empty: no deadlines
  std::vector<std::uint32_t> pages_of_slab_;    // of the batch whose output is taken
  std::vector<DueSlab> due_;
  std::size_t next_due_ = 0;
  bool has_output_ = false, is_first_part_ = false;

  DeviceArray<Device, std::uint32_t> touched_, new_page_, due_cell_, row_count_, place_, freed_;
  DeviceArray<Device, CellFiring> firing_;
  DeviceArray<Device, Drop> drops_;
  DeviceArray<Device, Ended> ended_;
  DeviceArray<Device, DueSlab> due_slab_;
  DeviceArray<Device, DuePage> due_page_;
  HostArray<Device, Counters> counters_;
};

}  // namespace windrow::gpu
