// Pipeline files to graphs: what the engine is told, and how faults of other texts are shown.
#include <gtest/gtest.h>

#include <string>

#include "host/plan/duration.hpp"
#include "host/plan/pipeline_file.hpp"
#include "host/plan/reference.hpp"
#include "host/plan/suggestion.hpp"
#include "host/plan/trigger_reader.hpp"

namespace windrow {
namespace {

LoadResult read(std::string const& text, LoadOptions const& options = {}) {
  return load("dir/job.yaml", text, options);
}
std::string texts(LoadResult const& result) {
  std::string out;
  for (Finding const& finding : result.findings) {
    out += to_text(finding);
  }
  return out;
}
std::string codes_of(LoadResult const& result) {
  std::string out;
  for (Finding const& finding : result.findings) {
    out += (out.empty() ? "" : " ") + finding.code;
  }
  return out;
}

std::string const rows = R"(
    - {type: Create, name: Rows, config: {elements: [{user: u1, n: 1, at: {x: 2}, tags: [a]}]}}
)";
std::string const early =
    "{after_end_of_window: {early_firings: {after_processing_time: 5s}, late_firings: "
    "{element_count: 3}}}";

Graph two_steps(std::string const& second) {
  LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - type: Combine
      name: First
      input: Rows
      windowing: {type: sessions, gap: 30m, allowed_lateness: 10m,
                  accumulation_mode: accumulating, trigger: )" +
                                 early + R"(}
      config: {group_by: user, combine: {total: {value: n, fn: sum}, rows: count}}
    - type: Combine
      name: Second
      input: First
)" + second + R"(
      config: {group_by: [], input_panes: append, combine: {users: {value: user, fn: count}}}
    - {type: WriteToSqlite, name: Save, input: Second, config: {path: a.db, table: t}}
)");
  EXPECT_TRUE(result.ok()) << texts(result);
  return result.graph;
}
Windowing const& windowing_of(Graph const& graph, std::size_t at) {
  return std::get<Combine>(graph.transforms.at(at).config).windowing;
}

}  // namespace

TEST(PlanTest, AStepWithoutWindowingGroupsByTheWindowsOfItsPanesUnderTheContinuedTrigger) {
  Graph const graph = two_steps("");
  ASSERT_EQ(graph.transforms.size(), 4U);
  Windowing const& w = windowing_of(graph, 2);
  EXPECT_EQ(w.windows, (WindowFn{.kind = WindowKind::given}));
  EXPECT_TRUE(w.merging);
  EXPECT_FALSE(w.discarding);
  EXPECT_EQ(w.lateness, Duration{600'000'000});
  ASSERT_EQ(w.trigger.children.size(), 2U);
  EXPECT_EQ(w.trigger.children[0].op, TriggerOp::after_synchronized_processing_time);
  EXPECT_EQ(w.trigger.children[1].count, 1U);
  // Sessions share starts: the end belongs to the row id (R77).
  EXPECT_EQ(std::get<WriteToSqlite>(graph.transforms[3].config).upsert.key,
            (std::vector<std::string>{"window_start", "window_end"}));
}

TEST(PlanTest, ReWindowingReplacesWhatItGivesAndTakesTheLargerLateness) {
  Graph const graph = two_steps("      windowing: {type: fixed, size: 5m, allowed_lateness: 1m}");
  Windowing const& w = windowing_of(graph, 2);
  EXPECT_EQ(w.windows.kind, WindowKind::fixed);
  EXPECT_EQ(w.windows.size_us, 300'000'000);
  EXPECT_FALSE(w.merging);
  EXPECT_EQ(w.lateness, Duration{600'000'000});
  EXPECT_EQ(std::get<WriteToSqlite>(graph.transforms[3].config).upsert.key,
            (std::vector<std::string>{"window_start"}));
}

TEST(PlanTest, OutputsOfACombineAreItsKeyThenItsAggregates) {
  Graph const graph = two_steps("");
  Schema const& out = graph.transforms[1].output;
  ASSERT_EQ(out.fields.size(), 3U);
  EXPECT_EQ(out.fields[0].name, "user");
  EXPECT_EQ(out.fields[1].type.kind, ValueType::integer);
  Combine const& combine = std::get<Combine>(graph.transforms[1].config);
  EXPECT_EQ(combine.values.size(), 1U);  // count reads no value
  EXPECT_EQ(combine.combines[1].kind, CombineKind::count);
  EXPECT_EQ(graph.transforms[1].step, 1U);
  EXPECT_EQ(graph.transforms[3].step, 2U);
}

