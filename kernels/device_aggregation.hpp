// One step on a device: rows wait until their batch ends, go over in one piece, find their cells
// and are folded; then cells are asked, and panes come back.  Everything per row and per cell is a
// kernel; the host knows clocks and, of windows that all keys share, which are open.
#pragma once
#include <algorithm>
#include <memory>
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

namespace windrow::gpu {

// What slabs (slab_aggregation.hpp) and sessions (session_aggregation.hpp) have in common.
template <class Device>
class DeviceAggregation : public DeviceStep {
 public:
  void push(KeyedBatchView const& rows) override {
    WINDROW_ASSERT(!has_output_, "the output of a batch is taken before the next");
    rows_.append(rows);
    stats_.rows += rows.key.size();
  }

  // DeviceOutOfMemory: nothing has changed, the rows still wait.
  void advance(Watermark w, ProcessingTime now) override {
    WINDROW_ASSERT(!has_output_, "the output of a batch is taken before the next");
    BatchTimes phase_a = times_;
    phase_a.w_before = times_.w;
    phase_a.p_before_us = times_.p_us;
    phase_a.p_us = std::max(times_.p_us, now.us);
    device_.for_each(1, BeginBatch{state_.view().counters});
    has_rows_ = rows_.size() > 0;
    next_w_ = std::max(times_.w, w);
    if (has_rows_) {
      fold_rows(phase_a);
      rows_.clear();
    } else {
      make_room_for_time(phase_a);
    }
    phase_a_ = phase_a;
    times_ = phase_a;
    times_.w = std::max(times_.w, w);
    times_.phase_b = true;
    has_output_ = true;
    is_first_part_ = true;
  }

  bool take_output(AggregationOutput& out) override {
    WINDROW_ASSERT(has_output_, "an output is taken once per advance");
    out.reset(spec_.combines);
    if (std::exchange(is_first_part_, false)) {
      run_phase_a(out);
      if (find_due() > options_.cells_per_part) {
        return true;
      }
      fire_due(true, out);
    } else {
      fire_due(false, out);
    }
    has_output_ = has_due();
    if (!has_output_) {
      end_batch(out);
    }
    return has_output_;
  }

  [[nodiscard]] Watermark watermark() const override { return times_.w; }
  [[nodiscard]] Watermark output_watermark() const override { return times_.w_out; }

  void snapshot(SnapshotWriter& out) const override {
    WINDROW_ASSERT(rows_.size() == 0 && !has_output_, "a cut lies between batches");
    write_state(out);
  }

  void move_to(Aggregation& other) override {
    stats_.rows -= rows_.size();
    MemoryPieces state;
    write_state(state);
    other.restore(state);
    other.push(rows_.view());
  }

  void restore(SnapshotReader& in) override {
    AggregationClocks clocks;
    CellImages cells(state_.view().record_bytes);
    read_cells(in, step_.host(), clocks, cells);
    times_.w = clocks.w;
    times_.w_out = clocks.w_out;
    times_.p_us = clocks.p_us;
    stats_ = clocks.totals;
    KeyId last_key = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      last_key = std::max(last_key, cells.head(i).key);
    }
    grow_keys(last_key + 1);
    place_cells(cells);
    refresh_times();
    read_counters();
  }

  [[nodiscard]] AggregationStats stats() const override {
    AggregationStats out = stats_;
    Counters const& counters = counters_[0];
    out.cells = counters.cells_made - counters.cells_gone;
    out.windows_with_state = out.cells - (counters.slices_made - counters.slices_gone) +
                             (counters.running_made - counters.running_gone);
    out.keys = keys();
    out.device_bytes = device_.bytes();
    out.bytes_to_device = device_.copied_in();
    out.bytes_from_device = device_.copied_out();
    return out;
  }
  [[nodiscard]] AggregationBackend backend() const override {
    return {device_.name(), "", halved_};
  }

 protected:
  //   pairs  of row and window that plan E sorts at a time
  DeviceAggregation(AggregationSpec const& spec, std::unique_ptr<Device> device,
                    DeviceOptions const& options, std::size_t pairs)
      : spec_(spec),
        options_(options),
        device_owner_(std::move(device)),
        device_(*device_owner_),
        step_(device_, spec_),
        state_(device_, step_.host().cells.shape.bytes, spec_.windows.kind == WindowKind::sessions),
        rows_(device_, spec_),
        panes_(device_, spec_, options_.panes * (spec_.tombstones || spec_.withdrawals ? 2 : 1)),
        runs_(device_, step_.host().cells.shape, pairs),
        touched_(device_),
        due_cell_(device_),
        row_count_(device_),
        place_(device_),
        freed_(device_),
        firing_(device_),
        drops_(device_),
        ended_(device_),
        counters_(device_),
        pane_rows_(device_) {
    due_cell_.reserve(options_.panes);
    row_count_.reserve(options_.panes);
    place_.reserve(options_.panes + 1);
    firing_.reserve(options_.panes);
    ended_.reserve(options_.panes);
    freed_.reserve(state_.keys());
    counters_.resize(1);
    counters_[0] = {};
    counters_[0].event = never;
    pane_rows_.resize(1);
  }

  // Folds the rows that wait under the clocks of phase A: `touched_` and `drops_` are then on the
  // device.  Memory is asked for first: without it DeviceOutOfMemory, and nothing has changed.
  virtual void fold_rows(BatchTimes const& times) = 0;
  // The same where no rows wait; W is next_w_ behind them in either case.
  virtual void make_room_for_time(BatchTimes const&) {}
  // What time reaches in this batch; about how many cells.
  virtual std::size_t find_due() = 0;
  // Fires all of that, or as much as makes a part: whole windows, in order of their ends.
  virtual void fire_due(bool all, AggregationOutput& out) = 0;
  [[nodiscard]] virtual bool has_due() const = 0;
  // What time the cells wait for, after all that changed them.
  virtual void refresh_times() = 0;
  virtual void sweep(AggregationOutput& out) = 0;
  [[nodiscard]] virtual CellImages copy_cells_out() = 0;
  virtual void place_cells(CellImages& cells) = 0;

