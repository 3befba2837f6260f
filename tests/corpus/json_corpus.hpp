// Hostile records of our own, made by rules: structure, numbers, text, depth, cuts and single
// bytes.
#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "host/engine/batch.hpp"

namespace windrow::testing {

struct CorpusCase {
  std::string name;  // family and number: stable, names the line of the golden file
  std::string bytes;
};

// What the corpus is decoded as.
inline Schema corpus_schema() {
  auto const nullable = [](std::string name, ValueType kind, std::vector<Field> children = {}) {
    return Field{std::move(name), {kind, std::move(children)}, true};
  };
  return {{Field{"user", {ValueType::string, {}}, false}, nullable("n", ValueType::integer),
           nullable("x", ValueType::number), nullable("ok", ValueType::boolean),
           nullable("tags", ValueType::list), nullable("obj", ValueType::structure),
           nullable("who", ValueType::structure, {Field{"id", {ValueType::integer, {}}, false}})}};
}

inline std::vector<CorpusCase> json_corpus() {
  std::vector<CorpusCase> cases;
  std::string family;
  std::size_t number = 0;
  auto const start = [&](std::string name) {
    family = std::move(name);
    number = 0;
  };
  auto const add = [&](std::string bytes) {
    cases.push_back({fmt::format("{}-{:04}", family, number), std::move(bytes)});
    number += 1;
  };
  auto const with = [](std::string const& field, std::string const& value) {
    return fmt::format(R"({{{}"{}":{}}})", field == "user" ? "" : R"("user":"u",)", field, value);
  };

  start("structure");
  for (char const* text : {"",
                           " ",
                           "\t\r\n",
                           "{}",
                           "[]",
                           "0",
                           "null",
                           "true",
                           "\"\"",
                           "\"user\"",
                           "{",
                           "}",
                           "[",
                           "]",
                           ",",
                           ":",
                           "\"",
                           "\\",
                           "{}{}",
                           "{}}",
                           "{{}",
                           "{]",
                           "[}",
                           "[[]",
                           "{\"user\"",
                           "{\"user\":",
                           "{\"user\":}",
                           "{\"user\",\"u\"}",
                           "{\"user\" \"u\"}",
                           "{\"user\"::\"u\"}",
                           "{\"user\":\"u\",}",
                           "{,\"user\":\"u\"}",
                           "{\"user\":\"u\",,\"n\":1}",
                           "{\"user\":\"u\";\"n\":1}",
                           "{\"user\":\"u\" \"n\":1}",
                           "{\"user\":\"u\"]",
                           "{\"user\":\"u\"",
                           "{\"user\":\"u\"}}",
                           "{\"user\":\"u\"}]",
                           "{\"user\":\"u\"},",
                           "{\"user\":\"u\"}x",
                           "{\"user\":\"u\"}\"",
                           "{\"user\":\"u\"}{\"user\":\"v\"}",
                           "{\"user\":\"u\"}\n{\"user\":\"v\"}",
                           "{\"user\":\"u\"} 1",
                           "x{\"user\":\"u\"}",
                           "[{\"user\":\"u\"}]",
                           "{'user':'u'}",
                           "{user:\"u\"}",
                           "{1:\"u\"}",
                           "{null:1}",
                           "{[]:1}",
                           "{\"user\":u}",
                           "// c\n{\"user\":\"u\"}",
                           "{\"user\":\"u\"/*c*/}",
                           "{\"user\":\"u\"}#",
                           "{\"user\":undefined}",
                           "{\"user\":\"u\",\"skip\":nul}",
                           "{\"user\":\"u\",\"skip\":[1,]}",
                           "{\"user\":\"u\",\"skip\":[1}",
                           "{\"user\":\"u\",\"skip\":{1]}",
                           "{\"user\":\"u\",\"skip\":[1}}",
                           "{\"user\":\"u\",\"skip\":{\"a\"}}",
                           "{\"user\":\"u\",\"skip\":[[[]]}",
                           "{\"user\":\"u\",\"skip\":\"\\x\"}",
                           "{\"user\":\"u\",\"skip\":01}",
                           "\xef\xbb\xbf{\"user\":\"u\"}",
                           "\xef\xbb\xbf\xef\xbb\xbf{\"user\":\"u\"}",
                           "{\xef\xbb\xbf\"user\":\"u\"}",
                           "\xfe\xff{\"user\":\"u\"}",
                           "  {\"user\":\"u\"}  ",
                           "\n\n{\"user\":\n\"u\"\n}\n",
                           "\f{\"user\":\"u\"}",
                           "{\"user\":\"u\"\v}",
                           "{\"user\":\"u\"}\xc2\xa0",
                           "{\"a\":{\"user\":\"v\"},\"user\":\"u\"}",
                           "{\"\":1,\"user\":\"u\"}"}) {
    add(text);
  }
  add(std::string("{\"user\":\"u\"}\0", 13));
  add(std::string("\0", 1));

  start("keys");
  for (char const* text :
       {R"({"user":"a","user":"b"})", R"({"user":null,"user":"b"})", R"({"user":"a","user":1.5})",
        R"({"n":1,"n":"x","user":"u"})", R"({"\u0075ser":"u"})", R"({"us\u0065r":"u","user":"v"})",
        R"({"\user":"u"})", R"({"user\u0000":"u"})", R"({"USER":"u"})", R"({"user ":"u"})",
        R"({"user":"u","\ud800":1})", R"({"user":"u","\ud83d\ude00":1})",
        R"({"user":"u","a\"b":1})", R"({"user":"u","n\/":1})"}) {
    add(text);
  }
  std::string many = R"({"user":"u")";
  for (int i = 0; i < 10'000; ++i) {
    many += fmt::format(",\"f{}\":{}", i, i);
  }
  add(many + "}");
  add(R"({"user":"u",")" + std::string(100'000, 'k') + R"(":1})");

