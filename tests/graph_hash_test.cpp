// The hash of a graph changes with what decides results and with nothing else.
#include "host/engine/graph_hash.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace windrow {
namespace {

template <class Config>
Transform transform(std::string name, std::vector<Edge> inputs, Config config) {
  Transform made;
  made.name = std::move(name);
  made.inputs = std::move(inputs);
  made.config = std::move(config);
  return made;
}
Graph views_per_page() {
  Graph graph;
  ReadFromKafka kafka;
  kafka.topics = {"views"};
  kafka.bootstrap_servers = "broker:9092";
  kafka.watermark.emplace();
  Transform source = transform("Views", {}, kafka);
  source.output.fields = {{"page", {ValueType::string, {}}, false},
                          {"ms", {ValueType::integer, {}}, true}};
  Expression keep;
  keep.op = ExpressionOp::less;
  keep.args.resize(2);
  keep.args[0].op = ExpressionOp::field;
  keep.args[0].field = 1;
  keep.args[1].value = std::int64_t{5};
  Combine combine;
  combine.group = {0};
  combine.combines = {{CombineKind::count}};
  combine.windowing.windows = {WindowKind::fixed, 60, 60, 0, 0};
  combine.windowing.trigger.op = TriggerOp::after_end_of_window;
  combine.windowing.trigger.has_late = true;
  combine.windowing.trigger.children.resize(1);
  WriteToSqlite sink;
  sink.table = "pages";
  sink.upsert.key = {"window_start", "page"};
  graph.transforms = {source, transform("Short", {{0, false}}, Filter{keep}),
                      transform("PerPage", {{1, false}}, combine),
                      transform("Out", {{2, false}}, sink)};
  return graph;
}
std::uint64_t after(std::function<void(Graph&)> const& change) {
  Graph graph = views_per_page();
  change(graph);
  return graph_hash(graph_parts(graph));
}
template <class Config>
Config& config(Graph& graph, std::size_t at) {
  return std::get<Config>(graph.transforms[at].config);
}

}  // namespace

TEST(GraphHashTest, WhatDecidesResultsChangesIt) {
  constexpr auto quantile = CombineKind::approx_quantile;
  std::vector<std::function<void(Graph&)>> const changes{
      [](Graph& g) { config<ReadFromKafka>(g, 0).topics = {"clicks"}; },
      [](Graph& g) {
        config<ReadFromKafka>(g, 0).topics = {"vie", "ws"};
      },
      [](Graph& g) { config<ReadFromKafka>(g, 0).watermark->idle_timeout.reset(); },
      [](Graph& g) { config<ReadFromKafka>(g, 0).watermark.reset(); },
      [](Graph& g) {
        config<ReadFromKafka>(g, 0).event_time = EventTimeField{"ms", TimeUnit::ms};
      },
      [](Graph& g) { g.transforms[0].output.fields[1].type.kind = ValueType::number; },
      [](Graph& g) { g.transforms[0].output.fields[0].nullable = true; },
      [](Graph& g) { config<Filter>(g, 1).keep.op = ExpressionOp::less_equal; },
      [](Graph& g) { config<Filter>(g, 1).keep.args[1].value = std::int64_t{6}; },
      [](Graph& g) { config<Filter>(g, 1).keep.args[1].value = 5.0; },
      [](Graph& g) { config<Filter>(g, 1).keep.args[0].field = 0; },
      [](Graph& g) { g.transforms[2].inputs[0].transform = 0; },
      [](Graph& g) { g.transforms[2].inputs[0].errors = true; },
      [](Graph& g) { g.transforms[2].name = "PerUrl"; },
      [](Graph& g) { config<Combine>(g, 2).group = {1}; },
      [](Graph& g) { config<Combine>(g, 2).combines[0].kind = CombineKind::sum; },
      [](Graph& g) { config<Combine>(g, 2).combines[0].kind = quantile; },
      [](Graph& g) { config<Combine>(g, 2).combines[0] = {.kind = quantile, .n = 50}; },
      [](Graph& g) { config<Combine>(g, 2).combines[0] = {.kind = quantile, .quantiles = 1}; },
      [](Graph& g) { config<Combine>(g, 2).combines[0] = {.kind = quantile, .q = {0.5}}; },
      [](Graph& g) { config<Combine>(g, 2).windowing.windows.size_us = 120; },
      [](Graph& g) { config<Combine>(g, 2).windowing.lateness.us = 1; },
      [](Graph& g) { config<Combine>(g, 2).windowing.trigger.children[0].count = 3; },
      [](Graph& g) { config<Combine>(g, 2).windowing.discarding = false; },
      [](Graph& g) { config<Combine>(g, 2).input_panes = Combine::InputPanes::replace; },
      [](Graph& g) { config<WriteToSqlite>(g, 3).upsert.key = {"window_start"}; },
      [](Graph& g) { g.transforms.pop_back(); },
  };
  std::vector<std::uint64_t> seen{graph_hash(graph_parts(views_per_page()))};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    std::uint64_t const hash = after(changes[i]);
    for (std::uint64_t const other : seen) {
      EXPECT_NE(hash, other) << "change " << i;
    }
    seen.push_back(hash);
  }
}

