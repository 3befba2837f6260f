// Two ways to do the same work, timed in turn on one thread: on a shared machine only the ratio of
// neighbouring runs says something.
#pragma once
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <vector>

namespace windrow::bench {

inline double thread_cpu_ns() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

inline double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// One iteration runs `base` and `ours` once each.  Counters: medians of the nanoseconds per item on
// this thread's CPU clock, and the median of ours / base, pair by pair.
template <class Base, class Ours>
void paired(benchmark::State& state, std::size_t items, Base&& base, Ours&& ours) {
  std::vector<double> base_ns, ours_ns, ratio;
  for (auto _ : state) {
    double const start = thread_cpu_ns();
    base();
    double const middle = thread_cpu_ns();
    ours();
    double const end = thread_cpu_ns();
    base_ns.push_back((middle - start) / static_cast<double>(items));
    ours_ns.push_back((end - middle) / static_cast<double>(items));
    ratio.push_back((end - middle) / (middle - start));
  }
  state.counters["base_ns"] = median(base_ns);
  state.counters["ns"] = median(ours_ns);
  state.counters["ratio"] = median(ratio);
}

}  // namespace windrow::bench
