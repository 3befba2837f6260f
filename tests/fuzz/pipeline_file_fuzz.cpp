// libFuzzer's entry for pipeline files; tests/fuzz_corpus_test replays their corpus through it.
#include "tests/fuzz/pipeline_file_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  windrow::testing::fuzz_pipeline_file({reinterpret_cast<char const*>(data), size});
  return 0;
}
