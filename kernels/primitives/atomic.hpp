// Atomics on device memory, in no order with anything else.  On the host, where one thread runs a
// whole kernel, they are plain.
#pragma once
#include <cstdint>

#include "host/model/portable.hpp"

namespace windrow {

// Each returns the value before.
template <class T>
WINDROW_HOST_DEVICE inline T atomic_add(T& to, T by) noexcept {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(T) == 8 && static_cast<T>(0.5) == static_cast<T>(0)) {
    return static_cast<T>(::atomicAdd(reinterpret_cast<unsigned long long*>(&to),
                                      static_cast<unsigned long long>(by)));
  } else {
    return ::atomicAdd(&to, by);
  }
#else
  T const before = to;
  to = static_cast<T>(to + by);
  return before;
#endif
}

WINDROW_HOST_DEVICE inline std::uint32_t atomic_or(std::uint32_t& to, std::uint32_t bits) noexcept {
#ifdef __CUDA_ARCH__
  return ::atomicOr(&to, bits);
#else
  std::uint32_t const before = to;
  to |= bits;
  return before;
#endif
}

WINDROW_HOST_DEVICE inline std::uint64_t atomic_max(std::uint64_t& to, std::uint64_t v) noexcept {
#ifdef __CUDA_ARCH__
  return ::atomicMax(reinterpret_cast<unsigned long long*>(&to),
                     static_cast<unsigned long long>(v));
#else
  std::uint64_t const before = to;
  to = v > before ? v : before;
  return before;
#endif
}

WINDROW_HOST_DEVICE inline std::int64_t atomic_max(std::int64_t& to, std::int64_t v) noexcept {
#ifdef __CUDA_ARCH__
  return ::atomicMax(reinterpret_cast<long long*>(&to), static_cast<long long>(v));
#else
  std::int64_t const before = to;
  to = v > before ? v : before;
  return before;
#endif
}

WINDROW_HOST_DEVICE inline std::int64_t atomic_min(std::int64_t& to, std::int64_t v) noexcept {
#ifdef __CUDA_ARCH__
  return ::atomicMin(reinterpret_cast<long long*>(&to), static_cast<long long>(v));
#else
  std::int64_t const before = to;
  to = v < before ? v : before;
  return before;
#endif
}

WINDROW_HOST_DEVICE inline std::uint32_t atomic_cas(std::uint32_t& to, std::uint32_t expected,
                                                    std::uint32_t v) noexcept {
#ifdef __CUDA_ARCH__
  return ::atomicCAS(&to, expected, v);
#else
  std::uint32_t const before = to;
  if (before == expected) {
    to = v;
  }
  return before;
#endif
}

// Adds 1 and returns the value before: one atomic for all threads of a warp that come here together
// with the same `to`.
template <class T>
WINDROW_HOST_DEVICE inline T atomic_count(T& to) noexcept {
#ifdef __CUDA_ARCH__
  unsigned const together =
      __match_any_sync(__activemask(), reinterpret_cast<unsigned long long>(&to));
  unsigned const lane = threadIdx.x % 32U;
  int const leader = __ffs(static_cast<int>(together)) - 1;
  T before = 0;
  if (lane == static_cast<unsigned>(leader)) {
    before = atomic_add(to, static_cast<T>(__popc(together)));
  }
  before = __shfl_sync(together, before, leader);
  return before + static_cast<T>(__popc(together & ((1U << lane) - 1U)));
#else
  return atomic_add(to, T{1});
#endif
}

}  // namespace windrow
