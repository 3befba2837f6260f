// Reads a pipeline file: everything that is wrong with it at once, or the graph that the engine
// runs.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/plan/findings.hpp"
#include "host/plan/graph.hpp"
#include "host/plan/template.hpp"

namespace windrow {

// What a Kafka client knows of its settings.
//   fault         why one cannot be given; without a value (a secret) only its name is looked at
//   names         for suggestions
//   buffer_bytes  of a consumer: bytes of records that one of these settings may hold (W216)
struct KafkaSettings {
  struct Fault {
    bool name = false;          // it is the name that is wrong, else the value
    std::string text, instead;  // instead: what to write, or empty
  };
  std::function<std::optional<Fault>(std::string const& name,
                                     std::optional<std::string> const& value)>
      fault;
  std::vector<std::string> names;
  std::function<std::uint64_t(std::map<std::string, std::string> const&)> buffer_bytes;
};

//   vars          {{ name }}
//   environment   ${NAME} and secrets; empty: nothing is set
//   overlay       -c FILE: a map of engine settings over options.windrow
//   sets          --set path=value, over both
//   infer_schema  the first 1000 rows of a glob (ReadFromJson without `schema`)
//   schemas       of sources that the caller scripts, by name: what the file says of their rows is
//   not
//                 looked at (transcripts: `Create` named Input)
//   consumer_settings, producer_settings  none: `consumer_config`, `producer_config_updates` are
//   not
//                 looked at
//   postgres_url_fault  why a `url` of WriteToPostgres is none; empty: it is not looked at
struct LoadOptions {
  enum class Purpose : std::uint8_t { check, run, test };
  Purpose purpose = Purpose::check;
  std::map<std::string, std::string> vars;
  Environment environment;
  struct Overlay {
    std::string file_name, text;
  };
  std::optional<Overlay> overlay;
  std::vector<std::string> sets;
  std::function<InferredSchema(std::string const& path)> infer_schema;
  std::map<std::string, Schema> schemas;
  std::optional<KafkaSettings> consumer_settings, producer_settings;
  std::function<std::optional<std::string>(std::string const& url)> postgres_url_fault;
};

// Rows of one transform in a test, each as JSON text.
struct TestRows {
  std::string name;
  Position at;
  std::vector<std::string> elements;
};
// An action of a transcript, as JSON text.
struct TestAction {
  Position at;
  std::string json;
};
// A block of `tests`, as written: what it names is looked up by `windrow test`.
struct PipelineTest {
  std::string name;
  Position at;
  std::vector<TestRows> mock_inputs, mock_outputs, expected_inputs, expected_outputs;
  std::vector<std::string> allowed_sources;
  std::vector<TestAction> transcript;  // W: instead of the above (semantics.md 18.1)
  std::vector<std::string> observe;    // W: the steps whose panes it names; empty: all
};

struct LoadedPipeline {
  Graph graph;
  std::vector<PipelineTest> tests;
};
// `graph` and `on_beam` mean something only where `findings` hold no error.
//   listed  of a file in Beam's list form, `pipelines: [{pipeline: ..}]`, its pipelines; `graph`
//   and
//           `tests` are empty then.  Only for Purpose::test, else the form is refused.
// For Purpose::test a pipeline without `tests` that holds an AssertEqual, or that is in a list, is
// a test by itself.
struct LoadResult : LoadedPipeline {
  std::vector<LoadedPipeline> listed;
  std::vector<Finding> findings;
  std::vector<Finding> on_beam;  // what Apache Beam refuses, ignores or takes otherwise
  [[nodiscard]] bool ok() const { return !has_errors(findings); }
};

[[nodiscard]] LoadResult load(std::string_view file_name, std::string const& text,
                              LoadOptions const& options);

}  // namespace windrow
