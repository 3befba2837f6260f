// An array in memory of the host that the copy engine reads and writes at full speed.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace windrow {

template <class Device, class T>
class HostArray {
 public:
  explicit HostArray(Device& device) : device_(&device) {}
  HostArray(HostArray&& other) noexcept
      : device_(other.device_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  HostArray& operator=(HostArray&&) = delete;
  ~HostArray() { device_->release_host(data_); }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] T const* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) { return data_[i]; }
  [[nodiscard]] T const& operator[](std::size_t i) const { return data_[i]; }
  operator std::span<T const>() const { return {data_, size_}; }
  void clear() { size_ = 0; }
  void reserve(std::size_t n) {
    if (n > capacity_) {
      std::size_t const capacity = std::max(n, 2 * capacity_);
      auto* const grown = static_cast<T*>(device_->allocate_host(capacity * sizeof(T)));
      std::copy_n(data_, size_, grown);
      device_->release_host(std::exchange(data_, grown));
      capacity_ = capacity;
    }
  }
  // New elements are not initialised.
  void resize(std::size_t n) {
    reserve(n);
    size_ = n;
  }
  void append(std::span<T const> more) {
    std::size_t const at = size_;
    resize(size_ + more.size());
    std::copy(more.begin(), more.end(), data_ + at);
  }

 private:
  Device* device_;
  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace windrow
