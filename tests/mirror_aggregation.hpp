// The CPU backend, with a device backend beside it that must do the same: so every semantic test
// runs on both.
//
// Scripts collect values in lists, which a device does not.  So beside the step itself runs one
// whose lists are replaced by aggregates of fixed size, on the CPU and on the device; every pane,
// drop, counter and clock of the two must be equal, and those of the step itself as far as they are
// no values.  At a restart each of the two goes on from what the other wrote.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>

#include "host/cpu/cpu_aggregation.hpp"
#include "host/model/record.hpp"
#include "kernels/backend.hpp"
#include "tests/memory_pieces.hpp"

namespace windrow::testing {

// The step with aggregates that a device has.
//   rounded  also those that plan E folds
inline AggregationSpec on_device(AggregationSpec spec, bool rounded) {
  std::vector<CombineFn> combines;
  for (CombineFn const& fn : spec.combines) {
    bool const fixed = fn.in <= ValueType::number;
    auto const add = [&](CombineKind kind) {
      CombineFn out{kind, fn.in, fn.column};
      if (!spec.withdrawals || subtracts(accumulator_kind(out))) {
        combines.push_back(out);
      }
    };
    add(CombineKind::count);
    if (!fixed || fn.kind == CombineKind::count) {
      continue;
    }
    for (CombineKind const kind :
         {CombineKind::min, CombineKind::max, CombineKind::any, CombineKind::all}) {
      add(kind);
    }
    if (fn.in == ValueType::integer) {
      add(CombineKind::sum);
    }
    if (!spec.withdrawals) {
      CombineFn distinct{CombineKind::approx_distinct, fn.in, fn.column};
      distinct.n = 4;
      combines.push_back(distinct);
    }
    if (fn.in != ValueType::boolean) {
      add(CombineKind::mean);
    }
    if (rounded) {
      if (fn.in != ValueType::boolean) {
        add(CombineKind::variance);
      }
      add(CombineKind::first);
      add(CombineKind::last);
    }
  }
  spec.combines = combines;
  spec.relaxed = !rounded;
  return spec;
}

class MirrorAggregation final : public Aggregation {
 public:
  //   make_device  builds the step on the backend that is tested
  template <class MakeDevice>
  MirrorAggregation(AggregationSpec const& spec, bool rounded, Workers& workers,
                    std::size_t cells_per_part, MakeDevice&& make_device)
      : spec_(on_device(spec, rounded)),
        step_(make_cpu_aggregation(spec, workers, cells_per_part)),
        cpu_(make_cpu_aggregation(spec_, workers)),
        device_(make_device(spec_)) {}

  void push(KeyedBatchView const& rows) override {
    step_->push(rows);
    cpu_->push(rows);
    device_->push(rows);
  }
  void advance(Watermark w, ProcessingTime now) override {
    step_->advance(w, now);
    cpu_->advance(w, now);
    device_->advance(w, now);
    compare_outputs();
  }
  bool take_output(AggregationOutput& out) override {
    bool const more = step_->take_output(out);
    if (!more) {
      AggregationStats const a = cpu_->stats(), b = step_->stats();
      EXPECT_EQ(a.panes_early + a.panes_on_time + a.panes_late,
                b.panes_early + b.panes_on_time + b.panes_late);
      EXPECT_EQ(a.evaluations, b.evaluations);
    }
    return more;
  }
  [[nodiscard]] Watermark watermark() const override { return step_->watermark(); }
  [[nodiscard]] Watermark output_watermark() const override { return step_->output_watermark(); }
  [[nodiscard]] Wakeup next_wakeup() const override { return step_->next_wakeup(); }
  void snapshot(SnapshotWriter& out) const override {
    step_->snapshot(out);
    MemoryPieces cpu, device;
    cpu_->snapshot(cpu);
    device_->snapshot(device);
    copy(device, "for cpu ", out);
    copy(cpu, "for device ", out);
  }
  void restore(SnapshotReader& in) override {
    MemoryPieces step, cpu, device;
    std::string_view name, bytes;
    std::uint32_t shard = 0;
    while (in.next(name, shard, bytes)) {
      MemoryPieces& to = name.starts_with("for cpu ")      ? cpu
                         : name.starts_with("for device ") ? device
                                                           : step;
      name.remove_prefix(&to == &cpu ? 8 : &to == &device ? 11 : 0);
      to.piece(name, shard, bytes);
    }
    step_->restore(step);
    cpu_->restore(cpu);
    device_->restore(device);
    compare_state();
  }
  [[nodiscard]] AggregationStats stats() const override { return step_->stats(); }
  [[nodiscard]] AggregationBackend backend() const override { return device_->backend(); }

 private:
  static void copy(MemoryPieces& from, std::string const& prefix, SnapshotWriter& to) {
    std::string_view name, bytes;
    std::uint32_t shard = 0;
    while (from.next(name, shard, bytes)) {
      to.piece(prefix + std::string(name), shard, bytes);
    }
  }

  static AggregationOutput all_of(Aggregation& step) {
    AggregationOutput out, part;
    bool more = step.take_output(out);
    while (more) {
      more = step.take_output(part);
      out.append(part);
    }
    return out;
  }
  // The order in which both are compared: none of it is promised.
  static std::vector<std::size_t> order_of(PaneBatch const& panes) {
    std::vector<std::size_t> order(panes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    auto const firing = [&](std::size_t i) {
      return panes.firing.empty() ? panes.window[i] : panes.firing[i];
    };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(panes.phase[a], panes.key[a], firing(a)) <
             std::tuple(panes.phase[b], panes.key[b], firing(b));
    });
    return order;
  }

