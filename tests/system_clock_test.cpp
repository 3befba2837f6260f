// Processing time of the machine's clock (semantics.md R90; operations.md T17), with hands that the
// test moves.
#include "host/cli/system_clock.hpp"

#include <gtest/gtest.h>

namespace windrow::cli {
namespace {

constexpr std::int64_t second = 1'000'000, hour = 3600 * second;

class SystemClockTest : public ::testing::Test {
 protected:
  SystemClock clock(double rate = 1, bool frozen = false) {
    return {rate, frozen, {[this] { return wall_us_; }, [this] { return monotonic_us_; }}};
  }
  void pass(std::int64_t us) {
    wall_us_ += us;
    monotonic_us_ += us;
  }
  std::int64_t const start_us_ = 1'795'000'000 * second;
  std::int64_t wall_us_ = start_us_, monotonic_us_ = 77 * second;
};

TEST_F(SystemClockTest, ProcessingTimeIsTheWallOfTheStartPlusWhatPassed) {
  SystemClock one = clock(), fast = clock(300);
  EXPECT_EQ(one.processing_time().us, start_us_);
  pass(2 * second);
  EXPECT_EQ(one.processing_time().us, start_us_ + 2 * second);
  EXPECT_EQ(fast.processing_time().us, start_us_ + 600 * second);
  pass(1);
  EXPECT_EQ(one.processing_time().us, start_us_ + 2 * second + 1);
}

TEST_F(SystemClockTest, StepsOfTheWallMoveRealTimeOnly) {
  SystemClock one = clock();
  std::int64_t before_us = one.processing_time().us;
  // Back and forth by an hour, a leap second, ten years ahead and before 1970.
  for (std::int64_t const step : {-hour, 2 * hour, -second, 87'660 * hour, -600'000 * hour}) {
    wall_us_ += step;
    EXPECT_EQ(one.processing_time().us, before_us);
    EXPECT_EQ(one.real_time_us(), wall_us_);
    pass(second);
    EXPECT_EQ(one.processing_time().us, before_us + second);
    before_us += second;
  }
}

TEST_F(SystemClockTest, ARestoredTimeIsTheStartWhereTheWallIsBehindIt) {
  SystemClock ahead = clock(), behind = clock();
  ahead.start_at_least({start_us_ + hour});
  behind.start_at_least({start_us_ - hour});
  pass(second);
  EXPECT_EQ(ahead.processing_time().us, start_us_ + hour + second);
  EXPECT_EQ(behind.processing_time().us, start_us_ + second);
}

TEST_F(SystemClockTest, AFrozenClockStaysWhateverPasses) {
  SystemClock frozen = clock(1, true);
  pass(hour);
  wall_us_ += hour;
  EXPECT_EQ(frozen.processing_time().us, start_us_);
  frozen.start_at_least({start_us_ + 5});
  EXPECT_EQ(frozen.processing_time().us, start_us_ + 5);
}

TEST_F(SystemClockTest, TheMachineHasAWallOfThisCenturyAndAHandThatNeverGoesBack) {
  Hands const hands = machine_hands();
  EXPECT_GT(hands.wall_us(), 1'700'000'000 * second);
  std::int64_t before_us = hands.monotonic_us();
  for (int i = 0; i < 10'000; ++i) {
    std::int64_t const now_us = hands.monotonic_us();
    ASSERT_GE(now_us, before_us);
    before_us = now_us;
  }
}

}  // namespace
}  // namespace windrow::cli
