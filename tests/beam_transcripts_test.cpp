// Beam's own trigger transcripts on Pipeline (semantics.md 18.1).  Not ours to commit: they come
// out of Beam's wheel; WINDROW_BEAM_TRANSCRIPTS names the file (beam_transcripts.sh).
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/transcript_suite.hpp"

namespace windrow::transcript {

namespace {

// Beam writes `values:[1, ..]` in a flow map, where yaml-cpp wants a space before the list.
std::string spaced(std::string text) {
  for (std::size_t at = 0; (at = text.find(":[", at)) != std::string::npos; ++at) {
    text.insert(at + 1, " ");
  }
  return text;
}

}  // namespace

TEST(BeamTranscriptsTest, BeamsOwnTranscriptsHold) {
  char const* const path = std::getenv("WINDROW_BEAM_TRANSCRIPTS");
  ASSERT_NE(path, nullptr) << "run by beam_transcripts.sh";
  std::ifstream in(path);
  std::string const text{std::istreambuf_iterator<char>(in), {}};
  TemporaryDirectory const scratch;
  std::string const file = (scratch / "trigger_transcripts.yaml").string();
  std::ofstream(file) << spaced(text);
  for (bool const restart_always : {false, true}) {
    Counts const counts = run_files({file}, restart_always);
    EXPECT_EQ(counts.passed, 17);
    EXPECT_EQ(counts.skipped, 1);  // OUTPUT_AT_EARLIEST_TRANSFORMED
  }
}

}  // namespace windrow::transcript