TEST(GraphHashTest, AChangeIsNamedByItsKeyAndReachesWhatReadsIt) {
  GraphParts const before = graph_parts(views_per_page());
  Graph graph = views_per_page();
  EXPECT_EQ(differences(before, graph_parts(graph)), "");
  config<Combine>(graph, 2).windowing.windows.size_us = 120;
  config<Combine>(graph, 2).windowing.lateness.us = 1;
  GraphParts const now = graph_parts(graph);
  EXPECT_EQ(differences(before, now), "PerPage: windows, allowed_lateness");
  std::vector<TransformChange> const changes = compare(before, now);
  using Kind = TransformChange::Kind;
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[0].kind, Kind::kept);
  EXPECT_EQ(changes[1].kind, Kind::kept);
  EXPECT_EQ(changes[2].kind, Kind::incompatible);
  EXPECT_EQ(changes[3].kind, Kind::incompatible);
  EXPECT_TRUE(changes[3].parts.empty());
  EXPECT_EQ(changes[3].reads, std::vector<std::string>{"PerPage"});
}

TEST(GraphHashTest, WhatIsNewOrGoneOrMovedIsNamed) {
  GraphParts const before = graph_parts(views_per_page());
  Graph graph = views_per_page();
  graph.transforms[3].name = "Table";
  EXPECT_EQ(differences(before, graph_parts(graph)), "Table is new; Out is gone");
  graph = views_per_page();
  graph.transforms.push_back(transform("Other", {{0, false}}, LogForTesting{}));
  GraphParts const longer = graph_parts(graph);
  std::swap(graph.transforms[3], graph.transforms[4]);
  EXPECT_EQ(differences(longer, graph_parts(graph)), "the order of the transforms");
}

TEST(GraphHashTest, PartsComeBackAsTheyWereWritten) {
  GraphParts const parts = graph_parts(views_per_page());
  ByteWriter out;
  put(out, parts);
  ByteReader in(out.bytes());
  EXPECT_EQ(get_graph_parts(in), parts);
  EXPECT_TRUE(in.empty());
}

TEST(GraphHashTest, WhatOnlyTunesDoesNot) {
  std::uint64_t const hash = graph_hash(graph_parts(views_per_page()));
  std::vector<std::function<void(Graph&)>> const changes{
      [](Graph&) {},
      [](Graph& g) { config<ReadFromKafka>(g, 0).bootstrap_servers = "other:9092"; },
      [](Graph& g) { config<ReadFromKafka>(g, 0).start = ReadFromKafka::Start::earliest; },
      [](Graph& g) { config<WriteToSqlite>(g, 3).path = "elsewhere.db"; },
      [](Graph& g) {
        g.transforms[1].at = {7, 3};
      },
      [](Graph& g) { g.settings.batch_rows_max = 1; },
      [](Graph& g) { g.settings.threads = 3; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(after(changes[i]), hash) << "change " << i;
  }
}

}  // namespace windrow