TEST(PlanTest, TopGivesAListWithRanks) {
  LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - type: Combine
      input: Rows
      windowing: {type: fixed, size: 1m}
      config:
        group_by: []
        combine:
          best:
            value: {who: user, n: n}
            fn: {type: top, config: {n: 3, by: n, order: asc}}
)");
  ASSERT_TRUE(result.ok()) << texts(result);
  Combine const& combine = std::get<Combine>(result.graph.transforms[1].config);
  EXPECT_EQ(combine.combines[0].n, 3U);
  EXPECT_EQ(combine.combines[0].by, 1U);
  EXPECT_TRUE(combine.combines[0].ascending);
  EXPECT_EQ(combine.values[0].op, ExpressionOp::make_structure);
  Field const& best = result.graph.transforms[1].output.fields[0];
  ASSERT_EQ(best.type.kind, ValueType::list);
  ASSERT_EQ(best.type.children[0].type.children.size(), 3U);
  EXPECT_EQ(best.type.children[0].type.children[0].name, "rank");
}

TEST(PlanTest, TheLastAssignTimestampsAboveAStepTracks) {
  LoadResult const result = read(R"(
pipeline:
  type: chain
  transforms:
    - {type: Generate, config: {kind: pageviews, events: 10, rate: 2.5}}
    - {type: AssignTimestamps, name: A, config: {timestamp: ts, unit: ms}}
    - type: AssignTimestamps
      name: B
      config: {timestamp: ts, unit: ms, watermark: {idle_timeout: none}}
    - type: Combine
      windowing: {type: fixed, size: 1m}
      config: {group_by: url, combine: {n: count}}
    - {type: AssignTimestamps, name: C, config: {timestamp: n}}
)");
  ASSERT_TRUE(result.ok()) << texts(result);
  auto const assign = [&](std::size_t i) {
    return std::get<AssignTimestamps>(result.graph.transforms[i].config);
  };
  EXPECT_FALSE(assign(1).tracks);
  EXPECT_TRUE(assign(2).tracks);
  EXPECT_FALSE(assign(2).watermark->idle_timeout.has_value());
  EXPECT_FALSE(assign(2).watermark->max_future_skew.has_value());  // bounded
  EXPECT_FALSE(assign(4).tracks);
  EXPECT_TRUE(result.graph.transforms[4].bounded);
}

TEST(PlanTest, CompositesAreTakenApartAndTheirWindowingGoesToTheirRoots) {
  LoadResult const result = read(R"(
pipeline:
  transforms:
    - {type: Create, name: Rows, config: {elements: [1, 2]}}
    - type: chain
      name: Clean
      input: Rows
      transforms:
        - {type: Filter, config: {keep: element > 1}}
        - {type: MapToFields, config: {language: python, fields: {twice: element * 2}}}
    - type: composite
      name: Count
      input: {values: Clean}
      windowing: {type: fixed, size: 20s}
      transforms:
        - type: Combine
          name: Sum
          input: values
          config: {group_by: [], combine: {twice: sum}}
      output: Sum
    - {type: LogForTesting, input: Count}
)");
  ASSERT_TRUE(result.ok()) << texts(result);
  Graph const& graph = result.graph;
  ASSERT_EQ(graph.transforms.size(), 5U);
  EXPECT_EQ(graph.transforms[1].name, "Clean/Filter");
  EXPECT_EQ(graph.transforms[3].name, "Count/Sum");
  EXPECT_EQ(graph.transforms[3].inputs.at(0).transform, 2U);
  EXPECT_EQ(windowing_of(graph, 3).windows.size_us, 20'000'000);
  EXPECT_EQ(graph.transforms[4].inputs.at(0).transform, 3U);
}

TEST(PlanTest, WindowIntoDissolvesAndListsAreFlattened) {
  LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - {type: Filter, name: More, input: Rows, config: {keep: n > 0}}
    - type: WindowInto
      name: Windows
      input: [Rows, More]
      config: {windowing: "{type: fixed, size: 7s}"}
    - {type: Combine, input: Windows, config: {group_by: user, combine: {n: max}}}
)");
  ASSERT_TRUE(result.ok()) << texts(result);
  ASSERT_EQ(result.graph.transforms.size(), 3U);
  EXPECT_EQ(result.graph.transforms[2].inputs.size(), 2U);
  EXPECT_EQ(windowing_of(result.graph, 2).windows.size_us, 7'000'000);
}

