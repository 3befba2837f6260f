// One input of the fuzzer of pipeline files: what the checker refuses has a place, what it accepts
// runs to its end and loses no row.
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "host/engine/graph_hash.hpp"
#include "host/engine/stage_graph.hpp"
#include "host/plan/codes.hpp"
#include "ingest/json_decoder.hpp"
#include "ingest/memory_source.hpp"
#include "tests/check_options.hpp"
#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {

// The `i`-th value of a type, as JSON; some are null, some at the ends of what the type holds.
inline std::string fuzz_value(FieldType const& type, std::size_t i) {
  auto const one_of = [&](std::initializer_list<char const*> values) {
    return std::string(std::data(values)[i % values.size()]);
  };
  switch (type.kind) {
    case ValueType::integer:
      return one_of({"0", "1760000000000", "1760000060000", "-1", "1760000360000",
                     "9223372036854775807", "7", "-9223372036854775808"});
    case ValueType::number:
      return one_of({"0.0", "1760000000.25", "-0.0", "1e308", "\"NaN\"", "-1e308", "3"});
    case ValueType::boolean:
      return one_of({"true", "false", "true"});
    case ValueType::string:
      return one_of({R"("a")", R"("")", R"("1")", R"("2026-01-02T03:04:05Z")", R"("/b?c")"});
    case ValueType::bytes:
      return one_of({R"("AAEC")", R"("")"});
    case ValueType::list: {
      std::string out = "[";
      for (std::size_t k = 0; k < i % 3; ++k) {
        out += k == 0 ? "" : ",";
        out += type.children.empty() ? "1" : fuzz_value(type.children[0].type, i + k);
      }
      return out + "]";
    }
    case ValueType::structure: {
      std::string out = "{";
      for (std::size_t k = 0; k < type.children.size(); ++k) {
        out += (k == 0 ? "\"" : ",\"") + type.children[k].name + "\":";
        out += fuzz_value(type.children[k].type, i + k);
      }
      return out + "}";
    }
  }
  return "null";
}

inline std::vector<std::string> fuzz_rows(Schema const& schema) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < 12; ++i) {
    std::string row = "{";
    for (std::size_t k = 0; k < schema.fields.size(); ++k) {
      Field const& field = schema.fields[k];
      bool const null = field.nullable && (i + k) % 7 == 6;
      row += (k == 0 ? "\"" : ",\"") + field.name + "\":";
      row += null ? "null" : fuzz_value(field.type, i * (k + 1));
    }
    rows.push_back(row + "}");
  }
  return rows;
}

// How many panes a row may become, by windows that overlap.
inline std::int64_t windows_per_row(Graph const& graph) {
  std::int64_t most = 1;
  for (Transform const& transform : graph.transforms) {
    if (auto const* combine = std::get_if<Combine>(&transform.config)) {
      WindowFn const& windows = combine->windowing.windows;
      if (windows.kind == WindowKind::sliding) {
        most *= windows.size_us / windows.period_us + 1;
      }
    }
  }
  return most;
}

// Runs it on rows of its sources' schemas; Create on its own.
inline void fuzz_run(Graph const& graph) {
  FakeClock clock;
  Workers workers{1};
  Observer nobody;
  std::map<std::string, Written> written;
  PipelineParts parts{
      graph,
      {},
      {},
      [&](AggregationSpec const& spec, std::size_t) { return make_cpu_aggregation(spec, workers); },
      clock,
      workers,
      nobody};
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    Transform const& transform = graph.transforms[at];
    std::optional<EventTimeField> time;
    std::vector<std::string> records = fuzz_rows(transform.output);
    if (auto const* create = std::get_if<Create>(&transform.config)) {
      records = create->elements;
    } else if (auto const* kafka = std::get_if<ReadFromKafka>(&transform.config)) {
      time = kafka->event_time;
    } else if (auto const* json = std::get_if<ReadFromJson>(&transform.config)) {
      time = json->event_time;
    } else if (std::holds_alternative<Generate>(transform.config)) {
      time = EventTimeField{"ts", TimeUnit::ms};
    } else {
      if (is_sink(transform.config)) {
        Answer const refuses_some = [](std::string_view row) {
          return row.size() % 5 == 0 ? Outcome::dead_letter : Outcome::ok;
        };
        parts.sinks.push_back(
            {at, std::make_unique<RecordingSink>(sink_schema(graph, at), written[transform.name],
                                                 refuses_some)});
      }
      continue;
    }
    JsonDecoderOptions options{transform.output, PayloadFormat::json, {}, false};
    if (time) {
      options.event_time = JsonDecoderOptions::TimeField{time->field, time->unit};
    }
    parts.sources.push_back({at, std::make_unique<MemorySource>(transform.name, std::move(records)),
                             [options] { return std::make_unique<JsonDecoder>(options); }});
  }
  Pipeline pipeline(std::move(parts));
  try {
    pipeline.open();
    for (int steps = 0; pipeline.step(); ++steps) {
      if (steps == 1000) {
        std::fprintf(stderr, "it does not end\n");
        std::abort();
      }
    }
    pipeline.settle();
  } catch (EnvironmentError const&) {
    return;  // max_bad_records
  }
  std::vector<std::string> const broken = pipeline.summary().broken_laws;
  for (std::string const& law : broken) {
    std::fprintf(stderr, "broken law: %s\n", law.c_str());
  }
  if (!broken.empty()) {
    std::abort();
  }
}

inline void fuzz_pipeline_file(std::string_view data) {
  static LoadOptions const options = check_options();
  std::string const text(data);
  LoadResult const loaded = load("fuzz.yaml", text, options);
  auto const lines = std::count(text.begin(), text.end(), '\n') + 1;
  for (Finding const& finding : loaded.findings) {
    CodeEntry const* const code = find_code(finding.code);
    bool const is_error = finding.severity == Severity::error;
    if (code == nullptr || !code->waits_for.empty() || is_error != (finding.code[0] == 'E') ||
        finding.line < 1 || finding.line > lines || finding.column < 1 || finding.length < 1 ||
        finding.text.empty()) {
      std::fprintf(stderr, "no place or no code: %s\n", to_text(finding).c_str());
      std::abort();
    }
  }
  if (to_json(loaded.findings).empty()) {
    std::abort();
  }
  if (loaded.ok()) {
    if (graph_parts(loaded.graph) != graph_parts(load("fuzz.yaml", text, options).graph)) {
      std::fprintf(stderr, "read again, it is another graph\n");
      std::abort();
    }
    if (windows_per_row(loaded.graph) <= 100) {
      fuzz_run(loaded.graph);
    }
  }
}

}  // namespace windrow::testing
