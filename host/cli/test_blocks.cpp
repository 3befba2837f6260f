// Beam's `tests` blocks.
#include "host/cli/test_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "host/cli/graph_part.hpp"
#include "host/engine/stage_graph.hpp"
#include "host/plan/suggestion.hpp"

namespace windrow::cli {
namespace {

bool is_source(Transform const& transform) {
  return std::holds_alternative<ReadFromKafka>(transform.config) ||
         std::holds_alternative<ReadFromJson>(transform.config) ||
         std::holds_alternative<Generate>(transform.config);
}

class Mocking {
 public:
  Mocking(Graph graph, PipelineTest const& test) : graph_(std::move(graph)), test_(test) {}

  MockedGraph mocked() {
    for (TestRows const& rows : test_.mock_outputs) {
      mock_output(rows);
    }
    for (TestRows const& rows : test_.mock_inputs) {
      mock_input(rows);
    }
    for (TestRows const& rows : test_.expected_outputs) {
      if (auto const at = find(rows.name)) {
        expect(rows, {Edge{*at, false}});
      }
    }
    for (TestRows const& rows : test_.expected_inputs) {
      if (auto const at = find(rows.name)) {
        expect(rows, graph_.transforms[*at].inputs);
      }
    }
    keep_what_leads_to_expectations();
    return {std::move(graph_), std::move(faults_)};
  }

 private:
  std::optional<std::size_t> find(std::string const& name) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < graph_.transforms.size(); ++at) {
      if (graph_.transforms[at].name == name) {
        return at;
      }
      names.push_back(graph_.transforms[at].name);
    }
    std::string const near = nearest(name, names);
    faults_.push_back(fmt::format("no transform is called '{}'{}", name,
                                  near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
    return std::nullopt;
  }

  void mock_output(TestRows const& rows) {
    auto const at = find(rows.name);
    if (!at) {
      return;
    }
    Transform& transform = graph_.transforms[*at];
    if (transform.step) {
      faults_.push_back(
          fmt::format("'{}' gives rows of a step, which have windows and panes that a mock "
                      "cannot say; mock what the step reads",
                      rows.name));
      return;
    }
    transform.type = "Create";
    transform.inputs.clear();
    transform.config = Create{rows.elements};
  }

  void mock_input(TestRows const& rows) {
    auto const at = find(rows.name);
    if (!at) {
      return;
    }
    std::vector<Edge> const inputs = graph_.transforms[*at].inputs;
    if (inputs.empty()) {
      faults_.push_back(fmt::format("'{}' has no input", rows.name));
      return;
    }
    Transform const& before = graph_.transforms[inputs.front().transform];
    if (before.step && !inputs.front().errors) {
      faults_.push_back(
          fmt::format("'{}' reads rows of a step, which have windows and panes that a mock "
                      "cannot say; mock what the step reads",
                      rows.name));
      return;
    }
    Transform create;
    create.name = rows.name + " (mocked input)";
    create.type = "Create";
    create.output = inputs.front().errors ? error_schema() : before.output;
    create.config = Create{rows.elements};
    graph_.transforms.push_back(std::move(create));
    graph_.transforms[*at].inputs = {Edge{graph_.transforms.size() - 1, false}};
  }

  void expect(TestRows const& rows, std::vector<Edge> inputs) {
    Transform expectation;
    expectation.name = rows.name + " (expected)";
    expectation.type = "AssertEqual";
    expectation.inputs = std::move(inputs);
    expectation.config = AssertEqual{rows.elements};
    expectation.step = graph_.transforms[expectation.inputs.front().transform].step;
    graph_.transforms.push_back(std::move(expectation));
  }

  void keep_what_leads_to_expectations() {
    std::vector<std::size_t> expectations;
    for (std::size_t at = 0; at < graph_.transforms.size(); ++at) {
      if (std::holds_alternative<AssertEqual>(graph_.transforms[at].config)) {
        expectations.push_back(at);
      }
    }
    if (expectations.empty()) {
      faults_.push_back("nothing is expected");
    }
    graph_ = part_leading_to(std::move(graph_), expectations);
    auto const& allowed = test_.allowed_sources;
    for (Transform const& transform : graph_.transforms) {
      if (is_source(transform) &&
          std::find(allowed.begin(), allowed.end(), transform.name) == allowed.end()) {
        faults_.push_back(
            fmt::format("source '{}' is neither mocked nor in allowed_sources", transform.name));
      }
      if (is_sink(transform.config)) {
        faults_.push_back(fmt::format(
            "a test writes to no sink, and what is expected reads what '{}' refuses; mock that",
            transform.name));
      }
    }
  }

  Graph graph_;
  PipelineTest const& test_;
  std::vector<std::string> faults_;
};

}  // namespace

MockedGraph mocked(Graph graph, PipelineTest const& test) {
  return Mocking(std::move(graph), test).mocked();
}

}  // namespace windrow::cli
