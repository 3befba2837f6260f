// Values: encoding, order and JSON.
#include "host/engine/value.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace windrow {
namespace {

std::string json(Scalar const& v) {
  std::string out;
  append_json(v, out);
  return out;
}
std::string list_of(std::vector<Scalar> const& values) {
  std::string out;
  ContainerEncoder list(Scalar::Kind::list, out);
  for (Scalar const& v : values) {
    list.add(v);
  }
  list.close();
  return out;
}

}  // namespace

TEST(ValueTest, JsonIsUtf8WhateverIsInAText) {
  EXPECT_EQ(json(Scalar::of_string("a\u00e9\u20ac\U0001f600b")), "\"a\u00e9\u20ac\U0001f600b\"");
  EXPECT_EQ(json(Scalar::of_string("a\xff\xc3")), "\"a\\ufffd\\ufffd\"");
  EXPECT_EQ(json(Scalar::of_string("\xed\xa0\x80!")), "\"\\ufffd\\ufffd\\ufffd!\"");  // a surrogate
}

TEST(ValueTest, ScalarsComeBackFromTheirEncoding) {
  std::string out;
  std::vector<Scalar> const values{
      Scalar::null(),   Scalar::of(true),          Scalar::of(std::int64_t{-7}),
      Scalar::of(0.25), Scalar::of_string("a\0b"), Scalar::of_bytes("\xff")};
  for (Scalar const& v : values) {
    encode(v, out);
  }
  std::string_view rest = out;
  for (Scalar const& v : values) {
    Scalar const back = decode(rest);
    EXPECT_EQ(back.kind, v.kind);
    EXPECT_EQ(compare(back, v), 0);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(ValueTest, NestedContainersAreWalkedInOrder) {
  std::string out;
  ContainerEncoder top(Scalar::Kind::structure, out);
  top.name("tags");
  {
    ContainerEncoder tags(Scalar::Kind::list, top.member());
    tags.add(Scalar::of_string("x"));
    tags.add(Scalar::null());
    tags.close();
  }
  top.name("n");
  top.add(Scalar::of(std::int64_t{3}));
  top.close();

  EXPECT_EQ(json(Scalar::of_encoded(out)), R"({"tags":["x",null],"n":3})");
  EXPECT_EQ(member_of(out, "n").integer, 3);
  EXPECT_TRUE(member_of(out, "m").is_null());
  EXPECT_EQ(ContainerReader(member_of(out, "tags").text).count(), 2U);
}

TEST(ValueTest, OrderPutsNullFirstNegativeZeroBeforeZeroAndNanLast) {
  double const inf = std::numeric_limits<double>::infinity();
  double const nan = std::nan("");
  std::string const one = list_of({Scalar::of(std::int64_t{1})});
  std::string const two = list_of({Scalar::of(std::int64_t{1}), Scalar::null()});
  std::vector<Scalar> const ascending{Scalar::null(),
                                      Scalar::of(false),
                                      Scalar::of(true),
                                      Scalar::of(-inf),
                                      Scalar::of(INT64_MIN),
                                      Scalar::of(-1.5),
                                      Scalar::of(std::int64_t{-1}),
                                      Scalar::of(-0.0),
                                      Scalar::of(std::int64_t{0}),
                                      Scalar::of(5e-324),
                                      Scalar::of(std::int64_t{9007199254740992}),
                                      Scalar::of(std::int64_t{9007199254740993}),
                                      Scalar::of(INT64_MAX),
                                      Scalar::of(0x1p63),
                                      Scalar::of(inf),
                                      Scalar::of(nan),
                                      Scalar::of_string(""),
                                      Scalar::of_string("a"),
                                      Scalar::of_string("a\xc3"),
                                      Scalar::of_bytes(""),
                                      Scalar::of_encoded(one),
                                      Scalar::of_encoded(two)};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(compare(ascending[i], ascending[j]), i < j ? -1 : i > j ? 1 : 0) << i << " " << j;
    }
  }
  EXPECT_EQ(compare(Scalar::of(std::int64_t{9007199254740993}), Scalar::of(9007199254740992.0)), 1);
  EXPECT_EQ(compare(Scalar::of(std::int64_t{0}), Scalar::of(0.0)), 0);
  EXPECT_EQ(compare(Scalar::of(nan), Scalar::of(-nan)), 0);
}

TEST(ValueTest, JsonEscapesTextAndNamesWhatJsonCannotHold) {
  EXPECT_EQ(json(Scalar::of_string("a\"\\\n\x01\xc3\xa9")), "\"a\\\"\\\\\\n\\u0001\xc3\xa9\"");
  EXPECT_EQ(json(Scalar::of_bytes("\xff")), "\"/w==\"");
  EXPECT_EQ(json(Scalar::of_bytes("ab")), "\"YWI=\"");
  EXPECT_EQ(json(Scalar::of_bytes("abc")), "\"YWJj\"");
  EXPECT_EQ(json(Scalar::of(std::nan(""))), "\"NaN\"");
  EXPECT_EQ(json(Scalar::of(-std::numeric_limits<double>::infinity())), "\"-Infinity\"");
  EXPECT_EQ(json(Scalar::of(0.1)), "0.1");
  EXPECT_EQ(json(Scalar::of(3.0)), "3.0");
  EXPECT_EQ(json(Scalar::of(-0.0)), "-0.0");
  EXPECT_EQ(json(Scalar::of(1e300)), "1e+300");
  EXPECT_EQ(json(Scalar::of(INT64_MIN)), "-9223372036854775808");
}

RC_GTEST_PROP(ValueTest, JsonNumbersReadBackAsTheSameDouble, (std::int64_t bits)) {
  double const v = std::bit_cast<double>(bits);
  RC_PRE(std::isfinite(v));
  RC_ASSERT(std::bit_cast<std::int64_t>(std::strtod(json(Scalar::of(v)).c_str(), nullptr)) == bits);
}

RC_GTEST_PROP(ValueTest, IntegersAndNumbersCompareAsExactly, (std::int64_t a, std::int64_t b)) {
  // Every int64 is exact in x87 long double, which is this test's independent answer.
  auto const x = static_cast<long double>(a);
  auto const y = static_cast<double>(b);
  int const expected = x < y ? -1 : x > y ? 1 : 0;
  RC_ASSERT(compare(Scalar::of(a), Scalar::of(y)) == expected);
  RC_ASSERT(compare(Scalar::of(y), Scalar::of(a)) == -expected);
}

}  // namespace windrow