TEST(PlanTest, ProtoSpellingOfTriggersMeansTheSame) {
  auto const trigger = [](std::string const& text) {
    LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - type: Combine
      input: Rows
      windowing: {type: fixed, size: 1m, allowed_lateness: 1s,
                  accumulation_mode: discarding, trigger: )" +
                                   text + "}\n      config: {group_by: user, combine: {n: sum}}\n");
    EXPECT_TRUE(result.ok()) << texts(result);
    return windowing_of(result.graph, 1).trigger;
  };
  EXPECT_EQ(
      trigger("{repeat: {after_any: [{element_count: 3}, {after_processing_time: 1.5s}]}}"),
      trigger(
          "{repeat: {subtrigger: {after_any: {subtriggers: [{element_count: {element_count: 3}}, "
          "{after_processing_time: {timestamp_transforms: [{delay: {delay_millis: 1500}}]}}]}}}}"));
}

TEST(PlanTest, PythonExpressionsAreTyped) {
  LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - type: MapToFields
      input: Rows
      config:
        language: python
        append: true
        drop: tags
        fields:
          half: n / 2
          whole: n // 2
          nested: at.x + 1
          text: "'big' if n > 5 and not user == 'u' else str(n) "
          none: "user if user != None else None"
          either: "n if n > 5 else 2.5"
          wide: {expression: n, output_type: number}
)");
  ASSERT_TRUE(result.ok()) << texts(result);
  Schema const& out = result.graph.transforms[1].output;
  ASSERT_EQ(out.fields.size(), 10U);
  EXPECT_FALSE(out.index_of("tags"));
  EXPECT_EQ(out.fields[3].type.kind, ValueType::number);
  EXPECT_EQ(out.fields[4].type.kind, ValueType::integer);
  EXPECT_EQ(out.fields[5].type.kind, ValueType::integer);
  EXPECT_EQ(out.fields[6].type.kind, ValueType::string);
  EXPECT_TRUE(out.fields[7].nullable);
  EXPECT_EQ(out.fields[8].type.kind, ValueType::number);
  // No float(), which would refuse a null.
  EXPECT_EQ(std::get<MapToFields>(result.graph.transforms[1].config).columns[8].args[1].op,
            ExpressionOp::field);
  EXPECT_EQ(out.fields[9].type.kind, ValueType::number);
}

TEST(PlanTest, SettingsComeFromTheFileThenTheOverlayThenSet) {
  LoadOptions options;
  options.overlay =
      LoadOptions::Overlay{"prod.yaml", "clock_rate: 2\nmemory_limit: 2GiB\nstate: /s\n"};
  options.sets = {"clock_rate=3", "max_bad_ratio=1% over 10000"};
  std::string const file =
      "pipeline: {transforms: [{type: Create, config: {elements: [1]}}]}\n"
      "options: {windrow: {clock_rate: 1.5, tick_interval: 20ms}}\n";
  LoadResult const result = read(file, options);
  ASSERT_TRUE(result.ok()) << texts(result);
  EngineSettings const& settings = result.graph.settings;
  EXPECT_EQ(settings.clock_rate, 3);
  EXPECT_EQ(settings.memory_limit, 2ULL << 30U);
  EXPECT_EQ(settings.tick_interval, Duration{20'000});
  EXPECT_EQ(settings.max_bad_ratio, 0.01);
  EXPECT_EQ(settings.max_bad_over, 10000U);
  EXPECT_EQ(settings.application_id, "job");

  options.overlay->text = "clock_rat: 2\n";
  options.sets = {"batch_rows_max=many", "nonsense"};
  LoadResult const bad = read(file, options);
  ASSERT_EQ(bad.findings.size(), 3U) << texts(bad);
  EXPECT_EQ(bad.findings[0].file, "prod.yaml");
  EXPECT_EQ(bad.findings[0].suggestion, "did you mean 'clock_rate'?");
  EXPECT_EQ(bad.findings[1].file, "command line");
  EXPECT_EQ(bad.findings[1].column, 16);
  EXPECT_EQ(bad.findings[2].line, 2);
}

TEST(PlanTest, PlacesAreThoseBeforeTheTemplateWasFilled) {
  LoadOptions options;
  options.vars = {{"win", "{type: fixed, size: 5m}"}, {"key", "user"}};
  LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - {type: Combine, input: Rows, windowing: {{ win }}, config: {group_by: {{ key }}, combin: 1}}
)",
                                 options);
  ASSERT_EQ(codes_of(result), "E100") << texts(result);
  EXPECT_EQ(result.findings[0].line, 5);
  EXPECT_EQ(result.findings[0].source_line.substr(
                static_cast<std::size_t>(result.findings[0].column - 1), 6),
            "combin");
}

