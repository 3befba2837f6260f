// Named places at which the process can be told to die, for the tests of recovery
// (connectors.md 1.12).
//
//     WINDROW_CRASH_POINT("plan.durable");
//
// WINDROW_CRASH=plan.durable:3 in the environment kills the process (SIGKILL: nothing is flushed or
// destroyed) at the third time that it comes there; for WINDROW_CRASH=list the command prints the
// names of all points.  Points stand beside system calls, never in loops over rows;
// an unarmed one is one load and a branch.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace windrow {

class CrashPoint {
 public:
  explicit CrashPoint(std::string_view name);  // enters itself into the list, before main
  CrashPoint(CrashPoint const&) = delete;      // the list holds its address
  CrashPoint& operator=(CrashPoint const&) = delete;
  [[nodiscard]] std::string_view name() const { return name_; }
  void arm(std::uint64_t passes) { left_ = passes; }
  void pass() {
    if (left_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      count_down();
    }
  }

 private:
  void count_down();
  std::string_view name_;
  std::atomic<std::uint64_t> left_{0};  // passes until the process dies; 0: never
};

// The names of all points that are linked in, sorted.
[[nodiscard]] std::vector<std::string_view> crash_points();

// A simulator's: called at every pass of every point, which may throw, instead of any SIGKILL;
// empty ends it.  Not while points are passed.
void set_crash_handler(std::function<void(std::string_view name)> handler);

template <std::size_t size>
struct CrashPointName {
  char text[size];
  constexpr CrashPointName(char const (&name)[size]) {  // implicit: made from the macro's literal
    std::copy_n(name, size, text);
  }
};
template <CrashPointName name>
inline CrashPoint crash_point{std::string_view(name.text)};

}  // namespace windrow

#define WINDROW_CRASH_POINT(name) ::windrow::crash_point<name>.pass()