  void compare_outputs() {
    AggregationOutput cpu = all_of(*cpu_), device = all_of(*device_);
    std::vector<std::size_t> const a = order_of(cpu.panes), b = order_of(device.panes);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      compare_panes(cpu.panes, a[i], device.panes, b[i]);
    }
    ASSERT_EQ(cpu.dropped.size(), device.dropped.size());
    for (std::size_t i = 0; i < cpu.dropped.size(); ++i) {
      DroppedRun const &x = cpu.dropped[i], &y = device.dropped[i];
      ASSERT_EQ(std::tie(x.row, x.reason, x.window, x.windows),
                std::tie(y.row, y.reason, y.window, y.windows));
    }
    auto const by_key = [](EndedWindow const& x, EndedWindow const& y) {
      return std::tie(x.key, x.window) < std::tie(y.key, y.window);
    };
    std::sort(cpu.ended.begin(), cpu.ended.end(), by_key);
    std::sort(device.ended.begin(), device.ended.end(), by_key);
    ASSERT_EQ(cpu.ended.size(), device.ended.size());
    for (std::size_t i = 0; i < cpu.ended.size(); ++i) {
      ASSERT_EQ(cpu.ended[i].key, device.ended[i].key);
      // A row id is key and start; unsafe triggers may leave two windows of one (R62).
      ASSERT_EQ(cpu.ended[i].window.start, device.ended[i].window.start);
    }
    std::sort(cpu.freed.begin(), cpu.freed.end());
    std::sort(device.freed.begin(), device.freed.end());
    ASSERT_EQ(cpu.freed, device.freed);
    compare_state();
  }

  void compare_panes(PaneBatch const& x, std::size_t a, PaneBatch const& y, std::size_t b) const {
    ASSERT_EQ(x.key[a], y.key[b]);
    ASSERT_EQ(x.window[a], y.window[b]);
    ASSERT_EQ(x.deleted[a], y.deleted[b]);
    ASSERT_EQ(x.timestamp[a], y.timestamp[b]);
    ASSERT_EQ(x.overflow[a], y.overflow[b]);
    ASSERT_TRUE(x.deleted[a] != 0 || x.info[a] == y.info[b]);
    for (std::size_t c = 0; c < x.values.size(); ++c) {
      ColumnView const u = x.values[c].view(), v = y.values[c].view();
      ASSERT_EQ(u.is_valid(a), v.is_valid(b));
      if (!u.is_valid(a)) {
        continue;
      }
      CombineKind const kind = spec_.combines[c].kind;
      if (kind == CombineKind::mean || kind == CombineKind::variance) {
        double const p = u.numbers()[a], q = v.numbers()[b];
        bool const same =
            (std::isnan(p) && std::isnan(q)) || p == q || std::fabs(p - q) <= bound(x, a, c);
        ASSERT_TRUE(same) << p << " and " << q << ", bound " << bound(x, a, c);
      } else {
        std::string p, q;
        encode(u.at(a), p);
        encode(v.at(b), q);
        ASSERT_EQ(p, q) << "column " << c;
      }
    }
  }

  // How far two sums of different order may be apart (semantics.md 16.4), from the other aggregates
  // of the same column.
  [[nodiscard]] double bound(PaneBatch const& panes, std::size_t row, std::size_t c) const {
    constexpr double u = 0x1p-53;
    std::size_t first = c;
    while (spec_.combines[first].kind != CombineKind::count) {
      --first;
    }
    auto const number = [&](std::size_t column) {
      ColumnView const view = panes.values[column].view();
      return view.type == ValueType::number ? view.numbers()[row]
                                            : static_cast<double>(view.integers()[row]);
    };
    double const n = number(first);
    double const most = std::max(std::fabs(number(first + 1)), std::fabs(number(first + 2)));
    if (spec_.combines[c].kind == CombineKind::mean) {
      return 2 * n * u * most;
    }
    double const m2 = number(c) * (n - 1);
    return 2 * 4 * n * u * std::sqrt(m2 * m2 + n * most * most * m2) / (n - 1) +
           4 * n * n * u * u * most * most;
  }

  void compare_state() const {
    ASSERT_EQ(device_->watermark(), cpu_->watermark());
    ASSERT_EQ(device_->output_watermark(), cpu_->output_watermark());
    AggregationStats const a = cpu_->stats(), b = device_->stats();
    auto const all = [](AggregationStats const& of) {
      return std::tuple(of.rows, of.late, of.assigned, of.aggregated, of.dropped_late,
                        of.dropped_closed, of.no_window, of.overflow, of.panes_early,
                        of.panes_on_time, of.panes_late, of.tombstones, of.evaluations, of.cells,
                        of.windows_with_state, of.keys);
    };
    ASSERT_EQ(all(a), all(b));
    Wakeup const x = cpu_->next_wakeup(), y = device_->next_wakeup();
    ASSERT_EQ(x.event_time, y.event_time);
    ASSERT_EQ(x.processing_time.us, y.processing_time.us);
  }

  AggregationSpec const spec_;
  std::unique_ptr<Aggregation> step_, cpu_, device_;
};

}  // namespace windrow::testing
