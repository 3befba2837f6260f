// Windows and slices: which windows hold a time (semantics.md 1 and R5-R10).
#include "host/model/window.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

#include "host/model/slices.hpp"

namespace windrow {
namespace {

constexpr std::int64_t second = 1'000'000;

WindowFn sliding(std::int64_t size_us, std::int64_t period_us, std::int64_t offset_us = 0) {
  return {WindowKind::sliding, size_us, period_us, offset_us, 0};
}
WindowFn fixed(std::int64_t size_us, std::int64_t offset_us = 0) {
  return {WindowKind::fixed, size_us, size_us, offset_us, 0};
}
std::vector<Window> windows_at(WindowFn const& fn, std::int64_t us) {
  std::vector<Window> windows;
  IndexRange const range = windows_of(fn, EventTime{us});
  for (std::int64_t j = range.first; j <= range.last; ++j) {
    windows.push_back(window_at(fn, j));
  }
  return windows;
}
Window seconds(std::int64_t start, std::int64_t end) {
  return {EventTime{start * second}, EventTime{end * second}};
}

}  // namespace

TEST(WindowTest, FixedWindowsContainTimesBeforeTheEpoch) {  // X2a, X36
  WindowFn const ten = fixed(10 * second);
  EXPECT_EQ(windows_at(ten, -1), std::vector{seconds(-10, 0)});
  EXPECT_EQ(windows_at(ten, -10 * second), std::vector{seconds(-10, 0)});
  EXPECT_EQ(windows_at(ten, -10 * second - 1), std::vector{seconds(-20, -10)});
  EXPECT_EQ(windows_at(ten, -15 * second), std::vector{seconds(-20, -10)});
  WindowFn const day = fixed(86400 * second, 3600 * second);
  EXPECT_EQ(windows_at(day, 3600 * second - 1), std::vector{seconds(-82800, 3600)});
  EXPECT_EQ(windows_at(day, 3600 * second), std::vector{seconds(3600, 90000)});
}

TEST(WindowTest, SlidingWindowsAreThoseWhoseStartIsLessThanASizeBack) {  // X2b, X3a, X3b, X45
  EXPECT_EQ(windows_at(sliding(20 * second, 10 * second), -15 * second),
            (std::vector{seconds(-30, -10), seconds(-20, 0)}));
  EXPECT_EQ(windows_at(sliding(25 * second, 10 * second), 7 * second),
            (std::vector{seconds(-10, 15), seconds(0, 25)}));
  EXPECT_EQ(windows_at(sliding(25 * second, 10 * second), 2 * second),
            (std::vector{seconds(-20, 5), seconds(-10, 15), seconds(0, 25)}));
  EXPECT_EQ(windows_at(sliding(20 * second, 10 * second), 20 * second),
            (std::vector{seconds(10, 30), seconds(20, 40)}));
  EXPECT_EQ(windows_at(sliding(10 * second, 30 * second), 5 * second), std::vector{seconds(0, 10)});
  EXPECT_TRUE(windows_at(sliding(10 * second, 30 * second), 15 * second).empty());
}

TEST(WindowTest, AMinuteEverySevenSecondsHasSeventeenSlices) {
  WindowFn const fn = sliding(60 * second, 7 * second);
  EXPECT_EQ(slices_of_window(fn, 0).count(), 17);
  EXPECT_EQ(slice_of(fn, EventTime{4 * second - 1}), 0);
  EXPECT_EQ(slice_of(fn, EventTime{4 * second}), 1);
  EXPECT_EQ(slice_of(fn, EventTime{7 * second}), 2);
}

TEST(WindowTest, EdgesAreClippedToTheTimesThereAre) {  // R6, R10
  EXPECT_EQ(window_at({WindowKind::global, 0, 0, 0, 0}, 0), (Window{T_MIN, T_END}));
  WindowFn const ten = fixed(10 * second, 3);
  Window const first = windows_at(ten, T_MIN.us).front();
  EXPECT_EQ(first.start, T_MIN);
  EXPECT_GT(first.end, T_MIN);
  Window const last = windows_at(ten, T_END.us - 1).front();
  EXPECT_EQ(last.end, T_END);
  EXPECT_LT(last.start, T_END);
  for (WindowFn const& fn : {sliding(25 * second, 10 * second), sliding(20 * second, 10 * second),
                             sliding(9'999'999 * second, 4'000'000 * second)}) {
    for (EventTime const time : {T_MIN, EventTime{T_MIN.us + 11 * second}, EventTime{T_END.us - 1},
                                 EventTime{T_END.us - 11 * second}}) {
      Window const times = slice_at(fn, slice_of(fn, time));
      EXPECT_LE(T_MIN, times.start);
      EXPECT_LE(times.start, time);
      EXPECT_LT(time, times.end);
      EXPECT_LE(times.end, T_END);
      EXPECT_EQ(slice_of(fn, times.start), slice_of(fn, time));
    }
  }
  EXPECT_EQ(proto_window({WindowKind::sessions, 0, 0, 0, second}, EventTime{T_END.us - 1}).end,
            T_END);
}

TEST(WindowTest, WindowsAndSlicesAgreeWithTheDefinitionOfR8) {
  EXPECT_TRUE(rc::check("windows of a time are [s, s + z), s = o (mod p), t - z < s <= t", [] {
    auto const period = *rc::gen::inRange<std::int64_t>(1, 50);
    auto const size = *rc::gen::inRange<std::int64_t>(1, 200);
    auto const offset = *rc::gen::inRange<std::int64_t>(0, period);
    auto const t = *rc::gen::inRange<std::int64_t>(-500, 500);
    std::vector<Window> expected;
    for (std::int64_t s = t - size + 1; s <= t; ++s) {
      if (floor_mod(s - offset, period) == 0) {
        expected.push_back({EventTime{s}, EventTime{s + size}});
      }
    }
    WindowFn const fn = sliding(size, period, offset);
    RC_ASSERT(windows_at(fn, t) == expected);
    std::int64_t const slice = slice_of(fn, EventTime{t});
    IndexRange const windows = windows_of_slice(fn, slice);
    for (std::int64_t j = windows.first - 2; j <= windows.last + 2; ++j) {
      IndexRange const slices = slices_of_window(fn, j);
      bool const inside = slices.first <= slice && slice <= slices.last;
      RC_ASSERT(inside == (windows.first <= j && j <= windows.last));
    }
    Window const times = slice_at(fn, slice);
    RC_ASSERT(times.start.us <= t && t < times.end.us);
    RC_ASSERT(slice_of(fn, times.start) == slice && slice_of(fn, last_of(times)) == slice);
    RC_ASSERT(slice_of(fn, EventTime{times.start.us - 1}) == slice - 1);
    RC_ASSERT(slice_of(fn, times.end) == slice + 1);
    auto const w = *rc::gen::inRange<std::int64_t>(-800, 800);
    IndexRange const running = running_windows(fn, slice, EventTime{w});
    for (std::int64_t j = windows.first; j <= windows.last; ++j) {
      RC_ASSERT((running.first <= j && j <= running.last) == (w < window_at(fn, j).end.us));
    }
  }));
}

}  // namespace windrow
