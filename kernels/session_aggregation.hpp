// Sessions on a device: a chain of cells per key, found from the key; rows are sorted and cut into
// proto-sessions, which meet the chain of their key in one thread.
#pragma once
#include <algorithm>
#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/device_aggregation.hpp"
#include "kernels/session_fire.hpp"
#include "kernels/session_merge.hpp"

namespace windrow::gpu {

template <class Device>
class SessionAggregation final : public DeviceAggregation<Device> {
  using Base = DeviceAggregation<Device>;

 public:
  SessionAggregation(AggregationSpec const& spec, std::unique_ptr<Device> device,
                     DeviceOptions const& options)
      : Base(spec, std::move(device), options, 0),
        since_(this->device_),
        since_sorted_(this->device_),
        by_time_(this->device_),
        order_in_(this->device_),
        order_(this->device_),
        key_in_(this->device_),
        key_(this->device_),
        flag_(this->device_),
        key_sum_(this->device_),
        key_begin_(this->device_),
        proto_(this->device_),
        due_(this->device_),
        due_in_(this->device_) {}

  [[nodiscard]] Wakeup next_wakeup() const override {
    Wakeup wakeup;
    if (counters_[0].event != never) {
      wakeup.event_time.us = counters_[0].event;
    }
    if (deadline_ != never) {  // strict (R52)
      wakeup.processing_time.us = deadline_ + 1;
    }
    return wakeup;
  }

 private:
  using Base::counters_;
  using Base::device_;
  using Base::drops_;
  using Base::due_cell_;
  using Base::ended_;
  using Base::options_;
  using Base::rows_;
  using Base::runs_;
  using Base::state_;
  using Base::step_;
  using Base::times_;
  using Base::touched_;

  void fold_rows(BatchTimes const& times) override {
    std::size_t const n = rows_.size();
    make_room(n);
    RowsView const rows = rows_.copy_in(0, n);
    SortedRows const sorted = sort_rows(rows, times);
    StateView const state = state_.view();
    StepView const* const step = step_.device();
    device_.for_each(n, FlagKeys{sorted, flag_.data()});
    device_.exclusive_scan(flag_.data(), key_sum_.data(), n);
    device_.for_each(n, PlaceBegins{key_sum_.data(), key_begin_.data()});
    device_.for_each(n, FlagProtos{sorted, step, flag_.data()});
    device_.exclusive_scan(flag_.data(), order_in_.data(), n);
    device_.for_each(n, NumberProtos{sorted, order_in_.data(), proto_.data()});
    Runs const protos =
        runs_.reduce(&step->cells.shape, proto_.data(), order_.data(), rows, 0, n, 1, none);
    device_.fill(flag_.data(), 0, n * sizeof(std::uint32_t));
    device_.for_each(key_sum_.data() + n, n,
                     MergeSessions{state, step, times, sorted, protos, key_begin_.data(),
                                   key_sum_.data(), touched_.data(), flag_.data()});
    device_.for_each(n,
                     DropBuried{state, step, sorted, proto_.data(), flag_.data(), drops_.data()});
  }

  void make_room(std::size_t n) {
    this->reserve_rows(1, 1);
    rows_.reserve(n, 0);
    runs_.reserve(n, step_.host().cells.shape);
    since_.reserve(n);
    since_sorted_.reserve(n);
    for (auto* const array : {&by_time_, &order_, &key_in_, &key_, &flag_, &key_begin_, &proto_}) {
      array->reserve(n);
    }
    order_in_.reserve(n + 1);
    key_sum_.reserve(n + 1);
    // Every group of rows takes one cell at the most.
    while (counters_[0].free_cells < n) {
      counters_[0].free_cells += state_.grow_pages(step_.device()) * page_records;
    }
    reserve_cells();
  }
  // Room for all cells to be due, and to end.
  void reserve_cells() {
    std::size_t const cells = std::size_t{state_.pages()} * page_records;
    due_.reserve(cells);
    due_in_.reserve(cells);
    since_.reserve(cells);
    since_sorted_.reserve(cells);
    if (this->spec_.report_ended) {
      ended_.reserve(cells);
    }
  }

  // By key, then time, then arrival; rows that are late last.
  [[nodiscard]] SortedRows sort_rows(RowsView const& rows, BatchTimes const& times) {
    std::size_t const n = rows.rows;
    auto const [earliest, latest] = std::minmax_element(rows_.time().begin(), rows_.time().end());
    std::uint64_t const span =
        static_cast<std::uint64_t>(latest->us) - static_cast<std::uint64_t>(earliest->us);
    device_.for_each(n, JudgeSessionRow{state_.view(), step_.device(), rows, times, *earliest,
                                        drops_.data(), since_.data(), order_in_.data()});
    device_.sort_pairs(since_.data(), since_sorted_.data(), order_in_.data(), by_time_.data(), n,
                       static_cast<unsigned>(std::bit_width(span)));
    std::uint32_t const no_key = state_.keys();
    device_.for_each(
        n, TakeKeys{step_.device(), rows, times.w, by_time_.data(), no_key, key_in_.data()});
    device_.sort_pairs(key_in_.data(), key_.data(), by_time_.data(), order_.data(), n,
                       static_cast<unsigned>(std::bit_width(no_key)));
    return {rows, key_.data(), order_.data(), no_key, static_cast<std::uint32_t>(n)};
  }

