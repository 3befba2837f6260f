// Times that people write, as event times (semantics.md R1, R4).
#include "host/model/stamp.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace windrow {
namespace {

std::int64_t constexpr none = INT64_MIN;
std::int64_t text(std::string_view t, TimeUnit unit) {
  return stamp_of(t, unit).value_or(EventTime{none}).us;
}
std::int64_t integer(std::int64_t v, TimeUnit unit) {
  return stamp_of(v, unit).value_or(EventTime{none}).us;
}
std::int64_t number(double v, TimeUnit unit) {
  return stamp_of(v, unit).value_or(EventTime{none}).us;
}
std::int64_t rfc(std::string_view t) { return text(t, TimeUnit::rfc3339); }

TEST(StampTest, DecimalTextIsFloored) {
  EXPECT_EQ(text("1.9999999", TimeUnit::s), 1'999'999);
  EXPECT_EQ(text("-0.0000001", TimeUnit::s), -1);
  EXPECT_EQ(text("-0.000000", TimeUnit::s), 0);
  EXPECT_EQ(text("-1.5", TimeUnit::s), -1'500'000);
  EXPECT_EQ(text("+7", TimeUnit::s), 7'000'000);
  EXPECT_EQ(text("1763794800.123", TimeUnit::s), 1'763'794'800'123'000);
  EXPECT_EQ(text("1.0009", TimeUnit::ms), 1'000);
  EXPECT_EQ(text("-1.0009", TimeUnit::ms), -1'001);
  EXPECT_EQ(text("-1", TimeUnit::ns), -1);
  EXPECT_EQ(text("999.9", TimeUnit::ns), 0);
  EXPECT_EQ(text("-1000.1", TimeUnit::ns), -2);
  EXPECT_EQ(text("-3.0", TimeUnit::us), -3);
  EXPECT_EQ(text("0." + std::string(5000, '9'), TimeUnit::s), 999'999);
  EXPECT_EQ(text(std::string(5000, '0') + "1", TimeUnit::s), 1'000'000);
}

TEST(StampTest, TextThatIsNoDecimalIsNoTime) {
  for (char const* bad : {"", "-", "+", ".", "1.", ".5", "1e3", " 1", "1 ", "0x10", "1.2.3", "--1",
                          "NaN", "1,5", "\xc2\xb2"}) {
    EXPECT_EQ(text(bad, TimeUnit::s), none) << bad;
  }
  EXPECT_EQ(text(std::string(5000, '9'), TimeUnit::ns), none);
}

TEST(StampTest, IntegersAreFlooredAndHeldToTheValidTimes) {
  EXPECT_EQ(integer(-1, TimeUnit::ns), -1);
  EXPECT_EQ(integer(-1000, TimeUnit::ns), -1);
  EXPECT_EQ(integer(-1001, TimeUnit::ns), -2);
  EXPECT_EQ(integer(1999, TimeUnit::ns), 1);
  EXPECT_EQ(integer(5, TimeUnit::ms), 5000);
  EXPECT_EQ(integer(T_MIN.us, TimeUnit::us), T_MIN.us);
  EXPECT_EQ(integer(T_MIN.us - 1, TimeUnit::us), none);
  EXPECT_EQ(integer(T_END.us - 1, TimeUnit::us), T_END.us - 1);
  EXPECT_EQ(integer(T_END.us, TimeUnit::us), none);
  EXPECT_EQ(integer(INT64_MAX, TimeUnit::s), none);
  EXPECT_EQ(integer(INT64_MIN, TimeUnit::ms), none);
  EXPECT_EQ(integer(INT64_MAX, TimeUnit::ns), INT64_MAX / 1000);
  EXPECT_EQ(integer(1, TimeUnit::rfc3339), none);
}

TEST(StampTest, DoublesGoToTheNearestMicrosecondTiesUp) {
  EXPECT_EQ(number(1763794800.123, TimeUnit::s), 1'763'794'800'123'000);
  EXPECT_EQ(number(0.0, TimeUnit::s), 0);
  EXPECT_EQ(number(-0.0, TimeUnit::s), 0);
  EXPECT_EQ(number(0.5, TimeUnit::us), 1);
  EXPECT_EQ(number(-0.5, TimeUnit::us), 0);
  EXPECT_EQ(number(std::nextafter(0.5, 0.0), TimeUnit::us), 0);
  EXPECT_EQ(number(std::nextafter(-0.5, -1.0), TimeUnit::us), -1);
  EXPECT_EQ(number(1.5, TimeUnit::us), 2);
  EXPECT_EQ(number(-1.5, TimeUnit::us), -1);
  EXPECT_EQ(number(500, TimeUnit::ns), 1);
  EXPECT_EQ(number(499.99, TimeUnit::ns), 0);
  EXPECT_EQ(number(-500, TimeUnit::ns), 0);
  EXPECT_EQ(number(-500.5, TimeUnit::ns), -1);
  EXPECT_EQ(number(1500, TimeUnit::ns), 2);
  EXPECT_EQ(number(0x1p60, TimeUnit::ns), 1'152'921'504'606'847);  // ...846.976
  EXPECT_EQ(number(0.0000005, TimeUnit::s), 0);  // the double is a little below half a microsecond
  EXPECT_EQ(number(1e-300, TimeUnit::s), 0);
  EXPECT_EQ(number(-5e-324, TimeUnit::s), 0);
  EXPECT_EQ(number(1e13, TimeUnit::s), none);
  EXPECT_EQ(number(1e300, TimeUnit::ns), none);
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN(), TimeUnit::s), none);
  EXPECT_EQ(number(std::numeric_limits<double>::infinity(), TimeUnit::s), none);
  EXPECT_EQ(number(1, TimeUnit::rfc3339), none);
}

TEST(StampTest, Rfc3339TakesOffsetsFractionsAndLeapSeconds) {
  EXPECT_EQ(rfc("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(rfc("1969-12-31T23:59:59.9999999z"), -1);
  EXPECT_EQ(rfc("2025-11-22T07:00:00.123Z"), 1'763'794'800'123'000);
  EXPECT_EQ(rfc("2025-11-22 08:30:00.123+01:30"), 1'763'794'800'123'000);
  EXPECT_EQ(rfc("2025-11-21t23:00:00-08:00"), 1'763'794'800'000'000);
  EXPECT_EQ(rfc("2000-02-29T00:00:00-00:00"), 951'782'400'000'000);
  EXPECT_EQ(rfc("0000-01-01T00:00:00Z"), -62'167'219'200'000'000);
  EXPECT_EQ(rfc("9999-12-31T23:59:59.999999Z"), 253'402'300'799'999'999);
  EXPECT_EQ(rfc("2016-12-31T23:59:60Z"), rfc("2017-01-01T00:00:00Z"));
  EXPECT_EQ(rfc("2017-01-01T00:59:60.5+01:00"), rfc("2017-01-01T00:00:00.5Z"));
}

TEST(StampTest, OtherTextIsNoRfc3339) {
  for (char const* bad : {"",
                          "2025-11-22",
                          "2025-11-22T07:00:00",
                          "2025-11-22T07:00Z",
                          "2025-13-01T00:00:00Z",
                          "2025-00-01T00:00:00Z",
                          "2025-02-29T00:00:00Z",
                          "2025-11-22T24:00:00Z",
                          "2025-11-22T07:60:00Z",
                          "2025-11-22T07:00:61Z",
                          "2016-12-31T12:59:60Z",
                          "2016-12-31T23:59:60+01:00",
                          "2025-11-22T07:00:00.Z",
                          "2025-11-22T07:00:00,5Z",
                          "2025-11-22T07:00:00+0100",
                          "2025-11-22T07:00:00+24:00",
                          "2025-11-22T07:00:00+01:60",
                          "2025-11-22T07:00:00Zx",
                          "+2025-11-22T07:00:00Z",
                          "2025-1-22T07:00:00Z",
                          "1763794800",
                          "2025-11-22T07:00:00 Z"}) {
    EXPECT_EQ(rfc(bad), none) << bad;
  }
}

}  // namespace
}  // namespace windrow
