// The rows of the batch that is being pushed, on the host, and their way to the device.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "kernels/primitives/device_array.hpp"
#include "kernels/primitives/host_array.hpp"
#include "kernels/rows_view.hpp"

namespace windrow::gpu {

// Columns that no combine reads are left out.
template <class Device>
class BatchRows {
 public:
  BatchRows(Device& device, AggregationSpec const& spec)
      : device_(device),
        time_(device),
        key_(device),
        window_(device),
        weight_(device),
        memory_(device),
        refs_(device) {
    for (CombineFn const& fn : spec.combines) {
      if (fn.kind == CombineKind::count) {
        continue;
      }
      while (columns_.size() <= fn.column) {
        columns_.emplace_back();
      }
      if (!columns_[fn.column]) {
        columns_[fn.column].emplace(device, fn.in);
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return time_.size(); }
  [[nodiscard]] std::span<EventTime const> time() const { return time_; }
  [[nodiscard]] std::span<KeyId const> key() const { return key_; }
  [[nodiscard]] std::span<Window const> window() const { return window_; }

  // All of them or, where there is no memory, none.
  void append(KeyedBatchView const& rows) {
    std::size_t const before = size(), n = rows.key.size(), after = before + n;
    bool const weighted = !rows.weight.empty() || weight_.size() > 0;
    types_.clear();
    for (ColumnView const& column : rows.values) {
      types_.push_back(column.type);
    }
    time_.reserve(after);
    key_.reserve(after);
    window_.reserve(rows.window.empty() ? 0 : after);
    weight_.reserve(weighted ? after : 0);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c]) {
        columns_[c]->reserve(rows.values[c], after);
      }
    }
    time_.append(rows.event_time);
    key_.append(rows.key);
    window_.append(rows.window);
    if (weighted) {
      append_or(weight_, rows.weight, before, n, std::int8_t{1});
    }
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c]) {
        columns_[c]->append(rows.values[c], before, n);
      }
    }
  }
  void clear() {
    time_.clear();
    key_.clear();
    window_.clear();
    weight_.clear();
    for (auto& column : columns_) {
      if (column) {
        column->data.clear();
        column->valid.clear();
      }
    }
  }

  // What was appended, valid until the rows change; a column that no combine reads is null.
  [[nodiscard]] KeyedBatchView view() {
    null_bits_.assign((size() + 63) / 64, 0);
    views_.clear();
    valid_bits_.resize(columns_.size());
    for (std::size_t c = 0; c < types_.size(); ++c) {
      bool const is_read = c < columns_.size() && columns_[c];
      views_.push_back(is_read ? columns_[c]->view(valid_bits_[c])
                               : ColumnView{types_[c], {}, {}, null_bits_});
    }
    return {time_, key_, views_, window_, weight_};
  }

  // Room on the device for `rows` rows at a time and the refs of all.
  void reserve(std::size_t rows, std::size_t refs) {
    std::size_t bytes = 0;
    each_array([&](std::size_t element) { bytes += packed(rows * element); });
    memory_.reserve(bytes + packed(columns_.size() * sizeof(ColumnRef)));
    refs_.reserve(refs);
  }
  // Rows [begin, begin + rows) to the device; what was there is overwritten.
  [[nodiscard]] RowsView copy_in(std::size_t begin, std::size_t rows) {
    std::byte* at = memory_.data();
    auto const put = [&]<class T>(T const* from, std::size_t n) {
      auto* const to = reinterpret_cast<T*>(at);
      device_.copy_in(to, from, n * sizeof(T));
      at += packed(n * sizeof(T));
      return to;
    };
    RowsView view{};
    view.rows = rows;
    view.first_row = static_cast<std::uint32_t>(begin);
    view.time = put(time_.data() + begin, rows);
    view.key = put(key_.data() + begin, rows);
    view.window = window_.size() > 0 ? put(window_.data() + begin, rows) : nullptr;
    view.weight = weight_.size() > 0 ? put(weight_.data() + begin, rows) : nullptr;
    column_refs_.assign(columns_.size(), {});
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (!columns_[c]) {
        continue;
      }
      HostColumn const& column = *columns_[c];
      std::size_t const width = column.width();
      column_refs_[c] = {put(column.data.data() + begin * width, rows * width),
                         column.valid.size() > 0 ? put(column.valid.data() + begin, rows) : nullptr,
                         column.type};
    }
    view.column = put(column_refs_.data(), column_refs_.size());
    return view;
  }
  [[nodiscard]] WindowRef const* copy_refs(std::vector<WindowRef> const& refs) {
    device_.copy_in(refs_.data(), refs.data(), refs.size() * sizeof(WindowRef));
    return refs_.data();
  }

 private:
  struct HostColumn {
    HostColumn(Device& device, ValueType of) : type(of), data(device), valid(device) {}
    ValueType type;
    HostArray<Device, std::byte> data;
    HostArray<Device, std::uint8_t> valid;
    [[nodiscard]] std::size_t width() const { return type == ValueType::boolean ? 1 : 8; }
    void reserve(ColumnView const& from, std::size_t rows) {
      data.reserve(rows * width());
      valid.reserve(from.valid.empty() && valid.size() == 0 ? 0 : rows);
    }
    [[nodiscard]] ColumnView view(std::vector<std::uint64_t>& bits) const {
      bits.assign((valid.size() + 63) / 64, 0);
      for (std::size_t i = 0; i < valid.size(); ++i) {
        bits[i / 64] |= std::uint64_t{valid[i]} << (i % 64);
      }
      return {type, data, {}, bits};
    }
    void append(ColumnView const& from, std::size_t before, std::size_t rows) {
      data.append(from.data.first(rows * width()));
      if (from.valid.empty() && valid.size() == 0) {
        return;
      }
      if (valid.size() == 0) {
        valid.resize(before);
        std::fill_n(valid.data(), before, std::uint8_t{1});
      }
      valid.resize(before + rows);
      for (std::size_t i = 0; i < rows; ++i) {
        valid[before + i] = from.is_valid(i) ? 1 : 0;
      }
    }
  };

  [[nodiscard]] static constexpr std::size_t packed(std::size_t bytes) {
    return (bytes + 15U) & ~std::size_t{15};
  }
  template <class T>
  static void append_or(HostArray<Device, T>& array, std::span<T const> more, std::size_t before,
                        std::size_t rows, T otherwise) {
    std::size_t const there = array.size();
    array.resize(before + rows);
    std::fill(array.data() + there, array.data() + before + rows, otherwise);
    std::copy(more.begin(), more.end(), array.data() + before);
  }
  template <class Body>
  void each_array(Body&& body) const {
    body(sizeof(EventTime));
    body(sizeof(KeyId));
    body(window_.size() > 0 ? sizeof(Window) : 0);
    body(weight_.size() > 0 ? sizeof(std::int8_t) : 0);
    for (auto const& column : columns_) {
      body(column ? column->width() : 0);
      body(column && column->valid.size() > 0 ? sizeof(std::uint8_t) : 0);
    }
  }

  Device& device_;
  HostArray<Device, EventTime> time_;
  HostArray<Device, KeyId> key_;
  HostArray<Device, Window> window_;
  HostArray<Device, std::int8_t> weight_;
  std::vector<std::optional<HostColumn>> columns_;
  std::vector<ColumnRef> column_refs_;
  std::vector<ValueType> types_;   // of all columns that came
  std::vector<ColumnView> views_;  // this and what follows: of `view`
  std::vector<std::vector<std::uint64_t>> valid_bits_;
  std::vector<std::uint64_t> null_bits_;
  DeviceArray<Device, std::byte> memory_;
  DeviceArray<Device, WindowRef> refs_;
};

}  // namespace windrow::gpu