  std::size_t find_due() override {
    StateView const state = state_.view();
    std::size_t const cells = std::size_t{state_.pages()} * page_records;
    next_due_ = 0;
    ends_.clear();
    device_.for_each(1, SetDue{state.counters, 0});
    device_.for_each(cells, FindDueSessions{state, step_.device(), times_, due_in_.data()});
    this->read_counters();
    std::size_t const n = counters_[0].due;
    if (n == 0) {
      return 0;
    }
    device_.for_each(n, TakeEnds{state, due_in_.data(), since_.data()});
    device_.sort_pairs(since_.data(), since_sorted_.data(), due_in_.data(), due_.data(), n, 64);
    ends_.resize(n);
    device_.copy_out(ends_.data(), since_sorted_.data(), n * sizeof(std::uint64_t));
    device_.synchronise();
    return n;
  }
  [[nodiscard]] bool has_due() const override { return next_due_ < ends_.size(); }

  void fire_due(bool all, AggregationOutput& out) override {
    std::size_t end = ends_.size();
    if (!all) {
      end = std::min(end, next_due_ + std::max<std::size_t>(1, options_.cells_per_part));
      while (end < ends_.size() && ends_[end] == ends_[end - 1]) {
        ++end;
      }
    }
    while (next_due_ < end) {
      std::size_t const n = std::min(options_.panes, end - next_due_);
      device_.for_each(1, SetDue{state_.view().counters, static_cast<std::uint32_t>(n)});
      this->template put_out<FireDue>(due_.data() + next_due_, times_, out);
      next_due_ += n;
    }
  }

  void sweep(AggregationOutput& out) override {
    StateView const state = state_.view();
    device_.for_each(1, SetDue{state.counters, 0});
    device_.for_each(state_.keys() / 32, SweepSessions{state, step_.device(), ended_.data()});
    device_.for_each(&state.counters->erased, std::size_t{state_.pages()} * page_records,
                     ReturnErased{state, step_.device()});
    this->read_counters();
    this->take_ended(out);
  }

  void refresh_times() override {
    StateView const state = state_.view();
    device_.for_each(2, ForgetTimes{state, 1});
    device_.for_each(state_.pages(), RefreshPage{state, step_.device(), times_.w, times_.p_us});
    device_.copy_out(&deadline_, state.slab_deadline, sizeof deadline_);
    device_.synchronise();
  }

  [[nodiscard]] CellImages copy_cells_out() override {
    StateView const state = state_.view();
    std::size_t const cells = std::size_t{state_.pages()} * page_records;
    std::vector<std::byte> records(cells * state.record_bytes);
    std::size_t const page_bytes = std::size_t{page_records} * state.record_bytes;
    for (std::uint32_t p = 0; p < state_.pages(); ++p) {
      device_.copy_out(records.data() + p * page_bytes, state.record(p * page_records), page_bytes);
    }
    device_.synchronise();
    auto const link = [&](std::size_t cell) -> SessionLink const& {
      return *reinterpret_cast<SessionLink const*>(records.data() + cell * state.record_bytes +
                                                   state.link_offset);
    };
    CellImages out(state.record_bytes);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      std::byte* const record = records.data() + cell * state.record_bytes;
      if ((RecordShape::head(record).flags & flag_exists) == 0) {
        continue;
      }
      std::copy_n(record, state.record_bytes, out.append(link(cell).window));
      std::vector<Window> pending;
      for (std::uint32_t at = link(cell).pending; at != 0; at = link(at - 1U).next) {
        pending.push_back(link(at - 1U).window);
      }
      out.set_pending(std::move(pending));
    }
    return out;
  }
  void place_cells(CellImages& cells) override {
    state_.restore_sessions(cells, step_.host(), step_.device());
    reserve_cells();
  }

  DeviceArray<Device, std::uint64_t> since_, since_sorted_;
  DeviceArray<Device, std::uint32_t> by_time_, order_in_, order_, key_in_, key_, flag_, key_sum_,
      key_begin_, proto_, due_, due_in_;
  std::vector<std::uint64_t> ends_;  // of the sessions that are due, ascending
  std::size_t next_due_ = 0;
  std::int64_t deadline_ = never;
};

}  // namespace windrow::gpu
