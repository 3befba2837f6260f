// The time of pieces of work: of the wall, and of all threads of the process.
#pragma once
#include <sys/resource.h>

#include <chrono>

namespace windrow::cli::bench {

class Stopwatch {
 public:
  void start() {
    cpu_from_ = cpu_now();
    wall_from_ = std::chrono::steady_clock::now();
  }
  void stop() {
    wall_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_from_).count();
    cpu_s_ += cpu_now() - cpu_from_;
  }
  [[nodiscard]] double wall_s() const { return wall_s_; }
  [[nodiscard]] double cpu_s() const { return cpu_s_; }

 private:
  static double cpu_now() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
  }
  std::chrono::steady_clock::time_point wall_from_;
  double cpu_from_ = 0, wall_s_ = 0, cpu_s_ = 0;
};

}  // namespace windrow::cli::bench
