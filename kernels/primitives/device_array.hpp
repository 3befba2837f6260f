// An array in device memory that grows between batches.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "kernels/primitives/device_error.hpp"

namespace windrow {

template <class Device, class T>
requires std::is_trivially_copyable_v<T>
class DeviceArray {
 public:
  explicit DeviceArray(Device& device) : device_(device) {}
  DeviceArray(DeviceArray const&) = delete;
  DeviceArray& operator=(DeviceArray const&) = delete;
  ~DeviceArray() { device_.release(data_, capacity_ * sizeof(T)); }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] T const* data() const { return data_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Room for n; what was in it is lost when it grows.
  void reserve(std::size_t n) { grow(n, 0); }
  // Room for n; the first `kept` stay.
  void grow(std::size_t n, std::size_t kept) {
    if (n <= capacity_) {
      return;
    }
    std::size_t const capacity = std::max(n, capacity_ + capacity_ / 2);
    DeviceArray grown(device_);
    grown.data_ = static_cast<T*>(device_.allocate(capacity * sizeof(T)));
    grown.capacity_ = capacity;
    device_.copy_within(grown.data_, data_, kept * sizeof(T));
    device_.synchronise();
    swap(grown);
  }
  void swap(DeviceArray& other) noexcept {  // of the same device
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
  }
  // Zero bytes from `first` to the end.
  void clear(std::size_t first = 0) {
    device_.fill(data_ + first, 0, (capacity_ - first) * sizeof(T));
  }

 private:
  Device& device_;
  T* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace windrow
