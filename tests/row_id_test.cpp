// Ids: their form, and that no two rows share one.
#include "host/engine/row_id.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <vector>

namespace windrow {
namespace {

std::string id_of(std::string_view prefix, Window window, std::vector<Scalar> const& fields) {
  std::string out;
  append_row_id(prefix, window, fields, out);
  return out;
}
std::string escaped(std::string_view text) {
  std::string out;
  escape_id_field(text, out);
  return out;
}
Window window(std::int64_t start, std::int64_t end) { return {EventTime{start}, EventTime{end}}; }
// Bytes that matter to escaping and to UTF-8, so that collisions would be found.
std::string some_text() {
  std::string text;
  int const n = *rc::gen::inRange(0, 6);
  for (int i = 0; i < n; ++i) {
    text +=
        *rc::gen::element('a', '|', '%', '~', '2', '5', 'F', '/', '\0', '\x1f', '\x7f', '\x80',
                          '\xa9', '\xc3', '\xe2', '\x82', '\xac', '\xed', '\xf0', '\xf4', '\xff');
  }
  return text;
}

}  // namespace

TEST(RowIdTest, ItNamesPrefixStartAndFields) {
  EXPECT_EQ(id_of("", window(60'000'000, 120'000'000), {Scalar::of_string("/home")}),
            "60000000|/home");
  EXPECT_EQ(id_of("views", window(-60, 0), {Scalar::of(std::int64_t{7}), Scalar::of_string("x")}),
            "views/-60|7|x");
  EXPECT_EQ(id_of("", window(0, 1), {}), "0");
  EXPECT_EQ(id_of("p", {T_MIN, T_END}, {Scalar::null()}), "p/global|%~");
  // A clipped window that starts at T_MIN is not the global one.
  EXPECT_EQ(id_of("", {T_MIN, EventTime{0}}, {}), "-9223372036854775000");
}

TEST(RowIdTest, FieldsOfEveryTypeHaveOneText) {
  Window const w = window(0, 1);
  EXPECT_EQ(id_of("", w, {Scalar::of(true), Scalar::of(0.5), Scalar::of_bytes("\xff|")}),
            "0|true|0.5|%FF%7C");
  EXPECT_EQ(id_of("", w, {Scalar::of(-0.0)}), id_of("", w, {Scalar::of(0.0)}));
  EXPECT_EQ(id_of("", w, {Scalar::of(std::nan(""))}), "0|\"NaN\"");
  std::string list;
  ContainerEncoder encoder(Scalar::Kind::list, list);
  encoder.add(Scalar::of_string("a|b"));
  encoder.close();
  EXPECT_EQ(id_of("", w, {Scalar::of_encoded(list)}), "0|[\"a%7Cb\"]");
}

TEST(RowIdTest, EscapingKeepsUtf8AndEncodesTheRest) {
  EXPECT_EQ(escaped("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(escaped("100%|a\n\x7f"), "100%25%7Ca%0A%7F");
  EXPECT_EQ(escaped("\xc3"), "%C3");                       // cut
  EXPECT_EQ(escaped("\xc0\xaf"), "%C0%AF");                // overlong
  EXPECT_EQ(escaped("\xe0\x80\xaf"), "%E0%80%AF");         // overlong
  EXPECT_EQ(escaped("\xed\xa0\x80"), "%ED%A0%80");         // surrogate
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "%F4%90%80%80");  // above U+10FFFF
  EXPECT_EQ(escaped("\xc3\xc3\xa9"), "%C3\xc3\xa9");
}

TEST(RowIdTest, OnlyWhatEscapingMakesIsUnescaped) {
  for (std::string_view const wrong :
       {"%~", "%", "%4", "%zz", "%c3", "%41", "a|b", "\xff", "%C3%A9"}) {
    std::string out = "kept";
    EXPECT_FALSE(unescape_id_field(wrong, out)) << wrong;
    EXPECT_EQ(out, "kept");
  }
}

RC_GTEST_PROP(RowIdTest, UnescapingGivesTheTextBack, ()) {
  std::string const text = some_text();
  std::string back = "x";
  RC_ASSERT(unescape_id_field(escaped(text), back));
  RC_ASSERT(back == "x" + text);
}

// Fields of one sink have fixed types and number; here two nullable strings behind any window.
RC_GTEST_PROP(RowIdTest, DifferentRowsHaveDifferentIds, ()) {
  std::deque<std::string> texts;
  auto const field = [&texts] {
    if (*rc::gen::inRange(0, 4) == 0) {
      return Scalar::null();
    }
    texts.push_back(some_text());
    return Scalar::of_string(texts.back());
  };
  auto const row = [&field] {
    return std::pair(
        Window{*rc::gen::element(T_MIN, EventTime{-1}, EventTime{0}, EventTime{12}), T_END},
        std::vector{field(), field()});
  };
  auto const a = row();
  auto const b = row();
  bool const same = a.first == b.first && compare(a.second[0], b.second[0]) == 0 &&
                    compare(a.second[1], b.second[1]) == 0;
  RC_ASSERT((id_of("", a.first, a.second) == id_of("", b.first, b.second)) == same);
}

}  // namespace windrow
