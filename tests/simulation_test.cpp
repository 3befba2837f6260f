// Whole lives of a pipeline in a world that fails: the production engine, state directory and
// recovery, under one seed per run.  A process dies at any crash point, and another one goes on.
// Then the table must be what the log says, whatever came between.
//
// WINDROW_SIMULATION_SEEDS=N runs N seeds (./run soak: 100,000), WINDROW_SIMULATION_FIRST=S begins
// at S.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "host/engine/crash_point.hpp"
#include "host/engine/durable_file.hpp"
#include "host/engine/durable_run.hpp"
#include "host/engine/sink_schema.hpp"
#include "host/plan/pipeline_file.hpp"
#include "tests/scale.hpp"
#include "tests/simulated_world.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow::testing {
namespace {

constexpr std::int64_t window_s = 60, period_s = 20, gap_s = 15;
enum class Kind { fixed, sliding, sessions };

Graph graph_of(Kind kind, bool early) {
  std::string const windows[] = {"type: fixed, size: 60s", "type: sliding, size: 60s, period: 20s",
                                 "type: sessions, gap: 15s"};
  std::string const trigger =
      early ? ", trigger: {after_end_of_window: {early_firings: {element_count: 2}, "
              "late_firings: {element_count: 1}}}"
            : "";
  LoadResult loaded = load("simulated.yaml",
                           R"(
pipeline:
  transforms:
    - type: ReadFromKafka
      name: Log
      config:
        topic: t
        bootstrap_servers: nowhere
        format: JSON
        schema:
          type: object
          properties: {key: {type: string}, ts: {type: integer}, value: {type: integer}}
    - type: Combine
      name: Sums
      input: Log
      windowing: {)" + windows[static_cast<int>(kind)] +
                               R"(, allowed_lateness: 100h, accumulation_mode: accumulating)" +
                               trigger + R"(}
      config: {group_by: key, combine: {rows: count, total: {value: value, fn: sum}}}
    - type: WriteToSqlite
      name: Out
      input: Sums
      config: {path: out.db, table: t, key: [window_start, key]}
)",
                           {});
  for (Finding const& finding : loaded.findings) {
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(finding);
  }
  return std::move(loaded.graph);
}

std::vector<std::vector<View>> log_of(Chance& chance) {
  std::vector<std::vector<View>> log(static_cast<std::size_t>(1 + chance.below(3)));
  std::int64_t const rows = 20 + chance.below(120);
  for (std::int64_t i = 0; i < rows; ++i) {
    log[static_cast<std::size_t>(chance.below(static_cast<std::int64_t>(log.size())))].push_back(
        {std::string(1, static_cast<char>('a' + chance.below(4))),
         std::max<std::int64_t>(0, i * 3 - chance.below(40)), chance.below(1000)});
  }
  return log;
}

// (window start in s, key) -> rows and total, in the plainest way.
using Totals =
    std::map<std::pair<std::int64_t, std::string>, std::pair<std::int64_t, std::int64_t>>;
void add(Totals& totals, std::int64_t start, View const& view) {
  auto& [rows, total] = totals[{start, view.key}];
  rows += 1;
  total += view.value;
}
Totals truth_of(Kind kind, std::vector<std::vector<View>> const& log) {
  Totals totals;
  std::map<std::string, std::vector<View>> of_key;
  for (auto const& partition : log) {
    for (View const& view : partition) {
      of_key[view.key].push_back(view);
    }
  }
  for (auto& [key, views] : of_key) {
    std::sort(views.begin(), views.end(),
              [](View const& a, View const& b) { return a.second < b.second; });
    std::int64_t start = 0, newest = -gap_s;
    for (View const& view : views) {
      if (kind == Kind::sessions) {
        start = view.second - newest >= gap_s ? view.second : start;
        newest = view.second;
        add(totals, start, view);
        continue;
      }
      std::int64_t const period = kind == Kind::fixed ? window_s : period_s;
      for (std::int64_t s = floor_div(view.second, period) * period; s > view.second - window_s;
           s -= period) {
        add(totals, s, view);
      }
    }
  }
  return totals;
}
Totals totals_of(Table const& table) {
  Totals totals;
  for (auto const& [id, row] : table.rows) {
    if (!row.deleted) {
      totals[{row.window_start / second, row.key}] = {row.rows, row.total};
    }
  }
  return totals;
}

struct Counts {
  std::uint64_t crashes = 0, refusals = 0, damaged = 0, starts = 0;
};

void flip_a_byte(std::filesystem::path const& path, Chance& chance) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto const at =
      12 + chance.below(static_cast<std::int64_t>(std::filesystem::file_size(path)) - 12);
  file.seekg(at);
  char const c = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(c);
}

