// `memory_limit`, sentence by sentence: looked at before each batch; at 80 % the source pauses
// until nothing is in flight; at 100 % the plan refuses new keys, and the Combine sets their rows
// aside (operations.md 3).
#include <gtest/gtest.h>

#include <condition_variable>

#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {
namespace {

// Counts per key in windows of 10 s; `bad` gets what the step sets aside.
Graph counts(std::uint64_t limit) {
  Graph graph;
  graph.settings.memory_limit = limit;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  std::size_t const step =
      add(graph, "Counts", {{source}}, count_and_sum(10, 0), count_and_sum_schema());
  WriteToJson save;
  save.upsert.key = {"window_start", "key"};
  add(graph, "Save", {{step}}, save, {});
  WriteToJson bad;
  bad.upsert.append = true;
  add(graph, "Bad", {{step, true}}, bad, {});
  return graph;
}

Delivery keys(char const* name, int n, int at_s, std::optional<std::int64_t> watermark_s = {}) {
  Delivery out;
  for (int i = 0; i < n; ++i) {
    out.records.push_back(name + std::to_string(i) + "," + std::to_string(at_s) + ",1");
  }
  out.watermark_s = watermark_s;
  return out;
}

// What a pipeline over `graph` holds after these batches, if nothing limits it.
std::uint64_t bytes_after(Graph graph, std::deque<Delivery> const& script) {
  graph.settings.memory_limit = 0;
  Bench bench;
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = script;
  while (!bench.script.empty()) {
    pipeline->step();
  }
  return pipeline->progress().state_bytes;
}

struct Pauses : Observer {
  std::vector<std::string> told;
  std::function<void(std::string_view)> then = [](std::string_view) {};
  void on_pause(std::string_view reason) override {
    told.emplace_back(reason);
    then(reason);
  }
};

TEST(MemoryLimitTest, NewKeysAreRefusedFromTheLimitOnAndNotAByteBelow) {
  std::deque<Delivery> const first = {keys("a", 1000, 1)};
  std::uint64_t const held = bytes_after(counts(0), first);
  for (bool const over : {true, false}) {
    Bench bench;
    auto pipeline = bench.make(counts(over ? held : held + 1));
    pipeline->open();
    bench.script = first;
    bench.script.push_back({{"a0,2,1", "new,2,1"}, 0, {}, false});
    pipeline->step();
    EXPECT_FALSE(pipeline->progress().refuses_new_keys);  // looked at before, not within a batch
    pipeline->step();
    StepProgress const step = pipeline->progress().steps[0];
    EXPECT_EQ(pipeline->progress().refuses_new_keys, over);
    EXPECT_EQ(step.refused, over ? 1U : 0U);
    EXPECT_EQ(step.stats.aggregated, over ? 1001U : 1002U);  // the old key is served
    pipeline->settle();
    auto const& bad = bench.written["Bad"].rows;
    ASSERT_EQ(bad.size(), over ? 1U : 0U);
    if (over) {
      EXPECT_NE(bad[0].find(R"("reason": "memory_limit", "source": "script", "partition": "0", )"
                            R"("offset": 1001)"),
                std::string::npos)
          << bad[0];
      EXPECT_NE(bad[0].find(R"(\"key\": \"new\")"), std::string::npos) << bad[0];
    }
  }
}

TEST(MemoryLimitTest, AllStateCountsThatAStepHolds) {
  // Cells in windows of some keys, the bytes of long keys, and panes that may be taken back.
  std::deque<Delivery> const few = {keys("a", 1000, 1)},
                             windows = {keys("a", 1000, 1), keys("a", 1000, 11)},
                             names = {keys(std::string(500, 'k').c_str(), 1000, 1)},
                             fired = {keys("a", 1000, 1), keys("a", 1000, 11, 10)};
  std::uint64_t const held = bytes_after(counts(0), few);
  EXPECT_GT(bytes_after(counts(0), windows), held + 1000 * sizeof(std::int64_t));
  EXPECT_GT(bytes_after(counts(0), names), held + 500U * 1000U);
  auto const with_consumer = [&](Combine::InputPanes input_panes) {
    Graph two = counts(0);
    std::get<Combine>(two.transforms[1].config).windowing.lateness = {60 * second};
    Combine all = count_and_sum(10, 60);
    all.group = {};
    all.combines.resize(1);
    all.values = {};
    all.input_panes = input_panes;
    add(two, "All", {{1}}, all, {{{"rows", {ValueType::integer, {}}, true}}});
    return bytes_after(two, fired);
  };
  EXPECT_GT(with_consumer(Combine::InputPanes::replace),
            with_consumer(Combine::InputPanes::append) + 1000 * sizeof(Window));
}

TEST(MemoryLimitTest, KeysThatGoMakeRoomForNewOnes) {
  std::deque<Delivery> const first = {keys("a", 20'000, 1)};
  Bench bench;
  auto pipeline = bench.make(counts(bytes_after(counts(0), first)));
  pipeline->open();
  bench.script = first;
  bench.script.push_back(keys("b", 1, 2));
  bench.script.push_back(keys("c", 1, 3, 20));  // refused too; then the window fires and goes
  bench.script.push_back(keys("d", 1, 21));
  for (int i = 0; i < 3; ++i) {
    pipeline->step();
  }
  EXPECT_EQ(pipeline->progress().steps[0].refused, 2U);
  pipeline->step();
  Progress const progress = pipeline->progress();
  EXPECT_FALSE(progress.refuses_new_keys);
  EXPECT_EQ(progress.steps[0].refused, 2U);
  EXPECT_EQ(progress.steps[0].keys, 1U);
}

// A sink that writes only when it is allowed to.
class GatedSink : public Sink {
 public:
  void open() override {}
  void write(SinkRowsView const& rows, std::span<Outcome> out, std::vector<SinkFault>&) override {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return is_open_; });
    std::fill(out.begin(), out.end(), Outcome::ok);
    written_ += rows.rows;
  }
  void open_gate() {
    std::lock_guard const lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }
  [[nodiscard]] std::size_t written() {
    std::lock_guard const lock(mutex_);
    return written_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
  std::size_t written_ = 0;
};

// Two batches, the first with a row for the sink, under a limit of which `percent` is in use before
// the second.
std::vector<std::string> pauses_at(std::uint64_t percent, std::size_t* written_at_the_end) {
  std::deque<Delivery> const script = {keys("a", 1000, 1), keys("b", 1000, 11, 10)};
  Graph graph = counts(0);
  graph.transforms.pop_back();
  graph.transforms[1].has_errors = false;
  std::uint64_t const held = bytes_after(graph, script);
  graph.settings.memory_limit = held * 100 / percent;
  Bench bench;
  Pauses pauses;
  bench.observer = &pauses;
  auto gate = std::make_unique<GatedSink>();
  GatedSink& sink = *gate;
  PipelineParts parts{graph,
                      {},
                      {},
                      [&](AggregationSpec const& spec, std::size_t) {
                        return make_cpu_aggregation(spec, bench.workers);
                      },
                      bench.clock,
                      bench.workers,
                      pauses};
  parts.sources.push_back({0, std::make_unique<ScriptedSource>(bench.script, false),
                           [] { return std::make_unique<ScriptDecoder>(); }});
  parts.sinks.push_back({2, std::move(gate)});
  Pipeline pipeline(std::move(parts));
  pipeline.open();
  bench.script = script;
  bench.script.push_back(keys("c", 1, 12));
  pipeline.step();
  pipeline.step();  // the rows of the first window are on their way
  pauses.told.clear();
  pauses.then = [&](std::string_view reason) {
    if (reason.empty()) {
      *written_at_the_end = sink.written();
    } else {
      sink.open_gate();  // only the pause lets the sink go on
    }
  };
  pipeline.step();
  sink.open_gate();
  pipeline.settle();
  return pauses.told;
}

TEST(MemoryLimitTest, From80PercentOnTheSourcePausesUntilNothingIsInFlight) {
  std::size_t written = 0;
  EXPECT_EQ(pauses_at(81, &written),
            (std::vector<std::string>{"memory_limit: 80 % is in use", ""}));
  EXPECT_EQ(written, 1000U);
  EXPECT_TRUE(pauses_at(79, &written).empty());
}

// A row that a consumer by `replace` had refused would be withdrawn from it all the same.
TEST(MemoryLimitTest, AConsumerByReplaceRefusesNothing) {
  Graph graph;
  std::size_t const source = add(graph, "Views", {}, scripted(), view_schema());
  Combine in_pairs = count_and_sum(10, 0);
  in_pairs.windowing.trigger = {TriggerOp::repeat, 0, {}, {{TriggerOp::element_count, 2}}};
  std::size_t const step = add(graph, "Counts", {{source}}, in_pairs, count_and_sum_schema());
  Combine again = count_and_sum(10, 0);
  again.values = {field(1, ValueType::integer)};
  again.windowing.trigger = {TriggerOp::repeat, 0, {}, {{TriggerOp::element_count, 1}}};
  again.input_panes = Combine::InputPanes::replace;
  std::size_t const totals = add(graph, "Totals", {{step}}, again, count_and_sum_schema());
  WriteToJson save;
  save.upsert.key = {"window_start", "key"};
  add(graph, "Save", {{totals}}, save, {});
  std::deque<Delivery> const first = {{{"a,1,1"}, 0, {}, false}};
  graph.settings.memory_limit = bytes_after(graph, first);  // in force from the second batch on
  Bench bench;
  auto pipeline = bench.make(graph);
  pipeline->open();
  bench.script = first;  // `a` is known, but its first pane comes under the limit
  bench.script.push_back({{"a,2,1", "b,2,1"}, 0, {}, false});
  bench.script.push_back({{"a,3,1", "a,4,1"}, 0, {}, false});
  for (int i = 0; i < 3; ++i) {
    pipeline->step();
  }
  Progress const progress = pipeline->progress();
  EXPECT_TRUE(progress.refuses_new_keys);
  EXPECT_EQ(progress.steps[0].refused, 1U);  // b
  EXPECT_EQ(progress.steps[1].refused, 0U);
  pipeline->settle();
  auto const& rows = bench.written["Save"].rows;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_NE(rows[0].find(R"("rows": 1, "total": 2)"), std::string::npos) << rows[0];
  EXPECT_NE(rows[1].find(R"("rows": 1, "total": 4)"), std::string::npos) << rows[1];
}

}  // namespace
}  // namespace windrow::testing
