#include "host/plan/pipeline_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "host/plan/context.hpp"
#include "host/plan/graph_builder.hpp"
#include "host/plan/key_table.hpp"
#include "host/plan/keys.hpp"
#include "host/plan/settings_reader.hpp"
#include "host/plan/structure.hpp"
#include "host/plan/test_blocks.hpp"

namespace windrow {
namespace {

// ${NAME} in every string value, each inside its own scalar.
void expand(Context& context, YamlNode& node) {
  for (YamlNode& item : node.items) {
    expand(context, item);
  }
  for (YamlEntry& entry : node.entries) {
    expand(context, entry.value);
  }
  if (!node.is_scalar() || node.text.find("${") == std::string::npos) {
    return;
  }
  Expanded expanded = expand_environment(node.text, context.options.environment);
  for (std::string const& name : expanded.unset) {
    std::size_t const at = node.text.find("${" + name);
    context.report.add_inside("E109", node, at, name.size() + 3,
                              fmt::format("environment variable '{}' is not set", name));
  }
  if (expanded.replaced) {
    context.report.add_on_beam(
        OnBeam::differs, node,
        "the environment is put in; Beam takes the text as it stands: use {{ name }}",
        fmt::format("${{{}}}", fmt::join(expanded.names, ", ")));
  }
  node.verbatim = node.verbatim && node.text == expanded.text;
  node.text = std::move(expanded.text);
  node.replaced = expanded.replaced;
  node.unset = !expanded.unset.empty();
}

void report_faults(Report& report, YamlDocument const& document, std::uint8_t source) {
  for (YamlFault const& fault : document.faults) {
    report.add_at("E142", source, fault.at, fault.length, fault.path, fault.text);
  }
}

YamlNode read_text(Context& context, std::string_view name, std::string const& text, bool& parsed) {
  std::vector<std::string> const lines = split_lines(text);
  std::uint8_t const source = context.report.add_text(std::string{name}, lines);
  Filled const filled = fill_template(text, context.options.vars);
  std::vector<std::string> names;
  for (auto const& [variable, value] : context.options.vars) {
    names.push_back(variable);
  }
  for (TemplateFault const& fault : filled.faults) {
    context.report.add_at("E106", source, fault.at, fault.length, {}, fault.text,
                          fault.name.empty() ? "" : did_you_mean(fault.name, names));
  }
  YamlDocument document = read_yaml(filled.text, lines, filled.places, source);
  // What is left of Jinja is not YAML either; it is reported once.
  if (document.parsed || filled.faults.empty()) {
    report_faults(context.report, document, source);
  }
  parsed = document.parsed;
  expand(context, document.root);
  return std::move(document.root);
}

std::vector<YamlNode const*> settings_maps(Context& context, YamlNode const& root,
                                           std::deque<YamlNode>& overlays) {
  std::vector<YamlNode const*> maps;
  YamlNode const* const options = root.find("options");
  if (options != nullptr && options->is_map()) {
    if (YamlNode const* const windrow = options->find("windrow");
        windrow != nullptr && !windrow->is_null()) {
      context.report.add_on_beam(OnBeam::ignored, *options->find_key("windrow"),
                                 "settings of Windrow's engine", "options.windrow");
      maps.push_back(windrow);
    }
    if (YamlNode const* const unsafe = options->find("allow_unsafe_triggers")) {
      if (!unsafe->is_plain() || plain_type(*unsafe) != PlainType::boolean) {
        context.report.add(
            "E141", *unsafe,
            fmt::format("'allow_unsafe_triggers' must be true or false, is {}", kind_of(*unsafe)));
      }
      context.allow_unsafe_triggers =
          unsafe->text == "true" || unsafe->text == "True" || unsafe->text == "TRUE";
    }
  }
  if (context.options.overlay) {
    bool parsed = true;
    overlays.push_back(read_text(context, context.options.overlay->file_name,
                                 context.options.overlay->text, parsed));
    if (parsed && !overlays.back().is_null()) {
      maps.push_back(&overlays.back());
    }
  }
  if (!context.options.sets.empty()) {
    std::uint8_t const source = context.report.add_text("command line", context.options.sets);
    int line = 0;
    for (std::string const& set : context.options.sets) {
      if (YamlNode const* const map = read_set(context, set, ++line, source)) {
        maps.push_back(map);
      }
    }
  }
  return maps;
}

// What a file holds beside `pipelines`, which each of these has in its own map.
LoadedPipeline read_pipeline(Context& context, YamlNode const& root, std::string const& place,
                             std::string_view file_name) {
  LoadedPipeline out;
  Keys const keys(context.report, &root, root, file_keys(), place, "file");
  if (YamlNode const* const providers = keys.find("providers");
      providers != nullptr &&
      (providers->is_scalar() || !providers->items.empty() || !providers->entries.empty())) {
    context.report.add("E101", *root.find_key("providers"),
                       "'providers' are not supported by Windrow");
  }
  std::deque<YamlNode> overlays;
  context.allow_unsafe_triggers = false;
  out.graph.settings = read_settings(context, settings_maps(context, root, overlays), file_name);
  out.graph.settings.allow_unsafe_triggers = context.allow_unsafe_triggers;
  context.memory_limit = out.graph.settings.memory_limit;
  context.application_id = out.graph.settings.application_id;
  context.state = out.graph.settings.state;
  if (YamlNode const* const pipeline = keys.find("pipeline")) {
    std::vector<WrittenTransform> const written = read_structure(context, *pipeline);
    out.graph.transforms = GraphBuilder{context, written}.build();
  }
  if (YamlNode const* const tests = keys.find("tests")) {
    out.tests = read_tests(context, *tests);
  }
  return out;
}

bool asserts(Graph const& graph) {
  return std::any_of(graph.transforms.begin(), graph.transforms.end(), [](Transform const& t) {
    return std::holds_alternative<AssertEqual>(t.config);
  });
}

// A pipeline without `tests` tests itself.
void test_itself(LoadedPipeline& pipeline, YamlNode const& root, std::string name) {
  if (root.find("tests") == nullptr) {
    PipelineTest test;
    test.name = std::move(name);
    test.at = root.at;
    pipeline.tests.push_back(std::move(test));
  }
}

std::vector<LoadedPipeline> read_list(Context& context, YamlNode const& root,
                                      std::string_view file_name) {
  std::vector<LoadedPipeline> out;
  Keys const keys(context.report, &root, root, list_keys(), "the file", "file");
  YamlNode const* const list = keys.find("pipelines");
  if (context.options.purpose != LoadOptions::Purpose::test) {
    context.report.add(
        "E101", *root.find_key("pipelines"),
        "a list of 'pipelines' is read by `windrow test` only: here a file holds one "
        "'pipeline'");
    return out;
  }
  if (list == nullptr) {
    return out;
  }
  if (!list->is_list() || list->items.empty()) {
    context.report.add("E141", *list,
                       fmt::format("'pipelines' must be a list of {{pipeline: ..}}, is {}",
                                   list->is_list() ? "empty" : kind_of(*list)));
    return out;
  }
  for (YamlNode const& item : list->items) {
    std::string const place = fmt::format("pipelines[{}]", out.size());
    out.push_back(read_pipeline(context, item, place, file_name));
    test_itself(out.back(), item, place);
  }
  return out;
}

}  // namespace

LoadResult load(std::string_view file_name, std::string const& text, LoadOptions const& options) {
  LoadResult out;
  Context context{.options = options};
  bool parsed = true;
  YamlNode root = read_text(context, file_name, text, parsed);
  if (parsed) {
    if (root.is_null()) {
      root.at = {1, 1};
    }
    if (root.find("pipelines") != nullptr) {
      out.listed = read_list(context, root, file_name);
    } else {
      static_cast<LoadedPipeline&>(out) = read_pipeline(context, root, "the file", file_name);
      if (options.purpose == LoadOptions::Purpose::test && asserts(out.graph)) {
        test_itself(out, root, "the pipeline");
      }
    }
    out.graph.windrow_keys.assign(context.report.windrow_keys().begin(),
                                  context.report.windrow_keys().end());
  }
  out.findings = context.report.take();
  out.on_beam = context.report.take_on_beam();
  return out;
}

}  // namespace windrow