// The faults that a seed shows, empty if it passes.
std::vector<std::string> simulate(std::uint64_t seed, Canary canary, Counts& counts) {
  TemporaryDirectory state;
  World world(seed, canary);
  Kind const kind = static_cast<Kind>(world.chance.below(3));
  world.log = log_of(world.chance);
  world.slack_s = world.chance.below(60);
  world.table.merging = kind == Kind::sessions;
  Graph const graph = graph_of(kind, world.chance.one_in(2));
  WorldClock clock(world);
  Workers workers{1};
  Observer nobody;
  std::int64_t const one_in = 20 + world.chance.below(200);
  RunSettings settings{.state = state.path(),
                       .application_id = "simulated",
                       .graph = {{"simulated", {}, {}}},
                       .snapshot_bytes = static_cast<std::uint64_t>(50 + world.chance.below(800)),
                       .snapshot_interval = {1'000'000'000}};
  for (int life = 0; life < 40; ++life) {
    ++counts.starts;
    world.calm = life >= 12;
    Pipeline* pipeline = nullptr;
    RunHooks hooks;
    hooks.make_pipeline = [&](PlanLog* log) {
      PipelineParts parts{
          .graph = graph,
          .sources = {},
          .sinks = {},
          .make_aggregation = [&](AggregationSpec const& spec,
                                  std::size_t) { return make_aggregation(spec, workers, 65536); },
          .clock = clock,
          .workers = workers,
          .observer = nobody,
          .retry_first = {20},
          .plan_log = canary == Canary::no_plans ? nullptr : log};
      parts.sources.push_back({0, std::make_unique<LogSource>(world),
                               [] { return std::make_unique<ScriptDecoder>(); }});
      parts.sinks.push_back({2, std::make_unique<TableSink>(world, sink_schema(graph, 2))});
      auto made = std::make_unique<Pipeline>(std::move(parts));
      pipeline = made.get();
      return made;
    };
    hooks.on_restored = [](ProcessingTime) {};
    hooks.on_step = [&] { pipeline->settle(); };  // one thread at a time: a seed is one run
    hooks.tell = [](std::string const&, bool) {};
    set_crash_handler([&](std::string_view name) {
      if (name == "snapshot.tmp" && world.trouble(6)) {
        throw DiskFullError("no space", 74);
      }
      if (world.trouble(one_in)) {
        throw Crash{};
      }
    });
    bool ended = false;
    try {
      DurableRun run(settings, hooks, clock);
      run.run({});
      ended = true;
      for (std::string const& law : run.pipeline().summary().broken_laws) {
        world.table.faults.push_back(law);
      }
    } catch (Crash const&) {
      ++counts.crashes;
    } catch (DiskFullError const&) {  // at the very start or the very end
      ++counts.refusals;
    } catch (EnvironmentError const& error) {
      if (error.exit_code() != 78) {
        world.table.faults.emplace_back(error.what());
        break;
      }
      ++counts.refusals;  // the clock went back: somebody sets it
      world.real_us += 20'000'000;
    }
    set_crash_handler({});
    if (ended) {
      break;
    }
    world.real_us += world.trouble(10) ? -5'000'000 : world.chance.below(10'000'000);
    auto const snapshots = numbers_in(state / "snapshot");
    if (snapshots.size() == 2 && world.trouble(8)) {
      flip_a_byte(state / "snapshot" / std::to_string(snapshots.back()), world.chance);
      ++counts.damaged;
    }
  }
  set_crash_handler({});
  for (auto const& [id, row] : world.delayed) {
    world.table.put(id, row);
  }
  if (totals_of(world.table) != truth_of(kind, world.log)) {
    world.table.faults.emplace_back("the table is not what the log says");
  }
  return world.table.faults;
}

std::uint64_t number(char const* name, std::uint64_t otherwise) {
  char const* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(SimulationTest, EverySeedEndsInTheTruth) {
  std::uint64_t const first = number("WINDROW_SIMULATION_FIRST", 1);
  std::uint64_t const seeds = number("WINDROW_SIMULATION_SEEDS", scaled(1000));
  Counts counts;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = first; seed < first + seeds && failed < 10; ++seed) {
    auto const faults = simulate(seed, Canary::none, counts);
    EXPECT_TRUE(faults.empty()) << "seed " << seed << ": " << faults.front();
    failed += faults.empty() ? 0 : 1;
  }
  std::cout << seeds << " seeds: " << counts.starts << " starts, " << counts.crashes << " crashes, "
            << counts.damaged << " snapshots damaged, " << counts.refusals << " starts refused, "
            << failed << " failed\n";
  EXPECT_GT(counts.crashes, seeds);
}

TEST(SimulationTest, ASeedIsOneRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Counts first, second;
    simulate(seed, Canary::none, first);
    simulate(seed, Canary::none, second);
    EXPECT_EQ(first.crashes, second.crashes) << seed;
    EXPECT_EQ(first.starts, second.starts) << seed;
  }
}

// A simulator that never fails shows nothing.
TEST(SimulationTest, WorldsThatAreWrongAreFound) {
  for (Canary const canary : {Canary::no_guard, Canary::new_versions, Canary::no_plans}) {
    Counts counts;
    std::uint64_t found = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      found += simulate(seed, canary, counts).empty() ? 0 : 1;
    }
    EXPECT_GT(found, 10U) << static_cast<int>(canary);
    std::cout << found << " of 100 seeds show canary " << static_cast<int>(canary) << "\n";
  }
}

}  // namespace
}  // namespace windrow::testing
