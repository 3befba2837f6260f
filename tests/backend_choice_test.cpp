// Which GPU a run takes, how much of it, and what is said where that cannot be: over lists of GPUs
// that this machine need not have.
#include "host/cli/backends.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "host/cli/machine.hpp"
#include "tests/check_options.hpp"

namespace windrow::cli {
namespace {

constexpr std::size_t gib = std::size_t{1} << 30U;

CudaInventory no_driver() {
  CudaInventory none;
  none.reason = "no NVIDIA driver";
  return none;
}
// cuda:0 cannot, cuda:1 has 60 GiB free, cuda:2 has 10.
CudaInventory three() {
  CudaInventory found;
  found.driver = "580.95.05, CUDA 13.0";
  found.runtime = "13.0";
  found.devices = {
      {0, "Old", "GPU-00000000-0000-0000-0000-000000000000", 60, 8 * gib, 7 * gib,
       "no kernel image is available"},
      {1, "H200", "GPU-11111111-1111-1111-1111-111111111111", 90, 140 * gib, 60 * gib, ""},
      {2, "H200", "GPU-22222222-2222-2222-2222-222222222222", 90, 140 * gib, 10 * gib, ""}};
  return found;
}
CudaInventory never_asked() {
  ADD_FAILURE() << "no step wants a GPU";
  return {};
}

// Two steps: Wide, whose rows are in 60 windows that share no slices, and Lists, which no device
// runs.
Graph graph_with(std::string const& settings) {
  std::string const text = R"(pipeline:
  transforms:
    - {type: Create, name: In, config: {elements: [{k: a, v: 1}]}}
    - {type: Combine, name: Wide, input: In,
       windowing: {type: sliding, size: 60s, period: 1s, timestamp_combiner: latest_in_pane},
       config: {group_by: k, combine: {n: {value: v, fn: sum}}}}
    - {type: Combine, name: Lists, input: In, windowing: {type: fixed, size: 60s},
       config: {group_by: k, combine: {n: {value: v, fn: group}}}}
    - {type: LogForTesting, name: A, input: Wide}
    - {type: LogForTesting, name: B, input: Lists}
options:
  windrow: )" + settings + "\n";
  LoadResult loaded = load("job.yaml", text, testing::check_options());
  EXPECT_TRUE(loaded.ok()) << (loaded.findings.empty() ? "" : to_text(loaded.findings[0]));
  return std::move(loaded.graph);
}

std::string lines_of(std::string const& settings, CudaInventory (*look)() = three) {
  Graph const graph = graph_with(settings);
  std::string out;
  for (std::string const& line : Backends(graph, look).lines()) {
    out += line + "\n";
  }
  return out;
}

std::optional<EnvironmentError> error_of(std::string const& settings, CudaInventory (*look)()) {
  try {
    lines_of(settings, look);
  } catch (EnvironmentError const& error) {
    return error;
  }
  return std::nullopt;
}
void expect_error(std::string const& settings, CudaInventory (*look)(), int code,
                  std::string const& text) {
  std::optional<EnvironmentError> const error = error_of(settings, look);
  ASSERT_TRUE(error) << settings;
  EXPECT_EQ(error->exit_code(), code);
  EXPECT_EQ(std::string(error->what()), text);
}

class BackendChoiceTest : public ::testing::Test {
 protected:
  void SetUp() override { unsetenv("WINDROW_BACKEND"); }
};

TEST_F(BackendChoiceTest, AGpuIsLookedForOnlyWhereAStepWantsOne) {
  EXPECT_EQ(lines_of("{device: cpu}", never_asked), "");
  setenv("WINDROW_BACKEND", "twin", 1);
  EXPECT_TRUE(lines_of("{device: cuda}", never_asked)
                  .starts_with("Wide runs on twin: WINDROW_BACKEND asks for it\n"
                               "Lists runs on cpu: no device runs an aggregate whose state has no "
                               "fixed size"));
}

TEST_F(BackendChoiceTest, AutoTakesAGpuForStepsOfManyWindowsAndElseTheCpu) {
  EXPECT_EQ(lines_of("{}", no_driver), "");
  std::string const lines = lines_of("{}");
  EXPECT_EQ(lines.substr(0, lines.find('\n')),
            "Wide runs on cuda:1 (H200, GPU-11111111-1111-1111-1111-111111111111), 48.0 GiB at "
            "most: a row is in 60 windows");
}

TEST_F(BackendChoiceTest, AGpuIsNamedByNumberOrUuid) {
  for (char const* const name : {"cuda:2", "cuda:GPU-22222222-2222-2222-2222-222222222222",
                                 "cuda:MIG-22222222-2222-2222-2222-222222222222"}) {
    std::string const lines = lines_of(std::string("{device: \"") + name + "\"}");
    EXPECT_TRUE(lines.starts_with("Wide runs on cuda:2 (H200")) << lines;
    EXPECT_NE(lines.find("8.0 GiB at most: the file or the command asks for it"), lines.npos);
  }
}

TEST_F(BackendChoiceTest, AGpuThatIsNotThereIsNeverAnotherOne) {
  expect_error("{device: cuda}", no_driver, 69,
               "device: there is no GPU: no NVIDIA driver (the file or the command asks for it)");
  expect_error(
      "{device: \"cuda:0\"}", three, 69,
      "device: there is no GPU: cuda:0 (Old, GPU-00000000-0000-0000-0000-000000000000) "
      "cannot be used: no kernel image is available (the file or the command asks for it)");
  std::optional<EnvironmentError> const error = error_of("{device: \"cuda:3\"}", three);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), 69);
  EXPECT_TRUE(
      std::string(error->what())
          .starts_with("device: there is no GPU: no GPU is cuda:3; there are cuda:0 (Old, "))
      << error->what();
}