TEST(PlanTest, TheEnvironmentCannotChangeTheFile) {
  LoadOptions options;
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "EVIL") {
      return "x}, table: other # ${HOME}";
    }
    return std::nullopt;
  };
  LoadResult const result = read("pipeline:\n  transforms:" + rows + R"(
    - type: WriteToSqlite
      input: Rows
      config: {path: "${EVIL}/${NONE:a:b}/$${HOME}", table: t, write_mode: append}
)",
                                 options);
  ASSERT_TRUE(result.ok()) << texts(result);
  WriteToSqlite const& sink = std::get<WriteToSqlite>(result.graph.transforms[1].config);
  EXPECT_EQ(sink.path, "x}, table: other # ${HOME}/a:b/${HOME}");
  EXPECT_EQ(sink.table, "t");
}

TEST(PlanTest, SecretsAreNeverShown) {
  LoadOptions options;
  options.purpose = LoadOptions::Purpose::run;
  options.environment = [](std::string_view) { return std::optional<std::string>{"hunter2"}; };
  LoadResult const result = read(R"(
pipeline:
  transforms:
    - type: ReadFromKafka
      name: K
      config:
        topic: t
        bootstrap_servers: b
        consumer_config: {sasl.password: s3cret, ssl.key.password: {env: P}, sasl.username: "${U}"}
        formt: s3cret
)",
                                 options);
  EXPECT_EQ(codes_of(result), "W214 E100") << texts(result);
  EXPECT_EQ(texts(result).find("s3cret"), std::string::npos);
  EXPECT_EQ(to_json(result.findings).find("s3cret"), std::string::npos);
  ReadFromKafka const& kafka = std::get<ReadFromKafka>(result.graph.transforms.at(0).config);
  EXPECT_EQ(kafka.consumer_secrets.at("ssl.key.password").reveal(), "hunter2");

  options.environment = nullptr;
  options.purpose = LoadOptions::Purpose::check;
  LoadResult const checked = read(
      "pipeline: {transforms: [{type: ReadFromKafka, config: {topic: t, "
      "bootstrap_servers: b, consumer_config: {sasl.password: {env: P}}}}]}",
      options);
  EXPECT_TRUE(checked.ok()) << texts(checked);
}

TEST(PlanTest, FindingsReadAsOperationsSays) {
  LoadResult const result =
      read("pipeline:\n  transforms:\n    - {type: Create, confg: {elements: [1]}}\n");
  ASSERT_EQ(codes_of(result), "E104 E100") << texts(result);
  EXPECT_EQ(to_text(result.findings[1]),
            "dir/job.yaml:3:22: error[E100] unknown key 'confg' in 'Create'\n"
            "    3 |     - {type: Create, confg: {elements: [1]}}\n"
            "      |                      ^^^^^ did you mean 'config'?\n"
            "      = at pipeline.transforms[0].confg\n");
  EXPECT_NE(to_json(result.findings).find("\"line\":3,\"column\":22,\"length\":5"),
            std::string::npos);
}

TEST(PlanTest, TestsAreKeptAsWritten) {
  LoadResult const result = read(R"(
pipeline: {transforms: [{type: Create, name: A, config: {elements: [1]}}]}
tests:
  - name: one
    mock_outputs: [{name: A, elements: [{element: 2}]}]
    expected_outputs: [{name: A, elements: [{element: 2.50}]}]
  - name: two
    observe: [B]
    transcript:
      - {watermark: -inf}
      - input: [1, 7.0]
)");
  ASSERT_TRUE(result.ok()) << texts(result);
  ASSERT_EQ(result.tests.size(), 2U);
  EXPECT_EQ(result.tests[0].mock_outputs[0].elements[0], R"({"element": 2})");
  EXPECT_EQ(result.tests[0].expected_outputs[0].elements[0], R"({"element": 2.50})");
  ASSERT_EQ(result.tests[1].transcript.size(), 2U);
  EXPECT_EQ(result.tests[1].transcript[0].json, R"({"watermark": "-inf"})");
  EXPECT_EQ(result.tests[1].transcript[1].json, R"({"input": [1, 7.0]})");
  EXPECT_EQ(result.tests[1].transcript[1].at, (Position{11, 9}));
  EXPECT_EQ(result.tests[1].observe, std::vector<std::string>{"B"});
}

