// Panes of one run of decisions: room for them on the device, and their way into a PaneBatch.
#pragma once
#include <vector>

#include "host/engine/aggregation.hpp"
#include "kernels/primitives/device_array.hpp"
#include "kernels/primitives/host_array.hpp"
#include "kernels/write_panes.hpp"

namespace windrow::gpu {

template <class Device>
class PanesBuffer {
 public:
  PanesBuffer(Device& device, AggregationSpec const& spec, std::size_t capacity)
      : device_(device), spec_(spec), memory_(device), host_(device) {
    reserve(capacity);
  }
  // Room for so many rows; what was there is lost when it grows.
  void reserve(std::size_t rows) {
    if (rows > capacity_) {
      std::size_t bytes = 0;
      layout(nullptr, rows, bytes);
      memory_.reserve(bytes);
      host_.resize(bytes);
      capacity_ = rows;
    }
  }
  [[nodiscard]] PanesView view() {
    std::size_t bytes = 0;
    return layout(memory_.data(), capacity_, bytes);
  }
  // Asks for the first n rows; they are there after the device was synchronised.
  void copy_out(std::size_t n) {
    std::size_t bytes = 0;
    host_.clear();
    layout(nullptr, n, bytes);
    host_.resize(bytes);
    PanesView const from = view();
    rows_ = layout(host_.data(), n, bytes);
    count_ = n;
    auto const copy = [&](auto* to, auto const* of, std::size_t count) {
      device_.copy_out(to, of, count * sizeof *to);
    };
    copy(rows_.key, from.key, n);
    copy(rows_.window, from.window, n);
    if (rows_.firing != nullptr) {
      copy(rows_.firing, from.firing, n);
    }
    copy(rows_.timestamp, from.timestamp, n);
    copy(rows_.info, from.info, n);
    copy(rows_.deleted, from.deleted, n);
    copy(rows_.phase, from.phase, n);
    copy(rows_.overflow, from.overflow, n);
    for (std::size_t c = 0; c < spec_.combines.size(); ++c) {
      copy(rows_.value + c * n, from.value + c * capacity_, n);
      copy(rows_.valid + c * n, from.valid + c * capacity_, n);
    }
  }
  // Appends them, and counts them.
  void append_to(PaneBatch& out, AggregationStats& stats) const {
    auto const append = [&](auto& to, auto const* from) {
      to.insert(to.end(), from, from + count_);
    };
    append(out.key, rows_.key);
    append(out.window, rows_.window);
    if (rows_.firing != nullptr) {
      append(out.firing, rows_.firing);
    }
    append(out.timestamp, rows_.timestamp);
    append(out.info, rows_.info);
    append(out.deleted, rows_.deleted);
    append(out.phase, rows_.phase);
    for (std::size_t i = 0; i < count_; ++i) {
      out.overflow.push_back(rows_.overflow[i] > 0 ? 1 : 0);
      stats.overflow += rows_.overflow[i];
      ++(rows_.deleted[i] != 0                         ? stats.tombstones
         : rows_.info[i].timing == PaneTiming::early   ? stats.panes_early
         : rows_.info[i].timing == PaneTiming::on_time ? stats.panes_on_time
                                                       : stats.panes_late);
    }
    for (std::size_t c = 0; c < out.values.size(); ++c) {
      append_column(out.values[c], rows_.value + c * count_, rows_.valid + c * count_);
    }
  }

 private:
  void append_column(Column& to, std::uint64_t const* value, std::uint8_t const* valid) const {
    auto const* const words = reinterpret_cast<std::int64_t const*>(value);
    for (std::size_t i = 0; i < count_;) {
      std::size_t end = i;
      while (end < count_ && valid[end] != 0) {
        ++end;
      }
      to.append_words({words + i, end - i});
      for (i = end; i < count_ && valid[i] == 0; ++i) {
        to.append_null();
      }
    }
  }
  // The arrays of n rows at `begin`, widest elements first; `bytes` they take.
  PanesView layout(std::byte* begin, std::size_t n, std::size_t& bytes) const {
    std::size_t at = 0;
    auto const place = [&]<class T>(T*& array, std::size_t count) {
      array = begin == nullptr ? nullptr : reinterpret_cast<T*>(begin + at);
      at += count * sizeof(T);
      at = (at + 7U) & ~std::size_t{7};
    };
    PanesView view{};
    view.capacity = n;
    std::size_t const combines = spec_.combines.size();
    place(view.window, n);
    if (spec_.tombstones) {
      place(view.firing, n);
    }
    place(view.timestamp, n);
    place(view.value, combines * n);
    place(view.info, n);
    place(view.key, n);
    place(view.deleted, n);
    place(view.phase, n);
    place(view.overflow, n);
    place(view.valid, combines * n);
    bytes = at;
    return view;
  }

  Device& device_;
  AggregationSpec const& spec_;
  std::size_t capacity_ = 0;
  DeviceArray<Device, std::byte> memory_;
  HostArray<Device, std::byte> host_;
  PanesView rows_{};
  std::size_t count_ = 0;
};

}  // namespace windrow::gpu
