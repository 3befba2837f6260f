// The golden transcripts again, each with a restart between every two actions.
#include "tests/transcript_suite.hpp"

namespace windrow::transcript {

TEST(GoldenRestartTest, ARestartBetweenEveryTwoActionsChangesNothing) {
  Counts const counts = run_files(files_of(WINDROW_SOURCE_DIR "/tests/golden", ".yaml.gz"), true);
  EXPECT_EQ(counts.passed, 3875);
  EXPECT_EQ(counts.skipped, 125);
}

}  // namespace windrow::transcript
