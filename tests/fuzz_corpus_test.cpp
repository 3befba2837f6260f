// What the fuzzers start from, and every input with which they once found something: one folder per
// fuzzer under tests/corpus.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/expression_fuzz.hpp"
#include "tests/fuzz/json_decoder_fuzz.hpp"
#include "tests/fuzz/pipeline_file_fuzz.hpp"

namespace windrow::testing {
namespace {

// Returns the number of inputs.
std::size_t replay(std::string const& folder, void (*fuzz)(std::string_view)) {
  std::size_t inputs = 0;
  std::filesystem::path const tests = std::filesystem::path(WINDROW_SOURCE_DIR) / "tests";
  for (auto const& entry : std::filesystem::directory_iterator(tests / folder)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    std::printf("%s\n", entry.path().c_str());  // a find ends the test
    std::ifstream in(entry.path(), std::ios::binary);
    fuzz(std::string(std::istreambuf_iterator<char>{in}, {}));
    ++inputs;
  }
  return inputs;
}

TEST(FuzzCorpusTest, TheDecoderHasNoContradiction) {
  EXPECT_GT(replay("corpus/json_decoder", fuzz_json_decoder), 0U);
}

TEST(FuzzCorpusTest, AnExpressionGivesTheTypeThatItWasSaidToHave) {
  EXPECT_GT(replay("corpus/expression", fuzz_expression), 0U);
}

TEST(FuzzCorpusTest, APipelineFileIsRefusedAtAPlaceOrRuns) {
  EXPECT_GT(replay("corpus/pipeline_file", fuzz_pipeline_file), 0U);
  EXPECT_GT(replay("check", fuzz_pipeline_file), 100U);
  EXPECT_GT(replay("../examples", fuzz_pipeline_file), 2U);
}

}  // namespace
}  // namespace windrow::testing