TEST(PlanTest, AListOfPipelinesIsForTestsAndEachHasItsOwnOptions) {
  LoadOptions options;
  options.purpose = LoadOptions::Purpose::test;
  LoadResult const result = read(R"(
pipelines:
  - pipeline: {transforms: [{type: Create, name: A, config: {elements: [1]}}]}
    options: {allow_unsafe_triggers: true}
  - pipeline: {transforms: [{type: Create, name: B, config: {elements: [1]}}]}
    tests: [{name: one}, {name: two}]
)",
                                 options);
  ASSERT_TRUE(result.ok()) << texts(result);
  ASSERT_EQ(result.listed.size(), 2U);
  EXPECT_TRUE(result.tests.empty());
  EXPECT_TRUE(result.listed[0].graph.settings.allow_unsafe_triggers);
  EXPECT_FALSE(result.listed[1].graph.settings.allow_unsafe_triggers);
  ASSERT_EQ(result.listed[0].tests.size(), 1U);
  EXPECT_EQ(result.listed[0].tests[0].at.line, 3);
  EXPECT_EQ(result.listed[1].tests.size(), 2U);

  for (char const* const wrong : {"pipelines: {}", "pipelines: []", "pipelines: 1",
                                  "pipelines: [1]", "pipelines: [{tests: []}]"}) {
    EXPECT_FALSE(read(wrong, options).ok()) << wrong;
  }
}

TEST(PlanTest, DeepOrBrokenTextsEndInAFinding) {
  std::string deep = "pipeline: ";
  for (int i = 0; i < 5000; ++i) {
    deep += '[';
  }
  EXPECT_FALSE(read(deep).ok());
  EXPECT_FALSE(read("pipeline: &a [*a]\n").ok());
  EXPECT_FALSE(read("").ok());
  EXPECT_FALSE(read("pipeline: {transforms: [1, {type: [2]}, {name: {a: b}}]}").ok());
  std::string const chain =
      "pipeline:\n  type: chain\n  transforms:\n    - {type: Create, config: {elements: [1]}}\n"
      "    - {type: Filter, config: {language: python, keep: \"";
  EXPECT_FALSE(read(chain + std::string(100'000, '(') + "\"}}\n").ok());
  EXPECT_FALSE(read(chain + std::string(100'000, '-') + "1 > 0\"}}\n").ok());
  for (std::string const operand : {" or 1 > 0", " and 1 > 0", " + 1", " * 1"}) {
    std::string sum = "1 > 0";
    for (int i = 0; i < 100'000; ++i) {
      sum += operand;
    }
    EXPECT_NE(texts(read(chain + sum + "\"}}\n")).find("more than 4000 words"), std::string::npos);
  }
}

TEST(PlanTest, DurationsAreExact) {
  EXPECT_EQ(read_duration("1.5s").value, Duration{1'500'000});
  EXPECT_EQ(read_duration("90").value, Duration{90'000'000});
  EXPECT_EQ(read_duration("0.0000001s").value, Duration{0});
  EXPECT_EQ(read_duration("-1us").value, Duration{-1});
  EXPECT_EQ(read_duration("99999999999999999999d").value, Duration{INT64_MAX});
  for (char const* const bad : {"", "s", "5 m", "1e3", "5M", "0x5", "."}) {
    EXPECT_FALSE(read_duration(bad).value) << bad;
  }
  EXPECT_EQ(to_string(Duration{5'400'000'000}), "90m");
  EXPECT_EQ(to_string(Duration{-1'500'000}), "-1500ms");
}

TEST(PlanTest, SuggestionsAreNear) {
  std::vector<std::string> const names{"size", "period", "allowed_lateness"};
  EXPECT_EQ(nearest("alowed_lateness", names), "allowed_lateness");
  EXPECT_EQ(nearest("siez", names), "size");
  EXPECT_EQ(nearest("colour", names), "");
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

TEST(PlanTest, TheReferenceNamesEveryKeyAndCode) {
  std::string const text = reference();
  for (char const* const part :
       {"### Combine (aggregation)", "`input_panes` **W**", "`idle_timeout` **W**", "| E133 |",
        "`WriteToMySql`", "### options.windrow"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  for (TriggerSpec const& trigger : trigger_table()) {  // their form is written out by hand
    EXPECT_NE(text.find(trigger.name), std::string::npos) << trigger.name;
  }
}

}  // namespace windrow
