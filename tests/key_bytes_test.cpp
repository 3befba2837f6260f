// Key bytes: order, injectivity and the way back.
#include "host/engine/key_bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <deque>
#include <limits>

namespace windrow {
namespace {

Field field(ValueType type, bool nullable = true) { return {"f", {type, {}}, nullable}; }

std::string key_of(std::vector<Field> const& group, std::vector<Scalar> const& row) {
  std::vector<Column> columns;
  std::vector<ColumnView> views;
  for (std::size_t i = 0; i < group.size(); ++i) {
    columns.emplace_back(group[i].type.kind).append(row[i]);
  }
  for (Column const& column : columns) {
    views.push_back(column.view());
  }
  std::string scratch;
  return std::string(KeyBytes(group).of(views, 0, scratch));
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
void expect_ascending(ValueType type, std::vector<Scalar> const& values) {
  std::vector<Field> const group{field(type)};
  for (std::size_t i = 1; i < values.size(); ++i) {
    EXPECT_LT(key_of(group, {values[i - 1]}), key_of(group, {values[i]})) << i;
  }
}
int sign(int v) { return v < 0 ? -1 : v > 0 ? 1 : 0; }

// One value of the type out of few, so that equal ones and near ones are frequent.
Scalar some(ValueType type, std::deque<std::string>& texts) {
  if (*rc::gen::inRange(0, 5) == 0) {
    return Scalar::null();
  }
  switch (type) {
    case ValueType::boolean:
      return Scalar::of(*rc::gen::arbitrary<bool>());
    case ValueType::integer:
      return Scalar::of(
          *rc::gen::element<std::int64_t>(INT64_MIN, -256, -1, 0, 1, 255, 256, INT64_MAX));
    case ValueType::number:
      return Scalar::of(*rc::gen::element<double>(-INFINITY, -1e300, -1.5, -5e-324, 0.0, 5e-324,
                                                  2.0, 1e300, INFINITY));
    default:
      break;
  }
  std::string text;
  int const n = *rc::gen::inRange(0, 4);
  for (int i = 0; i < n; ++i) {
    text += *rc::gen::element('\0', '\1', 'a', '\xff');
  }
  texts.push_back(text);
  return type == ValueType::string ? Scalar::of_string(texts.back())
                                   : Scalar::of_bytes(texts.back());
}

}  // namespace

TEST(KeyBytesTest, OneStringThatIsNeverNullIsItsOwnKey) {
  std::vector<Field> const group{field(ValueType::string, false)};
  Column column(ValueType::string);
  column.append_text(std::string_view("a\0b", 3));
  std::vector<ColumnView> const views{column.view()};
  KeyBytes const keys(group);
  std::string scratch = "kept";
  std::string_view const key = keys.of(views, 0, scratch);
  EXPECT_EQ(key.data(), views[0].text(0).data());
  EXPECT_EQ(scratch, "kept");
  std::vector<Column> back{Column(ValueType::string)};
  keys.decode(key, back);
  EXPECT_EQ(back[0].view().text(0), std::string_view("a\0b", 3));
}

TEST(KeyBytesTest, NoFieldsAreOneKey) {
  EXPECT_EQ(key_of({}, {}), "");
  KeyBytes({}).decode("", {});
}

TEST(KeyBytesTest, OrderIsThatOfTheValues) {
  double const inf = std::numeric_limits<double>::infinity();
  expect_ascending(ValueType::integer, {Scalar::null(), Scalar::of(INT64_MIN),
                                        Scalar::of(std::int64_t{-1}), Scalar::of(std::int64_t{0}),
                                        Scalar::of(std::int64_t{256}), Scalar::of(INT64_MAX)});
  expect_ascending(ValueType::number, {Scalar::null(), Scalar::of(-inf), Scalar::of(-1.0),
                                       Scalar::of(-5e-324), Scalar::of(0.0), Scalar::of(5e-324),
                                       Scalar::of(inf), Scalar::of(std::nan(""))});
  expect_ascending(ValueType::boolean, {Scalar::null(), Scalar::of(false), Scalar::of(true)});
  expect_ascending(ValueType::string,
                   {Scalar::null(), Scalar::of_string(""), Scalar::of_string("a"),
                    Scalar::of_string({"a\0", 2}), Scalar::of_string({"a\0\0", 3}),
                    Scalar::of_string("a\1"), Scalar::of_string("ab"), Scalar::of_string("\xff")});
}

TEST(KeyBytesTest, EveryNanIsOneKeyAndNegativeZeroIsZero) {
  std::vector<Field> const group{field(ValueType::number)};
  EXPECT_EQ(key_of(group, {Scalar::of(-std::nan("7"))}), key_of(group, {Scalar::of(std::nan(""))}));
  EXPECT_EQ(key_of(group, {Scalar::of(-0.0)}), key_of(group, {Scalar::of(0.0)}));
  std::vector<Column> back{Column(ValueType::number)};
  KeyBytes(group).decode(key_of(group, {Scalar::of(-0.0)}), back);
  KeyBytes(group).decode(key_of(group, {Scalar::of(-std::nan("7"))}), back);
  EXPECT_FALSE(std::signbit(back[0].view().numbers()[0]));
  EXPECT_TRUE(std::isnan(back[0].view().numbers()[1]));
}

TEST(KeyBytesTest, ListsAndStructuresAreOrderedByMembersAndComeBack) {
  std::string const empty = list_of({});
  std::string const null = list_of({Scalar::null()});
  std::string const one = list_of({Scalar::of(std::int64_t{1})});
  std::string const longer = list_of({Scalar::of(std::int64_t{1}), Scalar::of_string({"\0x", 2})});
  std::string const nested =
      list_of({Scalar::of_encoded(longer), Scalar::of(true), Scalar::of(-2.5)});
  expect_ascending(ValueType::list, {Scalar::null(), Scalar::of_encoded(empty),
                                     Scalar::of_encoded(null), Scalar::of_encoded(one),
                                     Scalar::of_encoded(longer), Scalar::of_encoded(nested)});
  std::string structure;
  ContainerEncoder encoder(Scalar::Kind::structure, structure);
  encoder.name("a");
  encoder.add(Scalar::of_encoded(nested));
  encoder.name("");
  encoder.add(Scalar::of_bytes("\xff"));
  encoder.close();
  std::vector<Field> const group{field(ValueType::structure), field(ValueType::list)};
  std::vector<Column> back{Column(ValueType::structure), Column(ValueType::list)};
  KeyBytes(group).decode(key_of(group, {Scalar::of_encoded(structure), Scalar::of_encoded(nested)}),
                         back);
  EXPECT_EQ(back[0].view().text(0), structure);
  EXPECT_EQ(back[1].view().text(0), nested);
}

RC_GTEST_PROP(KeyBytesTest, KeysCompareAsTheirFieldsAndComeBack, ()) {
  std::vector<Field> group;
  std::vector<Scalar> a, b;
  std::deque<std::string> texts;
  int const fields = *rc::gen::inRange(1, 4);
  for (int i = 0; i < fields; ++i) {
    auto const type = *rc::gen::element(ValueType::boolean, ValueType::integer, ValueType::number,
                                        ValueType::string, ValueType::bytes);
    group.push_back(field(type));
    a.push_back(some(type, texts));
    b.push_back(*rc::gen::inRange(0, 3) == 0 ? a.back() : some(type, texts));
  }
  int expected = 0;
  for (std::size_t i = 0; i < a.size() && expected == 0; ++i) {
    expected = compare(a[i], b[i]);
  }
  std::string const key = key_of(group, a);
  RC_ASSERT(sign(key.compare(key_of(group, b))) == expected);

  std::vector<Column> back;
  for (Field const& f : group) {
    back.emplace_back(f.type.kind);
  }
  KeyBytes(group).decode(key, back);
  for (std::size_t i = 0; i < a.size(); ++i) {
    RC_ASSERT(compare(back[i].view().at(0), a[i]) == 0);
  }
}

}  // namespace windrow
