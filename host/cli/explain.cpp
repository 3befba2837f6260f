// `windrow explain`: the plan of a pipeline file, and where each part of it runs.
#include <fmt/format.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <CLI/CLI.hpp>

#include <iterator>
#include <variant>

#include "host/cli/backends.hpp"
#include "host/cli/first_result.hpp"
#include "host/cli/one_of.hpp"
#include "host/cli/pipeline_file.hpp"
#include "host/cli/verbs.hpp"
#include "host/cpu/state_bytes.hpp"
#include "host/engine/aggregation_spec.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/latest_panes.hpp"
#include "host/model/slices.hpp"
#include "host/plan/duration.hpp"
#include "host/plan/trigger_reader.hpp"
#include "host/plan/windowing_reader.hpp"

namespace windrow::cli {
namespace {

constexpr std::size_t short_key = 15;  // bytes that the dictionary keeps without an arena

// What a step holds in memory: semantics of CellBytes, and of a key with its dictionary.
struct StateCost {
  CellBytes cell;
  std::size_t key = 0, out = 0;
  bool shares_slices = false;
};
StateCost state_cost(Graph const& graph, std::size_t at) {
  AggregationSpec const spec = aggregation_spec(graph, at);
  return {cpu_cell_bytes(spec), KeyDictionary::key_bytes_max(short_key) + cpu_key_bytes_max(spec),
          spec.report_ended ? LatestPanes::pane_bytes_max : 0, shares_slices(spec)};
}

std::string text_of(StateCost const& cost) {
  std::string out =
      fmt::format("{} bytes per key and {}, {} at most{}", cost.cell.record,
                  cost.shares_slices ? "slice, or window that has ended" : "window", cost.cell.most,
                  cost.cell.boxed ? ", and what its lists and sketches hold" : "");
  out += fmt::format("; {} at most per key, and twice a key above {} bytes", cost.key, short_key);
  if (cost.cell.window > 0) {
    out += fmt::format("; {} at most per open window", cost.cell.window);
  }
  if (cost.out > 0) {
    out += fmt::format("; {} at most per row that is out", cost.out);
  }
  return out;
}

std::string windows_text(Graph const& graph, std::size_t at) {
  AggregationSpec const spec = aggregation_spec(graph, at);
  WindowFn const& fn = spec.windows;
  std::string out = to_string(fn);
  if (fn.kind != WindowKind::sliding) {
    return out;
  }
  out += fmt::format(": a row is in {} windows, ",
                     floor_div(fn.size_us + fn.period_us - 1, fn.period_us));
  return shares_slices(spec)
             ? out + "which share slices: it has one record until they end"
             : out + fmt::format("each with a record of its own: {}", why_no_slices(spec));
}

std::string device_text(Graph const& graph, std::size_t at) {
  BackendRequest const request = backend_request(graph.settings);
  return to_string(choose(aggregation_spec(graph, at), request), request);
}

std::string fields_text(Schema const& schema) {
  std::vector<std::string> parts;
  for (Field const& field : schema.fields) {
    parts.push_back(fmt::format("{}: {}", field.name, to_string(field.type)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Name and value of what matters of one transform, in order.
std::vector<std::pair<std::string, std::string>> facts_of(Graph const& graph, std::size_t at) {
  Transform const& transform = graph.transforms[at];
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> inputs;
  for (Edge const& edge : transform.inputs) {
    inputs.push_back(graph.transforms[edge.transform].name + (edge.errors ? " (set aside)" : ""));
  }
  if (!inputs.empty()) {
    facts.emplace_back("reads", fmt::format("{}", fmt::join(inputs, ", ")));
  }
  if (auto const* step = std::get_if<Combine>(&transform.config)) {
    Windowing const& w = step->windowing;
    facts.emplace_back("windows", windows_text(graph, at));
    facts.emplace_back("trigger", to_string(w.trigger));
    facts.emplace_back("lateness", to_string(w.lateness));
    facts.emplace_back("first_result", "no earlier than " + first_result(graph, at));
    facts.emplace_back("mode", w.discarding ? "discarding" : "accumulating");
    if (step->input_panes == Combine::InputPanes::replace) {
      facts.emplace_back("input_panes", "replace");
    }
    facts.emplace_back("state", text_of(state_cost(graph, at)));
    facts.emplace_back("device", device_text(graph, at));
  }
  if (auto const* kafka = std::get_if<WriteToKafka>(&transform.config)) {
    facts.emplace_back("delivery",
                       kafka->transactional_id.empty()
                           ? "at_least_once"
                           : "exactly_once, transactional id " + kafka->transactional_id);
  }
  if (!transform.output.fields.empty()) {
    facts.emplace_back("gives", fields_text(transform.output));
  }
  return facts;
}

std::string as_text(Graph const& graph) {
  std::string out;
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    Transform const& transform = graph.transforms[at];
    fmt::format_to(std::back_inserter(out), "{} ({})\n", transform.name, transform.type);
    for (auto const& [name, value] : facts_of(graph, at)) {
      fmt::format_to(std::back_inserter(out), "    {:<12}  {}\n", name, value);
    }
  }
  return out;
}

std::string as_json(Graph const& graph) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> out(buffer);
  out.StartArray();
  auto const number = [&](char const* name, std::size_t value) {
    out.Key(name);
    out.Uint64(value);
  };
  for (std::size_t at = 0; at < graph.transforms.size(); ++at) {
    Transform const& transform = graph.transforms[at];
    out.StartObject();
    out.Key("name");
    out.String(transform.name.c_str());
    out.Key("type");
    out.String(transform.type.c_str());
    for (auto const& [name, value] : facts_of(graph, at)) {
      out.Key(name.c_str());
      out.String(value.c_str());
    }
    if (std::holds_alternative<Combine>(transform.config)) {
      StateCost const cost = state_cost(graph, at);
      number("record_bytes", cost.cell.record);
      number("record_bytes_max", cost.cell.most);
      number("key_bytes_max", cost.key);
      number("window_bytes_max", cost.cell.window);
      number("row_out_bytes_max", cost.out);
    }
    out.EndObject();
  }
  out.EndArray();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string as_dot(Graph const& graph) {
  std::string out = "digraph pipeline {\n  node [shape=box];\n";
  auto to = std::back_inserter(out);
  // Quotes and backslashes are the only characters that end or change a quoted name.
  auto const quoted = [](std::string const& name) {
    std::string text;
    for (char const c : name) {
      if (c == '"' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    return text;
  };
  for (Transform const& transform : graph.transforms) {
    fmt::format_to(to, "  \"{}\" [label=\"{}\\n{}\"];\n", quoted(transform.name),
                   quoted(transform.name), transform.type);
    for (Edge const& edge : transform.inputs) {
      fmt::format_to(to, "  \"{}\" -> \"{}\"{};\n", quoted(graph.transforms[edge.transform].name),
                     quoted(transform.name), edge.errors ? " [style=dashed]" : "");
    }
  }
  return out + "}\n";
}

class Explain final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("explain", "the plan of a pipeline file");
    verb->add_option("file", file_, "pipeline file, or - for stdin")->required();
    verb->add_option("--format", format_, "text, json or dot")
        ->check(one_of({"text", "json", "dot"}))
        ->capture_default_str();
    verb->add_option("--device", device_, device_option);
    return verb;
  }
  int run(Invocation const& invocation) override {
    LoadResult const loaded =
        load_file(file_, with_device(invocation, device_), LoadOptions::Purpose::check);
    print_findings(loaded.findings, invocation);
    if (!loaded.ok()) {
      return exit_invalid;
    }
    bool const json = format_ == "json" || (invocation.json && format_ == "text");
    fmt::print("{}", json               ? as_json(loaded.graph)
                     : format_ == "dot" ? as_dot(loaded.graph)
                                        : as_text(loaded.graph));
    return exit_ok;
  }
  [[nodiscard]] bool reads_pipelines() const override { return true; }

 private:
  std::string file_, format_ = "text", device_;
};

}  // namespace

std::unique_ptr<Verb> explain_verb() { return std::make_unique<Explain>(); }

}  // namespace windrow::cli