TEST_F(BackendChoiceTest, MemoryBeyondWhatIsFreeIsE150AndUnderAutoW217) {
  expect_error("{device: cuda, gpu: {memory_limit: 61GiB}}", three, 78,
               "job.yaml:12:47: error[E150] 'memory_limit' of gpu is more than is free on cuda:1 "
               "(H200, GPU-11111111-1111-1111-1111-111111111111): 61.0 GiB of 60.0 GiB");
  EXPECT_NE(lines_of("{gpu: {memory_limit: 61GiB}}").find(", 60.0 GiB at most"), std::string::npos);
  EXPECT_NE(lines_of("{gpu: {memory_limit: 50%}}").find(", 30.0 GiB at most"), std::string::npos);
  EXPECT_NE(lines_of("{gpu: {memory_limit: 512MiB}}").find(", 512.0 MiB at most"),
            std::string::npos);
}

TEST_F(BackendChoiceTest, DoctorShowsEveryGpuAndReckonsItsMemory) {
  EXPECT_EQ(backends_of(three()), (std::vector<std::string>{"cpu", "twin", "cuda:1", "cuda:2"}));
  std::string const facts = to_text(machine_facts(three()));
  for (char const* const part :
       {"3 GPUs, driver 580.95.05, CUDA 13.0, CUDA 13.0 inside",
        "H200, GPU-11111111-1111-1111-1111-111111111111, compute capability 9.0",
        "140.0 GiB - 80.0 GiB taken (by other processes and CUDA itself) = 60.0 GiB free; without "
        "gpu.memory_limit a run takes at most 80 % of that, 48.0 GiB",
        "cuda:0 cannot be used", "no kernel image is available"}) {
    EXPECT_NE(facts.find(part), std::string::npos) << facts;
  }
  EXPECT_NE(to_text(machine_facts(no_driver())).find("no GPU: no NVIDIA driver"),
            std::string::npos);
}

}  // namespace
}  // namespace windrow::cli
