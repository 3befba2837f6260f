// Schemas from rows.
#include "ingest/schema_inference.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace windrow {
namespace {

InferredSchema inferred_of(std::string const& text) {
  std::string const path = ::testing::TempDir() + "rows-" + std::to_string(::getpid()) + ".ndjson";
  std::ofstream(path, std::ios::binary) << text;
  InferredSchema inferred = infer_json_schema(path);
  std::filesystem::remove(path);
  return inferred;
}
Field field(std::string name, ValueType kind, std::vector<Field> children = {}) {
  return {std::move(name), {kind, std::move(children)}, true};
}

TEST(SchemaInferenceTest, FieldsComeInOrderOfAppearanceWithTheWidestType) {
  InferredSchema const inferred = inferred_of(
      "{\"ts\":1763794800123,\"url\":\"/a\",\"x\":1,\"none\":null}\n"
      "not json\n[1]\n"
      "{\"url\":null,\"x\":2.5,\"ok\":true,\"big\":18446744073709551615}\n");
  ASSERT_TRUE(inferred.schema) << inferred.fault;
  EXPECT_EQ(*inferred.schema,
            (Schema{{field("ts", ValueType::integer), field("url", ValueType::string),
                     field("x", ValueType::number), field("none", ValueType::string),
                     field("ok", ValueType::boolean), field("big", ValueType::number)}}));
  EXPECT_EQ(inferred.numbers.at("ts"), 1763794800123.0);
  EXPECT_EQ(inferred.numbers.at("x"), 1.0);
}

TEST(SchemaInferenceTest, NestedValuesAreMergedAndMixedListsAreOpen) {
  InferredSchema const inferred = inferred_of(
      "{\"u\":{\"id\":1},\"l\":[{\"a\":1}],\"m\":[1,\"x\"],\"e\":[],\"n\":[null]}\n"
      "{\"u\":{\"id\":2.5,\"w\":\"y\"},\"l\":[{\"b\":true}],\"m\":[],\"e\":[]}\n");
  ASSERT_TRUE(inferred.schema) << inferred.fault;
  EXPECT_EQ(
      *inferred.schema,
      (Schema{{field("u", ValueType::structure,
                     {field("id", ValueType::number), field("w", ValueType::string)}),
               field("l", ValueType::list,
                     {field("", ValueType::structure,
                            {field("a", ValueType::integer), field("b", ValueType::boolean)})}),
               field("m", ValueType::list), field("e", ValueType::list),
               field("n", ValueType::list)}}));
}

TEST(SchemaInferenceTest, OnlyTheFirstRowsAreRead) {
  std::string text;
  for (std::size_t i = 0; i < inferred_rows; ++i) {
    text += "{\"a\":1}\n";
  }
  EXPECT_TRUE(inferred_of(text + "{\"a\":\"x\"}\n").schema);
}

TEST(SchemaInferenceTest, WhatCannotBeInferredSaysWhy) {
  std::string const mixed = inferred_of("{\"u\":{\"a\":1}}\n\n{\"u\":{\"a\":\"x\"}}\n").fault;
  EXPECT_TRUE(mixed.starts_with("a field has several types: field=u.a types=integer,string at="))
      << mixed;
  EXPECT_TRUE(mixed.ends_with(".ndjson:3")) << mixed;
  EXPECT_EQ(inferred_of("nothing\n").fault, "none of the first rows is a JSON object: rows=1");
  EXPECT_EQ(inferred_of("").fault, "none of the first rows is a JSON object: rows=0");
  EXPECT_NE(infer_json_schema("/nowhere/*.ndjson").fault.find("no file matches"),
            std::string::npos);
  EXPECT_FALSE(infer_json_schema("-").schema);
}

}  // namespace
}  // namespace windrow
