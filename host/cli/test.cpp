// `windrow test`: the tests that a pipeline file holds.
#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "host/cli/log.hpp"
#include "host/cli/pipeline_file.hpp"
#include "host/cli/pipeline_run.hpp"
#include "host/cli/test_blocks.hpp"
#include "host/cli/test_transcript.hpp"
#include "host/cli/verbs.hpp"

namespace windrow::cli {
namespace {

struct Result {
  std::string file;
  int line = 0;
  std::string name;
  std::vector<std::string> faults;  // none: it passed
};

std::string to_json(std::vector<Result> const& results) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out(buffer);
  auto const text = [&](std::string const& value) {
    out.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  };
  out.StartArray();
  for (Result const& result : results) {
    out.StartObject();
    out.Key("file");
    text(result.file);
    out.Key("line");
    out.Int(result.line);
    out.Key("name");
    text(result.name);
    out.Key("passed");
    out.Bool(result.faults.empty());
    out.Key("faults");
    out.StartArray();
    for (std::string const& fault : result.faults) {
      text(fault);
    }
    out.EndArray();
    out.EndObject();
  }
  out.EndArray();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

class Test final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("test", "run the tests that pipeline files hold");
    verb->add_option("files", files_, "pipeline files")->required();
    verb->add_option("--device", device_,
                     std::string(device_option) + "; cpu whatever the file says");
    return verb;
  }
  int run(Invocation const& invocation) override {
    json_ = invocation.json;
    for (std::string const& file : files_) {
      std::string const text = read_text(file);
      LoadResult loaded =
          load_text(file, text, with_device(invocation, device_), LoadOptions::Purpose::test);
      print_findings(loaded.findings, invocation);
      if (!loaded.ok()) {
        return exit_invalid;
      }
      run_tests(file, loaded);
      for (LoadedPipeline& pipeline : loaded.listed) {
        run_tests(file, pipeline);
      }
    }
    fmt::print("{}", json_ ? to_json(results_) : "");
    if (results_.empty()) {
      say(fmt::format("windrow: no tests in {}: write blocks under `tests` (README: A test), or an "
                      "AssertEqual into the pipeline",
                      fmt::join(files_, ", ")),
          spdlog::level::err);
      return exit_usage;
    }
    auto const failed = std::count_if(results_.begin(), results_.end(),
                                      [](Result const& r) { return !r.faults.empty(); });
    if (!json_) {
      fmt::print("{} passed, {} failed\n", results_.size() - static_cast<std::size_t>(failed),
                 failed);
    }
    return failed == 0 ? exit_ok : exit_differs;
  }
  [[nodiscard]] bool reads_pipelines() const override { return true; }

 private:
  void run_tests(std::string const& file, LoadedPipeline& pipeline) {
    if (device_.empty()) {
      pipeline.graph.settings.device = {DeviceSetting::Kind::cpu, {}};
    }
    for (PipelineTest const& test : pipeline.tests) {
      Result result{file, test.at.line, test.name,
                    test.transcript.empty() ? run_block(pipeline.graph, test)
                                            : run_transcript(file, pipeline.graph, test)};
      if (!json_) {
        fmt::print("{} {}:{} {}\n", result.faults.empty() ? "passed" : "FAILED", file, result.line,
                   result.name);
        for (std::string const& fault : result.faults) {
          fmt::print("    {}\n", fault);
        }
      }
      results_.push_back(std::move(result));
    }
  }

  static std::vector<std::string> run_block(Graph const& graph, PipelineTest const& test) {
    MockedGraph block = mocked(graph, test);
    if (!block.faults.empty()) {
      return block.faults;
    }
    PipelineRun run(std::move(block.graph), RunOptions{});
    run.run(std::stop_token{});
    return run.summary().failures;
  }
  std::vector<std::string> files_;
  std::vector<Result> results_;
  std::string device_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> test_verb() { return std::make_unique<Test>(); }

}  // namespace windrow::cli
