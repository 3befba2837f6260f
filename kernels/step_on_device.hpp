// What a step is, put into device memory once.
#pragma once
#include <algorithm>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "kernels/fold_row.hpp"
#include "kernels/primitives/device_array.hpp"
#include "kernels/step_view.hpp"

namespace windrow::gpu {

// Can all accumulators be lifted by atomics?
[[nodiscard]] inline bool is_order_free(AggregationSpec const& spec) {
  return std::all_of(spec.combines.begin(), spec.combines.end(), [&](CombineFn const& fn) {
    return is_order_free(accumulator_kind_unboxed(fn), spec.relaxed);
  });
}

template <class Device>
class StepOnDevice {
 public:
  StepOnDevice(Device& device, AggregationSpec const& spec)
      : slots_(spec.combines.size()), device_slots_(device), device_step_(device) {
    host_.cells = {spec.trigger,
                   shape_of(spec.trigger, spec.timestamp_combiner, spec.withdrawals, spec.combines,
                            slots_, true),
                   spec.lateness,
                   spec.timestamp_combiner,
                   spec.on_time,
                   spec.closing,
                   spec.discarding};
    host_.windows = spec.windows;
    host_.atomic = is_order_free(spec);
    TriggerOp const root = spec.trigger.node[spec.trigger.nodes - 1U].op;
    holds_ = spec.timestamp_combiner != TimestampCombiner::end_of_window ||
             (root != TriggerOp::default_ && root != TriggerOp::after_end_of_window);
    host_.tracks_times = holds_ || spec.trigger.deadlines > 0;
    host_.report_ended = spec.report_ended;
    host_.tombstones = spec.tombstones;
    host_.shares_slices = shares_slices(spec);
    device_slots_.reserve(slots_.size());
    device_step_.reserve(1);
    device.copy_in(device_slots_.data(), slots_.data(), slots_.size() * sizeof(AccumulatorSlot));
    StepView copy = host_;
    copy.cells.shape.slots = device_slots_.data();
    device.copy_in(device_step_.data(), &copy, sizeof copy);
    device.synchronise();
  }
  // With slots on the host.
  [[nodiscard]] StepView const& host() const { return host_; }
  [[nodiscard]] StepView const* device() const { return device_step_.data(); }
  // May an element hold restrain W_out?  One of END_OF_WINDOW under a root that fires at e never
  // does (R40, R47).
  [[nodiscard]] bool tracks_holds() const { return holds_; }

 private:
  std::vector<AccumulatorSlot> slots_;
  StepView host_;
  bool holds_ = false;
  DeviceArray<Device, AccumulatorSlot> device_slots_;
  DeviceArray<Device, StepView> device_step_;
};

}  // namespace windrow::gpu
