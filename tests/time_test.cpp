// Times: the arithmetic that every rule about windows rests on (semantics.md R1, R7).
#include "host/model/time.hpp"

#include <gtest/gtest.h>

namespace windrow {

TEST(TimeTest, FloorDivTilesTimeOnBothSidesOfTheEpoch) {
  EXPECT_EQ(floor_div(-25, 10), -3);
  EXPECT_EQ(floor_div(-20, 10), -2);
  EXPECT_EQ(floor_div(25, 10), 2);
  EXPECT_EQ(floor_mod(-25, 10), 5);
  EXPECT_EQ(floor_mod(-20, 10), 0);
  EXPECT_EQ(floor_mod(25, 10), 5);
}

TEST(TimeTest, ExpiryIsHeldAtTheEndOfTime) {
  EXPECT_EQ(expiry(EventTime{10}, Duration{5}), EventTime{15});
  EXPECT_EQ(expiry(EventTime{T_END.us - 1}, Duration{5}), T_END);
  EXPECT_EQ(expiry(T_END, Duration{INT64_MAX}), T_END);
  EXPECT_EQ(expiry(EventTime{-10}, Duration{5}), EventTime{-5});
  EXPECT_EQ(expiry(EventTime{-1'000'000'000'000}, Duration{5}), EventTime{-999'999'999'995});
  EXPECT_EQ(expiry(T_MIN, Duration{5}), EventTime{T_MIN.us + 5});
}

TEST(TimeTest, OnlyTimesBeforeTheLastDayAreValid) {
  EXPECT_TRUE(is_valid(T_MIN));
  EXPECT_FALSE(is_valid(EventTime{T_MIN.us - 1}));
  EXPECT_TRUE(is_valid(EventTime{T_END.us - 1}));
  EXPECT_FALSE(is_valid(T_END));
}

}  // namespace windrow
