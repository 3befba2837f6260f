// Times on the CPU clock of one thread.  On a shared machine only medians, and ratios of
// neighbouring runs, say something.
#pragma once
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <string>
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

// The hops of one batch of items, in turn.
class Hops {
 public:
  explicit Hops(std::size_t items) : items_(static_cast<double>(items)) {}
  void start() { last_ = thread_cpu_ns(); }
  void done(std::string const& hop) {
    double const now = thread_cpu_ns();
    ns_[hop].push_back((now - last_) / items_);
    last_ = thread_cpu_ns();
  }
  // Counters: the median nanoseconds per item of each hop.
  void report(benchmark::State& state) const {
    for (auto const& [hop, ns] : ns_) {
      state.counters[hop] = median(ns);
    }
  }

 private:
  double items_, last_ = 0;
  std::map<std::string, std::vector<double>> ns_;
};

// Two ways to do the same work.  One iteration runs `base` and `ours` once each.  Counters: medians
// of the nanoseconds per item on this thread's CPU clock, and the median of ours / base, pair by
// pair.
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
