// What a pipeline is doing, for people: a block of lines in a terminal that is drawn again in
// place, or a log line now and then.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/engine/progress.hpp"

namespace windrow::cli {

// "2026-01-01 12:05:30"; the ends of time by name.
[[nodiscard]] std::string time_text(EventTime time);
// "1,234,567"
[[nodiscard]] std::string count_text(std::uint64_t count);

// Rows a source delivered per second of real time, since the last time it was asked, at first since
// `began`.
class Rate {
 public:
  explicit Rate(std::chrono::steady_clock::time_point began) : at_(began) {}
  double since_last(std::uint64_t total);  // the rate before while too short a time has passed

 private:
  double rate_ = 0;
  std::uint64_t before_ = 0;
  std::chrono::steady_clock::time_point at_;
};

// Rates, watermark and its holder, panes by timing, rows late, dropped and rejected: one line per
// source, one per step, one per source or sink that waits.
class ProgressText {
 public:
  [[nodiscard]] std::vector<std::string> lines(Progress const& progress);

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::map<std::size_t, Rate> rates_;  // by transform
};

// Shows lines on stderr: as a block in a terminal, else in the log.  A terminal that also gets rows
// of the pipeline (`rows_on_stdout`) has no place for a block.
class LiveView {
 public:
  explicit LiveView(bool quiet, bool rows_on_stdout = false);
  ~LiveView();
  LiveView(LiveView const&) = delete;  // there is one block
  LiveView& operator=(LiveView const&) = delete;
  [[nodiscard]] bool due();  // as a block four times a second, else every five seconds
  void show(std::vector<std::string> const& lines);
  void clear();  // removes the block

 private:
  bool block_, quiet_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace windrow::cli