  [[nodiscard]] bool tracks_deadlines() const { return spec_.trigger.deadlines > 0; }
  void read_counters() {
    device_.copy_out(counters_.data(), state_.view().counters, sizeof(Counters));
    device_.synchronise();
  }

  [[nodiscard]] std::uint64_t keys() const {
    return counters_[0].keys_made - counters_[0].keys_gone;
  }
  void grow_keys(KeyId n) {
    state_.grow_keys(n);
    freed_.reserve(state_.keys());
  }

  // Room for the rows that wait, but for what finds their cells.
  void reserve_rows(std::size_t pairs_per_row, std::size_t drops_per_row) {
    KeyId const last_key = *std::max_element(rows_.key().begin(), rows_.key().end());
    grow_keys(last_key + 1);
    touched_.reserve(rows_.size() * pairs_per_row);
    drops_.reserve(rows_.size() * drops_per_row);
  }

  // Decides on cells that stand at `cells`, as many as `due` says on the device but at most
  // options_.panes, and puts out what they give.
  //   Kernel  Settle or FireDue
  template <class Kernel>
  void put_out(std::uint32_t* cells, BatchTimes const& times, AggregationOutput& out) {
    Decisions const decisions{cells, firing_.data(), row_count_.data()};
    device_.fill(row_count_.data(), 0, options_.panes * sizeof(std::uint32_t));
    device_.for_each(&state_.view().counters->due, options_.panes,
                     Kernel{state_.view(), step_.device(), times, decisions});
    device_.exclusive_scan(row_count_.data(), place_.data(), options_.panes);
    device_.copy_out(pane_rows_.data(), place_.data() + options_.panes, sizeof(std::uint32_t));
    read_counters();
    std::uint32_t const rows = pane_rows_[0];
    std::size_t const decided = std::min<std::size_t>(counters_[0].due, options_.panes);
    panes_.reserve(rows);
    device_.for_each(decided, WritePanes{state_.view(), step_.device(), decisions, place_.data(),
                                         times.phase_b ? 1U : 0U, panes_.view()});
    if (times.phase_b) {
      device_.for_each(decided, ForgetExpired{state_.view(), step_.device(), times.w,
                                              decisions.cell, ended_.data()});
    }
    panes_.copy_out(rows);
    read_counters();
    panes_.append_to(out.panes, stats_);
    take_ended(out);
  }
  void take_ended(AggregationOutput& out) {
    if (counters_[0].ended == 0) {
      return;
    }
    std::vector<Ended> ended(counters_[0].ended);
    device_.copy_out(ended.data(), ended_.data(), ended.size() * sizeof(Ended));
    device_.synchronise();
    for (Ended const& row : ended) {
      out.ended.push_back({row.key, row.window});
    }
    device_.for_each(1, SetDue{state_.view().counters, 0});
  }

  AggregationSpec const spec_;
  DeviceOptions const options_;
  std::unique_ptr<Device> const device_owner_;
  Device& device_;
  StepOnDevice<Device> step_;
  CellState<Device> state_;
  BatchRows<Device> rows_;
  PanesBuffer<Device> panes_;
  FoldRuns<Device> runs_;
  AggregationStats stats_;
  BatchTimes times_{T_MIN, T_MIN, T_MIN, 0, 0, false};
  DeviceArray<Device, std::uint32_t> touched_, due_cell_, row_count_, place_, freed_;
  DeviceArray<Device, CellFiring> firing_;
  DeviceArray<Device, Drop> drops_;
  DeviceArray<Device, Ended> ended_;
  HostArray<Device, Counters> counters_;  // as of the last synchronisation
  HostArray<Device, std::uint32_t> pane_rows_;
  std::uint64_t halved_ = 0;  // batches that went over in pieces
  Watermark next_w_ = T_MIN;  // of phase B

 private:
  void write_state(SnapshotWriter& out) const {
    AggregationClocks{times_.w, times_.w_out, times_.p_us, stats_.rows, stats()}.write(out);
    CellImages cells = const_cast<DeviceAggregation*>(this)->copy_cells_out();
    write_cells(step_.host(), cells, out);
  }

  void run_phase_a(AggregationOutput& out) {
    if (!has_rows_) {
      return;
    }
    std::size_t begin = 0;
    do {
      device_.for_each(1, TakeTouched{state_.view().counters, static_cast<std::uint32_t>(begin)});
      put_out<Settle>(touched_.data() + begin, phase_a_, out);
      begin += options_.panes;
    } while (begin < counters_[0].touched);
    take_drops(counters_[0].drops, out);
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

  // All panes have fired: what holds W_out now, and which keys have lost their last state.
  void end_batch(AggregationOutput& out) {
    sweep(out);
    refresh_times();
    device_.for_each(state_.keys() / 32, NameFreedKeys{state_.view(), freed_.data()});
    read_counters();
    Counters const& counters = counters_[0];
    if (counters.freed > 0) {
      out.freed.resize(counters.freed);
      device_.copy_out(out.freed.data(), freed_.data(), counters.freed * sizeof(KeyId));
      device_.synchronise();
      std::sort(out.freed.begin(), out.freed.end());
    }
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

  BatchTimes phase_a_{};
  bool has_rows_ = false, has_output_ = false, is_first_part_ = false;
};

}  // namespace windrow::gpu