  start("numbers");
  for (char const* field : {"n", "x", "user", "tags", "obj"}) {
    for (std::string const& text :
         std::vector<std::string>{"0",
                                  "-0",
                                  "1",
                                  "-1",
                                  "00",
                                  "01",
                                  "-01",
                                  "+1",
                                  "-",
                                  "--1",
                                  "1.",
                                  ".1",
                                  "-.1",
                                  "1.0",
                                  "-0.0",
                                  "1e0",
                                  "1E+2",
                                  "1e-2",
                                  "1e",
                                  "1e+",
                                  "1e1.5",
                                  "1x",
                                  "1 2",
                                  "0x1",
                                  "1_000",
                                  "1,",
                                  "9223372036854775807",
                                  "9223372036854775808",
                                  "-9223372036854775808",
                                  "-9223372036854775809",
                                  "18446744073709551615",
                                  "18446744073709551616",
                                  "123456789012345678901234567890",
                                  "9007199254740993",
                                  "1e308",
                                  "1.8e308",
                                  "1e309",
                                  "-1e400",
                                  "1e-400",
                                  "4.9e-324",
                                  "2.2250738585072011e-308",
                                  "NaN",
                                  "-NaN",
                                  "Infinity",
                                  "-Infinity",
                                  "\"NaN\"",
                                  "\"Infinity\"",
                                  "\"-Infinity\"",
                                  "\"1\"",
                                  "true",
                                  "[]",
                                  "{}",
                                  "[1]",
                                  "{\"a\":1e400}",
                                  "[9223372036854775808]",
                                  std::string(400, '7'),
                                  "0." + std::string(400, '3'),
                                  "1" + std::string(400, '0') + "e-400"}) {
      add(with(field, text));
    }
  }

  start("text");
  for (std::string const& text :
       std::vector<std::string>{R"("\"\\\/\b\f\n\r\t")",
                                R"("\u00e9")",
                                R"("\u0000")",
                                R"("\uD83D\uDE00")",
                                R"("\uD83D")",
                                R"("\uDE00")",
                                R"("\uD83D\uD83D")",
                                R"("\uD83Dx")",
                                R"("\uDE00\uD83D")",
                                R"("\u12")",
                                R"("\u123g")",
                                R"("\u")",
                                R"("\U0041")",
                                R"("\a")",
                                R"("\0")",
                                R"("\)",
                                R"("\\)",
                                R"("a)",
                                R"(a")",
                                R"('a')",
                                "\"\x7f\"",
                                "\"\xc3\xa9\"",
                                "\"\xe2\x82\xac\"",
                                "\"\xf0\x9f\x98\x80\"",
                                "\"\xc3\"",
                                "\"\xc3\x28\"",
                                "\"\xa0\xa1\"",
                                "\"\xe2\x28\xa1\"",
                                "\"\xe2\x82\"",
                                "\"\xf0\x28\x8c\xbc\"",
                                "\"\xf8\x88\x80\x80\x80\"",
                                "\"\xc0\x80\"",
                                "\"\xe0\x80\xaf\"",
                                "\"\xed\xa0\x80\"",
                                "\"\xf4\x90\x80\x80\"",
                                "\"\xff\"",
                                "\"\xfe\"",
                                "\"\xef\xbf\xbf\"",
                                "\"\xe2\x80\xa8\"",
                                "\"" + std::string(300'000, 'v') + "\""}) {
    add(with("user2", text));
    add(with("obj", fmt::format(R"({{"k":{}}})", text)));
    add(fmt::format(R"({{"user":{}}})", text));
  }

  start("depth");
  for (std::size_t const n : {1U, 127U, 128U, 129U, 1000U, 10'000U}) {
    std::string const open(n, '['), close(n, ']');
    for (char const* field : {"tags", "skip"}) {
      add(with(field, open + close));
      add(with(field, open));
    }
    std::string objects;
    for (std::size_t i = 0; i < n; ++i) {
      objects += R"({"a":)";
    }
    add(with("obj", objects + "1" + std::string(n, '}')));
    add(with("obj", objects));
    add(objects);
    add(open);
  }
  start("members");
  for (char const* text :
       {R"({"id":1})", R"({})", R"({"id":null})", R"({"id":"1"})", R"({"id":1,"id":2})",
        R"({"ID":1})", R"({"id":1.5})", R"([])", R"(1)", R"({"id":9223372036854775808})",
        R"({"\u0069d":1})", R"({"id":1,"more":[{}]})", R"({"id":1)", R"({"id":1]})",
        R"({"id" 1})"}) {
    add(with("who", text));
  }

  std::string const record = R"({"user":"a\u00e9b","n":-12,"x":1.5e3,"ok":true)"
                             R"(,"tags":[1,"t",null],"obj":{"k":{}},"who":{"id":7}})";
  start("cut");
  for (std::size_t n = 0; n <= record.size(); ++n) {
    add(record.substr(0, n));
  }
  for (std::size_t n = 1; n < record.size(); ++n) {
    add(record.substr(n));
  }
  start("byte");
  for (std::size_t const at : {0U, 3U, 9U, 19U, 24U, 30U, 45U, 60U}) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = record;
      changed[at] = static_cast<char>(byte);
      add(changed);
    }
  }
  return cases;
}

}  // namespace windrow::testing
