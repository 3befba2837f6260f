// Drives a step on its device until that has no memory left, then one on the CPU.
#include "kernels/fallback_aggregation.hpp"

#include <fmt/format.h>

#include <utility>

#include "host/engine/snapshot.hpp"
#include "kernels/primitives/device_error.hpp"

namespace windrow {
namespace {

constexpr int try_again = 75;  // operations.md 1

template <class Call>
auto or_lost(Call&& call) {
  try {
    return call();
  } catch (DeviceLost const& lost) {
    throw EnvironmentError(lost.what(), try_again);
  }
}

class FallbackAggregation final : public Aggregation {
 public:
  explicit FallbackAggregation(Fallback how) : how_(std::move(how)) {
    try {
      device_ = or_lost(how_.make_device);
    } catch (DeviceOutOfMemory const&) {
      start_cpu("the device has no memory for what a step starts with");
    }
  }

  void push(KeyedBatchView const& rows) override {
    try {
      or_lost([&] { step().push(rows); });
    } catch (DeviceOutOfMemory const&) {
      move("there is no memory that a device can read for a batch", rows_ + rows.key.size());
      cpu_->push(rows);
    }
    rows_ += rows.key.size();
  }
  void advance(Watermark w, ProcessingTime now) override {
    try {
      or_lost([&] { step().advance(w, now); });
    } catch (DeviceOutOfMemory const&) {
      move("the device has no memory for a batch", rows_);
      cpu_->advance(w, now);
    }
    rows_ = 0;
  }
  bool take_output(AggregationOutput& out) override {
    try {
      return or_lost([&] { return step().take_output(out); });
    } catch (
        DeviceOutOfMemory const&) {  // a run of sessions owes more tombstones than were foreseen
      throw EnvironmentError(
          "the device has no memory for panes of a batch that is folded: device=" +
              device_->backend().name,
          try_again);
    }
  }
  [[nodiscard]] Watermark watermark() const override { return step().watermark(); }
  [[nodiscard]] Watermark output_watermark() const override { return step().output_watermark(); }
  [[nodiscard]] Wakeup next_wakeup() const override { return step().next_wakeup(); }
  void snapshot(SnapshotWriter& out) const override {
    or_lost([&] { step().snapshot(out); });
  }
  void restore(SnapshotReader& in) override {
    if (device_ == nullptr) {
      cpu_->restore(in);
      return;
    }
    MemoryPieces pieces;  // to be read a second time
    std::string_view name, bytes;
    std::uint32_t shard = 0;
    while (in.next(name, shard, bytes)) {
      pieces.piece(name, shard, bytes);
    }
    try {
      or_lost([&] { device_->restore(pieces); });
    } catch (DeviceOutOfMemory const&) {
      device_.reset();
      start_cpu("the device has no memory for the saved state");
      pieces.rewind();
      cpu_->restore(pieces);
    }
  }
  [[nodiscard]] AggregationStats stats() const override { return step().stats(); }
  [[nodiscard]] AggregationBackend backend() const override {
    AggregationBackend out = step().backend();
    out.moved = moved_;
    out.halved += halved_;
    return out;
  }

 private:
  [[nodiscard]] Aggregation& step() const { return device_ != nullptr ? *device_ : *cpu_; }

  void start_cpu(std::string reason) {
    how_.on_move(reason);
    moved_ = std::move(reason);
    cpu_ = how_.make_cpu();
  }
  void move(std::string_view what, std::size_t rows) {
    start_cpu(fmt::format("{}: device={} rows={} device_bytes={}", what, device_->backend().name,
                          rows, device_->stats().device_bytes));
    or_lost([&] { device_->move_to(*cpu_); });
    halved_ = device_->backend().halved;
    device_.reset();
  }

  Fallback const how_;
  std::unique_ptr<DeviceStep> device_;  // null: it is on the CPU
  std::unique_ptr<Aggregation> cpu_;
  std::size_t rows_ = 0;      // of this batch
  std::string moved_;         // why; empty: it did not
  std::uint64_t halved_ = 0;  // before it moved
};

}  // namespace

std::unique_ptr<Aggregation> make_fallback_aggregation(Fallback how) {
  return std::make_unique<FallbackAggregation>(std::move(how));
}

}  // namespace windrow
