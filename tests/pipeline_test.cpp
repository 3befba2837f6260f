// Source to sink through the loop: what comes out, in which order, and what is counted.
#include "host/engine/pipeline.hpp"

#include <gtest/gtest.h>

#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

Graph counts_per_key(bool append = false) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  std::size_t const step =
      add(graph, "Counts", {{source}}, count_and_sum(10, 5), count_and_sum_schema());
  WriteToJson sink;
  sink.upsert.key = {"window_start", "key"};
  sink.upsert.append = append;
  add(graph, "Save", {{step}}, sink, {});
  return graph;
}

TEST(Pipeline, OneRowPerWindowAndKeyReachesTheSink) {
  Bench bench;
  auto pipeline = bench.make(counts_per_key());
  pipeline->open();
  bench.script = {{{"b,1,5", "a,2,7", "a,3,", "bad"}, 0, 4, false}, {{"a,12,1"}, 0, 10, false}};
  EXPECT_TRUE(pipeline->step());
  EXPECT_TRUE(pipeline->step());
  pipeline->settle();
  std::vector<std::string> const expected{
      R"({"id": "0|a", "window_start": 0, "window_end": 10000000, "key": "a", "rows": 2, )"
      R"("total": 7, "pane_version": 1001, "pane_index": 0, "pane_timing": "ON_TIME", )"
      R"("is_last": false, "deleted": false, "drained": false})",
      R"({"id": "0|b", "window_start": 0, "window_end": 10000000, "key": "b", "rows": 1, )"
      R"("total": 5, "pane_version": 1001, "pane_index": 0, "pane_timing": "ON_TIME", )"
      R"("is_last": false, "deleted": false, "drained": false})"};
  EXPECT_EQ(bench.written["Save"].rows, expected);
  Summary const summary = pipeline->summary();
  EXPECT_TRUE(summary.broken_laws.empty());
  EXPECT_EQ(summary.progress.sources[0].read, 5U);
  EXPECT_EQ(summary.progress.sources[0].rejected, 1U);
  EXPECT_EQ(summary.progress.steps[0].stats.aggregated, 4U);
  EXPECT_EQ(summary.progress.sinks[0].acked_batch, 2);
}

}  // namespace
}  // namespace windrow::testing
