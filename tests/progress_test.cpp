// The laws of conservation over the counters of a pipeline.
#include "host/engine/progress.hpp"

#include <gtest/gtest.h>

namespace windrow {
namespace {

Progress lawful() {
  Progress progress;
  progress.sources.resize(2);
  progress.sources[1].name = "views";
  progress.sources[1].read = 10;
  progress.sources[1].decoded = 7;
  progress.sources[1].rejected = 3;
  progress.steps.resize(1);
  progress.steps[0].name = "PerPage";
  progress.steps[0].stats.assigned = 20;
  progress.steps[0].stats.aggregated = 15;
  progress.steps[0].stats.dropped_late = 4;
  progress.steps[0].stats.dropped_closed = 1;
  progress.sinks.resize(1);
  progress.sinks[0].name = "Save";
  progress.sinks[0].taken = 10;
  progress.sinks[0].rows = 4;
  progress.sinks[0].superseded = 3;
  progress.sinks[0].dead_letters = 2;
  progress.sinks[0].queued = 1;
  return progress;
}

}  // namespace

TEST(ProgressTest, LawfulCountersBreakNothing) {
  EXPECT_TRUE(broken_laws({}).empty());
  EXPECT_TRUE(broken_laws(lawful()).empty());
}

TEST(ProgressTest, ALostRecordIsNamedWithItsSource) {
  Progress progress = lawful();
  --progress.sources[1].decoded;
  ASSERT_EQ(broken_laws(progress).size(), 1U);
  EXPECT_EQ(broken_laws(progress)[0],
            "source: read = decoded + rejected: source=views read=10 decoded=6 rejected=3");
}

TEST(ProgressTest, ALostPairIsNamedWithItsStep) {
  for (auto member : {&AggregationStats::assigned, &AggregationStats::aggregated,
                      &AggregationStats::dropped_late, &AggregationStats::dropped_closed}) {
    Progress progress = lawful();
    ++(progress.steps[0].stats.*member);
    ASSERT_EQ(broken_laws(progress).size(), 1U);
    EXPECT_NE(broken_laws(progress)[0].find("step=PerPage"), std::string::npos);
  }
}

TEST(ProgressTest, ALostRowIsNamedWithItsSink) {
  for (auto member : {&SinkProgress::taken, &SinkProgress::rows, &SinkProgress::superseded,
                      &SinkProgress::dead_letters, &SinkProgress::queued}) {
    Progress progress = lawful();
    ++(progress.sinks[0].*member);
    ASSERT_EQ(broken_laws(progress).size(), 1U);
    EXPECT_NE(broken_laws(progress)[0].find("sink=Save"), std::string::npos);
  }
}

}  // namespace windrow
