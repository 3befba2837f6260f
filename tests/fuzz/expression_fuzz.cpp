// libFuzzer's entry for expressions; tests/fuzz_corpus_test replays their corpus through it.
#include "tests/fuzz/expression_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  windrow::testing::fuzz_expression({reinterpret_cast<char const*>(data), size});
  return 0;
}
