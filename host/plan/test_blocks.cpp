#include "host/plan/test_blocks.hpp"

#include <fmt/format.h>

#include "host/plan/keys.hpp"
#include "host/plan/transcript_reader.hpp"

namespace windrow {
namespace {

std::vector<TestRows> read_rows(Context& context, Keys const& test, char const* key) {
  std::vector<TestRows> out;
  YamlNode const* const list = test.find(key);
  if (list == nullptr) {
    return out;
  }
  if (!list->is_list()) {
    context.report.add("E141", *list,
                       fmt::format("'{}' must be a list, is {}", key, kind_of(*list)));
    return out;
  }
  for (YamlNode const& item : list->items) {
    Keys const block(context.report, &item, item, test_row_keys(), key, "tests");
    if (!block.has("name") || !block.has("elements")) {
      continue;
    }
    TestRows rows;
    rows.name = block.text("name");
    rows.at = item.at;
    for (YamlNode const& element : block.find("elements")->items) {
      rows.elements.push_back(json_of(element));
    }
    out.push_back(std::move(rows));
  }
  return out;
}

// A transcript scripts the source and lists panes: rows put in or expected elsewhere have no place.
void refuse_beside(Context& context, YamlNode const& test) {
  for (char const* const key :
       {"mock_inputs", "mock_outputs", "expected_inputs", "expected_outputs", "allowed_sources"}) {
    if (YamlNode const* const written = test.find_key(key)) {
      context.report.add("E141", *written,
                         fmt::format("a test has either a 'transcript' or '{}'", key));
    }
  }
}

}  // namespace

std::vector<PipelineTest> read_tests(Context& context, YamlNode const& node) {
  std::vector<PipelineTest> out;
  if (!node.is_list()) {
    if (!node.is_null()) {
      context.report.add("E141", node, fmt::format("'tests' must be a list, is {}", kind_of(node)));
    }
    return out;
  }
  for (YamlNode const& item : node.items) {
    Keys const keys(context.report, &item, item, test_keys(), "a test", "tests");
    PipelineTest test;
    test.name = keys.has("name") ? keys.text("name") : fmt::format("test {}", out.size() + 1);
    test.at = item.at;
    test.mock_inputs = read_rows(context, keys, "mock_inputs");
    test.mock_outputs = read_rows(context, keys, "mock_outputs");
    test.expected_inputs = read_rows(context, keys, "expected_inputs");
    test.expected_outputs = read_rows(context, keys, "expected_outputs");
    for (YamlNode const* const source : keys.texts("allowed_sources")) {
      test.allowed_sources.push_back(source->text);
    }
    if (YamlNode const* const transcript = keys.find("transcript")) {
      test.transcript = read_transcript(context, *transcript);
      refuse_beside(context, item);
      if (transcript->items.empty()) {
        context.report.add("E141", *transcript, "'transcript' must have an action");
      }
    }
    for (YamlNode const* const step : keys.texts("observe")) {
      test.observe.push_back(step->text);
    }
    out.push_back(std::move(test));
  }
  return out;
}

}  // namespace windrow
