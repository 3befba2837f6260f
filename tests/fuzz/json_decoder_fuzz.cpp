// libFuzzer's entry for the JSON decoder; with g++ tests/json_corpus_test replays the corpus
// through it.
#include "tests/fuzz/json_decoder_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  windrow::testing::fuzz_json_decoder({reinterpret_cast<char const*>(data), size});
  return 0;
}
