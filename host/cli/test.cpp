// `windrow test`: the tests that a pipeline file holds.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "host/cli/pipeline_file.hpp"
#include "host/cli/pipeline_run.hpp"
#include "host/cli/test_blocks.hpp"
#include "host/cli/test_transcript.hpp"
#include "host/cli/verbs.hpp"

namespace windrow::cli {
namespace {

class Test final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("test", "run the tests that pipeline files hold");
    verb->add_option("files", files_, "pipeline files")->required();
    return verb;
  }
  int run(Invocation const& invocation) override {
    for (std::string const& file : files_) {
      std::string const text = read_text(file);
      LoadResult const loaded = load_text(file, text, invocation, LoadOptions::Purpose::test);
      print_findings(loaded.findings, invocation);
      if (!loaded.ok()) {
        return exit_invalid;
      }
      run_tests(file, loaded);
      for (LoadedPipeline const& pipeline : loaded.listed) {
        run_tests(file, pipeline);
      }
    }
    fmt::print("{} passed, {} failed\n", passed_, failed_);
    if (passed_ + failed_ == 0) {
      fmt::print(stderr, "windrow: the files hold no tests\n");
      return exit_differs;
    }
    return failed_ == 0 ? exit_ok : exit_differs;
  }

 private:
  void run_tests(std::string const& file, LoadedPipeline const& pipeline) {
    for (PipelineTest const& test : pipeline.tests) {
      std::vector<std::string> const faults = test.transcript.empty()
                                                  ? run_block(pipeline.graph, test)
                                                  : run_transcript(file, pipeline.graph, test);
      (faults.empty() ? passed_ : failed_) += 1;
      fmt::print("{} {}:{} {}\n", faults.empty() ? "passed" : "FAILED", file, test.at.line,
                 test.name);
      for (std::string const& fault : faults) {
        fmt::print("    {}\n", fault);
      }
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
  std::size_t passed_ = 0, failed_ = 0;
};

}  // namespace

std::unique_ptr<Verb> test_verb() { return std::make_unique<Test>(); }

}  // namespace windrow::cli
