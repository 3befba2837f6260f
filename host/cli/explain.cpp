// `windrow explain`: the plan of a pipeline file, and where each part of it runs.
#include <fmt/format.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <CLI/CLI.hpp>

#include <iterator>
#include <variant>

#include "host/cli/pipeline_file.hpp"
#include "host/cli/verbs.hpp"

namespace windrow::cli {
namespace {

constexpr char const* device_of_steps = "cpu: the only backend of this build";

std::string duration_text(std::int64_t us) {
  for (auto const& [unit, name] : {std::pair{3'600'000'000LL, "h"}, std::pair{60'000'000LL, "m"},
                                   std::pair{1'000'000LL, "s"}, std::pair{1'000LL, "ms"}}) {
    if (us != 0 && floor_mod(us, unit) == 0) {
      return fmt::format("{}{}", floor_div(us, unit), name);
    }
  }
  return us == 0 ? "0" : fmt::format("{}us", us);
}

std::string windows_text(WindowFn const& fn) {
  std::string const offset = fn.offset_us == 0 ? "" : ", offset " + duration_text(fn.offset_us);
  switch (fn.kind) {
    case WindowKind::global:
      return "global";
    case WindowKind::fixed:
      return fmt::format("fixed {}{}", duration_text(fn.size_us), offset);
    case WindowKind::sliding:
      return fmt::format("sliding {} every {}{}", duration_text(fn.size_us),
                         duration_text(fn.period_us), offset);
    case WindowKind::sessions:
      return fmt::format("sessions, gap {}", duration_text(fn.gap_us));
    case WindowKind::given:
      return "the windows of its input";
  }
  return "";
}

std::string trigger_text(Trigger const& trigger) {
  std::vector<std::string> parts;
  for (Trigger const& child : trigger.children) {
    parts.push_back(trigger_text(child));
  }
  std::string const inside = fmt::format("({})", fmt::join(parts, ", "));
  switch (trigger.op) {
    case TriggerOp::after_all:
      return "after_all" + inside;
    case TriggerOp::after_any:
      return "after_any" + inside;
    case TriggerOp::after_each:
      return "after_each" + inside;
    case TriggerOp::or_finally:
      return "or_finally" + inside;
    case TriggerOp::repeat:
      return "repeat" + inside;
    case TriggerOp::after_end_of_window: {
      std::string text = "after_end_of_window";
      std::size_t next = 0;
      if (trigger.has_early) {
        text += " early " + parts[next++];
      }
      if (trigger.has_late) {
        text += " late " + parts[next];
      }
      return text;
    }
    case TriggerOp::after_processing_time: {
      std::string text = "after_processing_time";
      for (TimeTransform const& t : trigger.transforms) {
        text += t.period_us > 0 ? fmt::format(" align {} + {}", duration_text(t.period_us),
                                              duration_text(t.offset_us))
                                : " " + duration_text(t.delay_us);
      }
      return text;
    }
    case TriggerOp::after_synchronized_processing_time:
      return "after_synchronized_processing_time";
    case TriggerOp::element_count:
      return fmt::format("element_count {}", trigger.count);
    case TriggerOp::default_:
      return "default";
    case TriggerOp::never:
      return "never";
    case TriggerOp::always:
      return "always";
  }
  return "";
}

std::string fields_text(Schema const& schema) {
  constexpr std::string_view names[] = {"boolean", "integer", "number",   "string",
                                        "bytes",   "list",    "structure"};
  std::vector<std::string> parts;
  for (Field const& field : schema.fields) {
    parts.push_back(
        fmt::format("{}: {}", field.name, names[static_cast<std::size_t>(field.type.kind)]));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Name and value of what matters of one transform, in order.
std::vector<std::pair<std::string, std::string>> facts_of(Graph const& graph,
                                                          Transform const& transform) {
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
    facts.emplace_back("windows", windows_text(w.windows));
    facts.emplace_back("trigger", trigger_text(w.trigger));
    facts.emplace_back("lateness", duration_text(w.lateness.us));
    facts.emplace_back("mode", w.discarding ? "discarding" : "accumulating");
    if (step->input_panes == Combine::InputPanes::replace) {
      facts.emplace_back("input panes", "replace");
    }
    facts.emplace_back("device", device_of_steps);
  }
  if (!transform.output.fields.empty()) {
    facts.emplace_back("gives", fields_text(transform.output));
  }
  return facts;
}

std::string as_text(Graph const& graph) {
  std::string out;
  for (Transform const& transform : graph.transforms) {
    fmt::format_to(std::back_inserter(out), "{} ({})\n", transform.name, transform.type);
    for (auto const& [name, value] : facts_of(graph, transform)) {
      fmt::format_to(std::back_inserter(out), "    {:<11}  {}\n", name, value);
    }
  }
  return out;
}

std::string as_json(Graph const& graph) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> out(buffer);
  out.StartArray();
  for (Transform const& transform : graph.transforms) {
    out.StartObject();
    out.Key("name");
    out.String(transform.name.c_str());
    out.Key("type");
    out.String(transform.type.c_str());
    for (auto const& [name, value] : facts_of(graph, transform)) {
      out.Key(name.c_str());
      out.String(value.c_str());
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
        ->check(CLI::IsMember({"text", "json", "dot"}))
        ->capture_default_str();
    return verb;
  }
  int run(Invocation const& invocation) override {
    LoadResult const loaded = load_file(file_, invocation, LoadOptions::Purpose::check);
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

 private:
  std::string file_, format_ = "text";
};

}  // namespace

std::unique_ptr<Verb> explain_verb() { return std::make_unique<Explain>(); }

}  // namespace windrow::cli
