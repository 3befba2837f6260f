// W218 at run time: numbers without a unit that came from a source whose rows the plan never saw.
#include <gtest/gtest.h>

#include "host/plan/pipeline_file.hpp"
#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

struct Warnings : Observer {
  std::vector<std::string> texts;
  void on_warning(std::size_t transform, std::string_view code, std::string_view text) override {
    texts.push_back(std::to_string(transform) + " " + std::string(code) + " " + std::string(text));
  }
};

// What a Kafka topic whose records have these times in `ts` makes the run say.
std::vector<std::string> said(std::string const& assign,
                              std::vector<std::vector<std::string>> const& polls) {
  LoadResult loaded = load("job.yaml",
                           R"(
pipeline:
  type: chain
  transforms:
    - type: ReadFromKafka
      config:
        topic: t
        bootstrap_servers: b
        format: JSON
        schema: >-
          {"type": "object", "properties": {"key": {"type": "string"}, "ts": {"type": "integer"},
           "value": {"type": "integer"}}}
    - {type: AssignTimestamps, config: )" +
                               assign + R"(}
    - {type: WriteToJson, name: Out, config: {path: out, write_mode: append}}
)",
                           {});
  EXPECT_TRUE(loaded.ok());
  Bench bench;
  Warnings warnings;
  bench.observer = &warnings;
  for (auto const& times : polls) {
    Delivery& delivery = bench.script.emplace_back();
    for (std::string const& time : times) {
      delivery.records.push_back("k," + time + ",1");
    }
  }
  bench.script.emplace_back().end = true;
  auto pipeline = bench.make(loaded.graph);
  pipeline->open();
  while (pipeline->step()) {
  }
  pipeline->settle();
  return warnings.texts;
}

}  // namespace

TEST(UnitCheckTest, NumbersThatLookLikeMillisecondsAreNamedOnce) {
  EXPECT_EQ(said("{timestamp: ts}", {{}, {"1760000000001", "1760000000000"}, {"1760000000002"}}),
            std::vector<std::string>{
                "1 W218 numbers such as 1760000000000 are taken as seconds and look like ms: set "
                "unit"});
}

TEST(UnitCheckTest, ItIsTheValueOfTheExpressionThatCounts) {
  EXPECT_TRUE(said("{timestamp: ts / 1000, language: python}", {{"1760000000000"}}).empty());
  EXPECT_EQ(said("{timestamp: ts * 1000, language: python}", {{"1760000000"}}).size(), 1U);
}

TEST(UnitCheckTest, SecondsAndGivenUnitsAndOneOddRowSayNothing) {
  EXPECT_TRUE(said("{timestamp: ts}", {{"1760000000"}}).empty());
  EXPECT_TRUE(said("{timestamp: ts, unit: ms}", {{"1760000000000"}}).empty());
  EXPECT_TRUE(said("{timestamp: ts, unit: s}", {{"1760000000000"}}).empty());
  EXPECT_TRUE(said("{timestamp: ts}", {{"1760000000000", "1760000000"}}).empty());
}

TEST(UnitCheckTest, OnlyTheFirstThousandRowsAreLookedAt) {
  std::vector<std::string> times(1001, "1760000000000");
  times.back() = "1760000000";
  EXPECT_EQ(said("{timestamp: ts}", {times}).size(), 1U);
  times[999] = "1760000000";
  EXPECT_TRUE(said("{timestamp: ts}", {times}).empty());
}

}  // namespace windrow::testing
