// What Beam's own Java emitted for 4 000 scripts: ground truth, never edited
// (tests/golden/README.md).
#include "tests/transcript_suite.hpp"

namespace windrow::transcript {

TEST(GoldenTest, EmitsWhatBeamJavaEmits) {
  Counts const counts = run_files(files_of(WINDROW_SOURCE_DIR "/tests/golden", ".yaml.gz"), false);
  EXPECT_EQ(counts.passed, 3875);
  EXPECT_EQ(counts.skipped, 125);  // Java breaks its own contract there (semantics.md 17)
}

}  // namespace windrow::transcript
