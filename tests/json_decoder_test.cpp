// Records into columns: every fault named, neighbours intact, whatever stands beside whom.
#include "ingest/json_decoder.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/decoded.hpp"

namespace windrow {
namespace {

using testing::lines_of;
using testing::Messages;
using Lines = std::vector<std::string>;

Field field(std::string name, ValueType type, bool nullable = true) {
  return {std::move(name), {type, {}}, nullable};
}
Schema const page{{field("user", ValueType::string, false), field("n", ValueType::integer),
                   field("x", ValueType::number), field("ok", ValueType::boolean)}};

Lines decode(JsonDecoderOptions const& options, Lines const& records, bool messages = false) {
  Messages raw;
  for (std::string const& record : records) {
    raw.add(record);
  }
  JsonDecoder decoder(options);
  DecodedChunk chunk;
  decoder.decode(raw.batch(), 0, records.size(), chunk);
  EXPECT_EQ(chunk.read, chunk.rows.rows() + chunk.rejected.size());
  return lines_of(options.schema, chunk, messages);
}
// The one line that a record becomes between good neighbours, which must not change.
std::string one(JsonDecoderOptions const& options, std::string const& record) {
  std::string const good = options.event_time ? R"({"user":"g","ts":1})" : R"({"user":"g"})";
  Lines const alone = decode(options, {record});
  Lines const between = decode(options, {good, record, good});
  EXPECT_EQ(alone.size(), 1U) << record;
  EXPECT_EQ(between.size(), 3U) << record;
  EXPECT_EQ(between[0].substr(0, 14), R"(0: {"user":"g")") << record;
  std::string const& second = alone[0].find('{') == std::string::npos ? between[2] : between[1];
  EXPECT_EQ(alone[0].substr(1), second.substr(1)) << record;
  return alone[0].substr(alone[0].find(' ') + 1);
}
std::string one(Schema const& schema, std::string const& record) {
  return one(JsonDecoderOptions{schema, PayloadFormat::json, {}, false}, record);
}
std::string page_of(std::string const& record) { return one(page, record); }
// The value of field `v` of that type.
std::string value_of(FieldType const& type, std::string const& text) {
  Schema const schema{{field("user", ValueType::string), {"v", type, true}}};
  std::string const line = one(schema, R"({"user":"g","v":)" + text + "}");
  std::string const start = R"({"user":"g","v":)";
  return line.starts_with(start) ? line.substr(start.size(), line.size() - start.size() - 1) : line;
}
std::string value_of(ValueType type, std::string const& text) { return value_of({type, {}}, text); }

TEST(JsonDecoderTest, FieldsComeInAnyOrderAndAbsentOnesAreNull) {
  std::string const row = R"({"user":"a","n":1,"x":2.5,"ok":true})";
  EXPECT_EQ(page_of(row), row);
  EXPECT_EQ(page_of(R"( { "ok" : true , "x":2.5,"skip":[{}, "]"],"n":1 , "user" : "a" } )"), row);
  EXPECT_EQ(page_of("\xef\xbb\xbf{\"user\":\"a\",\r\n\"n\":1,\"x\":2.5,\"ok\":true}\r\n"), row);
  EXPECT_EQ(page_of(R"({"user":"a","x":null})"), R"({"user":"a","n":null,"x":null,"ok":null})");
  EXPECT_EQ(page_of(R"({"n":1})"), "missing_field");
  EXPECT_EQ(page_of(R"({"user":null})"), "missing_field");
  EXPECT_EQ(page_of("{}"), "missing_field");
}

TEST(JsonDecoderTest, TheFirstOfDuplicateKeysWinsWhateverOrderWasLearnt) {
  EXPECT_EQ(page_of(R"({"user":"a","n":1,"user":"b","n":"no"})"),
            R"({"user":"a","n":1,"x":null,"ok":null})");
  JsonDecoderOptions const options{page, PayloadFormat::json, {}, false};
  Lines const lines =
      decode(options, {R"({"n":1,"user":"a"})", R"({"user":"first","n":2,"user":"second"})"});
  EXPECT_EQ(lines[1], R"(1: {"user":"first","n":2,"x":null,"ok":null})");
}

TEST(JsonDecoderTest, KeysAreComparedAfterUnescaping) {
  EXPECT_EQ(page_of(R"({"\u0075s\u0065r":"a","n\\":1})"),
            R"({"user":"a","n":null,"x":null,"ok":null})");
  EXPECT_EQ(page_of(R"({"user":"a","\u0075ser":"b","\q":1})"), "bad_json");
}

TEST(JsonDecoderTest, IntegersAreExactWithin64Bits) {
  EXPECT_EQ(value_of(ValueType::integer, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(value_of(ValueType::integer, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(value_of(ValueType::integer, "9223372036854775808"), "integer_overflow");
  EXPECT_EQ(value_of(ValueType::integer, "-9223372036854775809"), "integer_overflow");
  EXPECT_EQ(value_of(ValueType::integer, std::string(400, '9')), "integer_overflow");
  EXPECT_EQ(value_of(ValueType::integer, "-0"), "0");
  for (char const* other : {"1.0", "1e2", "true", "\"1\"", "[]", "{}"}) {
    EXPECT_EQ(value_of(ValueType::integer, other), "wrong_type") << other;
  }
  for (char const* bad :
       {"01", "+1", "-", "1x", "0x1", "nul", "tru", "'1'", "1.", ".5", "1e", "NaN"}) {
    EXPECT_EQ(value_of(ValueType::integer, bad), "bad_json") << bad;
  }
}

TEST(JsonDecoderTest, NumbersTakeEveryJsonNumberAndTheThreeNames) {
  EXPECT_EQ(value_of(ValueType::number, "9223372036854775808"),
            value_of(ValueType::number, "9.223372036854775808e18"));
  EXPECT_EQ(value_of(ValueType::number, "9007199254740993"),
            value_of(ValueType::number, "9007199254740992"));
  EXPECT_EQ(value_of(ValueType::number, "123456789012345678901234567890"),
            value_of(ValueType::number, "1.2345678901234567890123456789e29"));
  EXPECT_EQ(value_of(ValueType::number, "0." + std::string(400, '3')),
            value_of(ValueType::number, "0.3333333333333333"));
  EXPECT_EQ(value_of(ValueType::number, "\"NaN\""), "\"NaN\"");
  EXPECT_EQ(value_of(ValueType::number, "\"-Infinity\""), "\"-Infinity\"");
  EXPECT_EQ(value_of(ValueType::number, "1e400"), "wrong_type");
  EXPECT_EQ(value_of(ValueType::number, "\"1\""), "wrong_type");
  EXPECT_EQ(value_of(ValueType::number, "Infinity"), "bad_json");
  EXPECT_EQ(value_of(ValueType::number, "1e-400"), value_of(ValueType::number, "0.0"));
}

TEST(JsonDecoderTest, StringsAreUnescapedAndTakeIntegersOfAnySize) {
  EXPECT_EQ(value_of(ValueType::string, R"("a\u00e9\n\u0000\ud83d\ude00")"),
            "\"a\xc3\xa9\\n\\u0000\xf0\x9f\x98\x80\"");
  EXPECT_EQ(value_of(ValueType::string, "\"\""), "\"\"");
  EXPECT_EQ(value_of(ValueType::string, "18446744073709551616"), "\"18446744073709551616\"");
  EXPECT_EQ(value_of(ValueType::string, "-5"), "\"-5\"");
  EXPECT_EQ(value_of(ValueType::string, "1.5"), "wrong_type");
  EXPECT_EQ(value_of(ValueType::string, "false"), "wrong_type");
  EXPECT_EQ(value_of(ValueType::string, R"("\ud800")"), "bad_json");
  EXPECT_EQ(value_of(ValueType::string, R"("\udc00\ud800")"), "bad_json");
  EXPECT_EQ(value_of(ValueType::string, R"("\x")"), "bad_json");
  EXPECT_EQ(value_of(ValueType::string, "\"a\nb\""), "bad_json");
  EXPECT_EQ(value_of(ValueType::string, std::string("\"a\0b\"", 5)), "bad_json");
  EXPECT_EQ(value_of(ValueType::string, "\"\xc3\x28\""), "bad_utf8");
  EXPECT_EQ(value_of(ValueType::string, "\"\xed\xa0\x80\""), "bad_utf8");
  EXPECT_EQ(value_of(ValueType::string, "\"\xc0\xaf\""), "bad_utf8");
}

TEST(JsonDecoderTest, BytesAreBase64) {
  EXPECT_EQ(value_of(ValueType::bytes, "\"AAEC/w==\""), "\"AAEC/w==\"");
  EXPECT_EQ(value_of(ValueType::bytes, "\"AAE\""), "\"AAE=\"");
  EXPECT_EQ(value_of(ValueType::bytes, "\"A\""), "wrong_type");
  EXPECT_EQ(value_of(ValueType::bytes, "\"a b c\""), "wrong_type");
  EXPECT_EQ(value_of(ValueType::bytes, "1"), "wrong_type");
}

TEST(JsonDecoderTest, OpenContainersKeepWhatTheyHold) {
  EXPECT_EQ(value_of(ValueType::structure, R"({"b":[1,2.5,"x",null,true,{"a":{}}],"a":-1,"b":0})"),
            R"({"b":[1,2.5,"x",null,true,{"a":{}}],"a":-1})");
  EXPECT_EQ(value_of(ValueType::list, "[]"), "[]");
  EXPECT_EQ(value_of(ValueType::list, "{}"), "wrong_type");
  EXPECT_EQ(value_of(ValueType::structure, "[1]"), "wrong_type");
  EXPECT_EQ(value_of(ValueType::list, "null"), "null");
  EXPECT_EQ(value_of(ValueType::list, "[9223372036854775808]"), "integer_overflow");
  EXPECT_EQ(value_of(ValueType::list, "[1,]"), "bad_json");
  EXPECT_EQ(value_of(ValueType::list, "[1 2]"), "bad_json");
  EXPECT_EQ(value_of(ValueType::list, "[tru]"), "bad_json");
  EXPECT_EQ(value_of(ValueType::structure, R"({"a":1)"), "bad_json");
}

TEST(JsonDecoderTest, DeclaredContainersAreCheckedAndPutInOrder) {
  FieldType const user{ValueType::structure,
                       {field("id", ValueType::integer, false), field("w", ValueType::number)}};
  EXPECT_EQ(value_of(user, R"({"w":1.5,"z":[[]],"id":7,"id":8})"), R"({"id":7,"w":1.5})");
  EXPECT_EQ(value_of(user, R"({"id":7})"), R"({"id":7,"w":null})");
  EXPECT_EQ(value_of(user, R"({"w":1})"), "missing_field");
  EXPECT_EQ(value_of(user, R"({"id":null})"), "missing_field");
  EXPECT_EQ(value_of(user, R"({"id":"7"})"), "wrong_type");
  FieldType const users{ValueType::list, {Field{"", user, false}}};
  EXPECT_EQ(value_of(users, R"([{"id":1},{"id":2,"w":0.5}])"),
            R"([{"id":1,"w":null},{"id":2,"w":0.5}])");
  EXPECT_EQ(value_of(users, R"([{"id":1},null])"), "missing_field");
  EXPECT_EQ(value_of(users, R"([{"id":1},3])"), "wrong_type");
}

TEST(JsonDecoderTest, NestingIsHeldAt128) {
  auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(value_of(ValueType::list, nested(128)), nested(128));
  EXPECT_EQ(value_of(ValueType::list, nested(129)), "too_deep");
  EXPECT_EQ(value_of(ValueType::list, nested(10'000)), "too_deep");
  std::string objects, close;
  for (int i = 0; i < 100'000; ++i) {
    objects += R"({"a":)";
  }
  EXPECT_EQ(value_of(ValueType::structure, objects + "1" + std::string(100'000, '}')), "too_deep");
  EXPECT_EQ(value_of(ValueType::structure, objects), "bad_json");
  EXPECT_EQ(page_of(objects), "bad_json");
  EXPECT_EQ(page_of(std::string(10'000, '[')), "too_deep");
  JsonDecoderOptions const full{{{field("user", ValueType::string), field("v", ValueType::list)}},
                                PayloadFormat::json,
                                {},
                                true};
  EXPECT_EQ(one(full, R"({"user":"g","v":)" + nested(128) + "}"),
            R"({"user":"g","v":)" + nested(128) + "}");
  EXPECT_EQ(one(full, R"({"user":"g","v":)" + nested(129) + "}"), "too_deep");
  EXPECT_EQ(one(full, R"({"user":"g","skip":)" + nested(1000) + "}"), "too_deep");
}

TEST(JsonDecoderTest, WhatIsNoSingleObjectIsSetAside) {
  for (char const* bad : {"",
                          " ",
                          "{",
                          "}",
                          "{\"user\":\"a\"",
                          "{\"user\":\"a\"}}",
                          "{\"user\":\"a\"}{\"user\":\"b\"}",
                          "{\"user\":\"a\"} 1",
                          "{\"user\":\"a\",}",
                          "{\"user\" \"a\"}",
                          "{user:\"a\"}",
                          "{\"user\":\"a\" \"n\":1}",
                          "{\"user\":\"a",
                          "nonsense",
                          "{\"user\":",
                          "{\"user\": ",
                          "{'user':'a'}",
                          "\\",
                          "{\"user\":\"a\"}\\",
                          "[1",
                          "{\"user\":\"a\",\"n\":1]"}) {
    EXPECT_EQ(page_of(bad), "bad_json") << bad;
  }
  for (char const* other : {"1", "null", "\"x\"", "[]", "[{\"user\":\"a\"}]", "true"}) {
    EXPECT_EQ(page_of(other), "wrong_type") << other;
  }
  EXPECT_EQ(page_of("{\"user\":\"a\",\"skip\":\"\xff\"}"), "bad_utf8");
}

TEST(JsonDecoderTest, MessagesThatOnlyTogetherAreOneObjectAreSetAsideEach) {
  JsonDecoderOptions const options{page, PayloadFormat::json, {}, false};
  EXPECT_EQ(decode(options, {R"({"user":)", R"("a"})", R"({"user":"b"})", R"({"user":"c")", "}"}),
            (Lines{R"(2: {"user":"b","n":null,"x":null,"ok":null})", "0.0: bad_json",
                   "1.0: bad_json", "3.0: bad_json", "4.0: bad_json"}));
  EXPECT_EQ(decode(options, {R"({"user":)", R"("a"}{"user":"b"})"}),
            (Lines{"0.0: bad_json", "1.0: bad_json"}));
}

TEST(JsonDecoderTest, FullValidationLooksIntoSkippedValues) {
  std::string const record = R"({"user":"g","skip":[tru}]})";
  EXPECT_EQ(one({page, PayloadFormat::json, {}, true}, record), "bad_json");
  EXPECT_EQ(one({page, PayloadFormat::json, {}, true}, R"({"user":"g","skip":[true]})"),
            R"({"user":"g","n":null,"x":null,"ok":null})");
}

TEST(JsonDecoderTest, PackedLinesAreRecordsWithTheirNumber) {
  JsonDecoderOptions const options{page, PayloadFormat::ndjson, {}, false};
  EXPECT_EQ(
      decode(options, {"{\"user\":\"a\"}\r\n\n  \n{\"user\":7x}\n{\"user\":\"b\"",
                       "{\"user\":\"c\"}\n{\"user\":\"d\"}\n", ""}),
      (Lines{R"(0: {"user":"a","n":null,"x":null,"ok":null})",
             R"(1: {"user":"c","n":null,"x":null,"ok":null})",
             R"(1: {"user":"d","n":null,"x":null,"ok":null})", "0.3: bad_json", "0.4: bad_json"}));
}

TEST(JsonDecoderTest, SetAsideRecordsKeepTheirBytesAndSayWhere) {
  Messages raw;
  raw.add(R"({"user":"a"})");
  raw.add("{\"user\":\"b\"}\n{\"user\":\"c\",\"n\":\"many\"}");
  JsonDecoder decoder({page, PayloadFormat::ndjson, {}, false});
  DecodedChunk chunk;
  decoder.decode(raw.batch(), 0, 2, chunk);
  ASSERT_EQ(chunk.rejected.size(), 1U);
  EXPECT_EQ(chunk.rejected[0].record, 1U);
  EXPECT_EQ(chunk.rejected[0].line, 1U);
  EXPECT_EQ(chunk.rejected[0].bytes, R"({"user":"c","n":"many"})");
  EXPECT_EQ(chunk.rejected[0].message, "a field has another type: field=n value=\"many\"");
  EXPECT_EQ(chunk.rejected[0].bytes.data(), raw.batch().records[1].data + 13);
}

TEST(JsonDecoderTest, EventTimesFollowR4AndAreBadTimestampsOtherwise) {
  auto time = [](ValueType type, TimeUnit unit, std::string const& text) {
    Schema const schema{{field("user", ValueType::string), field("ts", type, false)}};
    JsonDecoderOptions const options{schema, PayloadFormat::json, {{"ts", unit}}, false};
    Lines const lines = decode(options, {R"({"ts":)" + text + "}"});
    std::size_t const at = lines[0].rfind('@');
    return at == std::string::npos ? lines[0].substr(5) : lines[0].substr(at + 1);
  };
  EXPECT_EQ(time(ValueType::integer, TimeUnit::ms, "5"), "5000");
  EXPECT_EQ(time(ValueType::integer, TimeUnit::ns, "-1"), "-1");
  EXPECT_EQ(time(ValueType::number, TimeUnit::s, "1763794800.123"), "1763794800123000");
  EXPECT_EQ(time(ValueType::number, TimeUnit::ns, "1763794800123456789"), "1763794800123456");
  EXPECT_EQ(time(ValueType::string, TimeUnit::s, "\"1.9999999\""), "1999999");
  EXPECT_EQ(time(ValueType::string, TimeUnit::s, "\"-0.0000001\""), "-1");
  EXPECT_EQ(time(ValueType::string, TimeUnit::ms, "7"), "7000");
  EXPECT_EQ(time(ValueType::string, TimeUnit::rfc3339, "\"1970-01-01T00:00:01+00:00\""), "1000000");
  for (char const* bad : {"null", "1.5", "\"5\"", "true", "[]", "9223372036854775807",
                          "9223372036854775808", "1e3"}) {
    EXPECT_EQ(time(ValueType::integer, TimeUnit::ms, bad), "bad_timestamp") << bad;
  }
  EXPECT_EQ(time(ValueType::string, TimeUnit::rfc3339, "\"yesterday\""), "bad_timestamp");
  EXPECT_EQ(time(ValueType::integer, TimeUnit::rfc3339, "5"), "bad_timestamp");
  EXPECT_EQ(time(ValueType::integer, TimeUnit::ms, "5x"), "bad_json");
}

TEST(JsonDecoderTest, TheTimeFieldNeedNotBeInTheSchema) {
  JsonDecoderOptions const options{
      {{field("user", ValueType::string)}}, PayloadFormat::json, {{"ts", TimeUnit::s}}, false};
  EXPECT_EQ(
      decode(options, {R"({"ts":1.5,"user":"a"})", R"({"user":"b"})", R"({"user":"c","ts":"2"})"}),
      (Lines{R"(0: {"user":"a"} @1500000)", R"(2: {"user":"c"} @2000000)", "1.0: bad_timestamp"}));
}

TEST(JsonDecoderTest, WithoutATimeFieldRowsHaveTheirRecordsTime) {
  Messages raw;
  raw.add(R"({"user":"a"})", EventTime{17});
  raw.add(R"({"user":"b"})", T_MAX);
  JsonDecoder decoder({page, PayloadFormat::json, {}, false});
  DecodedChunk chunk;
  decoder.decode(raw.batch(), 0, 2, chunk);
  EXPECT_EQ(lines_of(page, chunk),
            (Lines{R"(0: {"user":"a","n":null,"x":null,"ok":null} @17)", "1.0: bad_timestamp"}));
}

TEST(JsonDecoderTest, RawAndStringPayloadsAreOneField) {
  Schema const raw{{field("payload", ValueType::bytes, false)}},
      text{{field("payload", ValueType::string)}};
  EXPECT_EQ(decode({raw, PayloadFormat::raw, {}, false}, {"\xff\n", ""}),
            (Lines{R"(0: {"payload":"/wo="})", R"(1: {"payload":""})"}));
  EXPECT_EQ(decode({text, PayloadFormat::string, {}, false}, {"{\n", "\xff"}),
            (Lines{"0: {\"payload\":\"{\\n\"}", "1.0: bad_utf8"}));
  RawBatch tombstone;
  tombstone.records.push_back({});
  DecodedChunk chunk;
  JsonDecoder({raw, PayloadFormat::raw, {}, false}).decode(tombstone, 0, 1, chunk);
  EXPECT_EQ(lines_of(raw, chunk), Lines{"0.0: missing_field"});
  JsonDecoder({text, PayloadFormat::string, {}, false}).decode(tombstone, 0, 1, chunk);
  EXPECT_EQ(lines_of(text, chunk), Lines{R"(0: {"payload":null})"});
}

TEST(JsonDecoderTest, ARecordCutAtEveryByteIsSetAsideAndItsNeighboursAreNot) {
  std::string record =
      R"({"user":"a\"b","skip":{"deep":[[1,2],{"k":"v"}]},"n":123,"x":1.5e3,"ok":false,"pad":")";
  record += std::string(2048 - record.size() - 2, 'p') + "\"}";
  ASSERT_EQ(record.size(), 2048U);
  Lines batch;
  for (std::size_t n = 0; n <= record.size(); ++n) {
    batch.push_back(record.substr(0, n));
    batch.push_back(R"({"user":"n"})");
  }
  Lines const lines = decode({page, PayloadFormat::json, {}, false}, batch);
  ASSERT_EQ(lines.size(), batch.size());
  std::size_t good = 0, cut = 0;
  for (std::string const& line : lines) {
    good += line.ends_with(R"({"user":"n","n":null,"x":null,"ok":null})") ? 1 : 0;
    cut += line.ends_with(".0: bad_json") ? 1 : 0;
  }
  EXPECT_EQ(good, 2049U);
  EXPECT_EQ(cut, 2048U);
  EXPECT_EQ(lines[2048], R"(4096: {"user":"a\"b","n":123,"x":1500.0,"ok":false})")
      << "the whole record";
}

TEST(JsonDecoderTest, AChunkOfPoisonOnlyIsSetAsideWhole) {
  Lines const poison(5000, R"({"user":"a)");
  Lines const lines = decode({page, PayloadFormat::json, {}, false}, poison);
  ASSERT_EQ(lines.size(), 5000U);
  EXPECT_EQ(lines[4999], "4999.0: bad_json");
}

TEST(JsonDecoderTest, ARecordOf64MegabytesPasses) {
  std::string const value(64U << 20U, 'v');
  std::string const record = R"({"user":")" + value + R"("})";
  Messages raw;
  raw.add(R"({"user":"a"})");
  raw.add(record);
  raw.add(R"({"user":"b"})");
  JsonDecoder decoder({page, PayloadFormat::json, {}, false});
  DecodedChunk chunk;
  decoder.decode(raw.batch(), 0, 3, chunk);
  ASSERT_EQ(chunk.rows.rows(), 3U);
  EXPECT_EQ(chunk.rows.columns[0].view().text(0), "a");
  EXPECT_EQ(chunk.rows.columns[0].view().text(1), value);
  EXPECT_EQ(chunk.rows.columns[0].view().text(2), "b");
}

TEST(JsonDecoderTest, WhatARecordBecomesDoesNotDependOnItsNeighbours) {
  Lines const pool{R"({"user":"a"})",
                   R"({"n":2,"user":"b","x":1})",
                   R"({"user":"c","n":"no"})",
                   R"({"user":)",
                   R"("d"})",
                   "}",
                   R"({"user":"e"}{"user":"f"})",
                   R"({"user":"\ud800"})",
                   "{\"user\":\"\xff\"}",
                   "",
                   "[",
                   "12",
                   R"({"user":"g)",
                   R"({"user":"h","skip":[1})",
                   R"({"user":"i","skip":[{"user":"j"}]})",
                   "\"",
                   "\\",
                   R"({"user":"k\"})",
                   "{}",
                   "nul",
                   R"({"ok":true,"x":2,"n":3,"user":"l","user":"m"})",
                   ",",
                   R"({"user":"n"},)",
                   ":",
                   R"({"user":"o","n":1e})"};
  unsigned const seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  JsonDecoderOptions const options{page, PayloadFormat::json, {}, false};
  Lines alone;
  for (std::string const& record : pool) {
    alone.push_back(decode(options, {record})[0].substr(1));
  }
  for (unsigned round = 0; round < 300; ++round) {
    Lines records, expected_rows, expected_rejects;
    std::size_t const kinds =
        1 + random() % pool.size();  // of few kinds, so that streams live long
    for (std::size_t i = 0; i < 1 + round % 40; ++i) {
      std::size_t const pick = random() % 3 == 0 ? random() % kinds : random() % 2;
      records.push_back(pool[pick]);
      bool const row = alone[pick].starts_with(": ");
      (row ? expected_rows : expected_rejects).push_back(std::to_string(i) + alone[pick]);
    }
    expected_rows.insert(expected_rows.end(), expected_rejects.begin(), expected_rejects.end());
    ASSERT_EQ(decode(options, records), expected_rows);
  }
}

}  // namespace
}  // namespace windrow
