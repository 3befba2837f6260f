// Every transcript of ours through Pipeline, also with a restart between every two actions.
#include "tests/transcript_suite.hpp"

namespace windrow::transcript {

TEST(TranscriptsTest, EveryTranscriptHolds) {
  run_files(files_of(WINDROW_SOURCE_DIR "/tests/transcripts", ".yaml"), false);
}

TEST(TranscriptsTest, EveryTranscriptHoldsOverARestartBetweenEveryTwoActions) {
  run_files(files_of(WINDROW_SOURCE_DIR "/tests/transcripts", ".yaml"), true);
}

// A harness that cannot fail proves nothing: each of these differs from its script in one place,
// and passes only if the harness finds it (`error`).
TEST(TranscriptsTest, WrongTranscriptsAreFound) {
  TemporaryDirectory const scratch;
  RunOptions const options{.make_aggregation = testing::make_scripted,
                           .scratch = scratch.path().string()};
  int documents = 0;
  for (std::string const& file :
       files_of(WINDROW_SOURCE_DIR "/tests/transcripts/must_fail", ".yaml")) {
    for (Node const& document : read_documents(file)) {
      ++documents;
      ASSERT_NE(document.find("error"), nullptr) << file;
      Result const result = run_document(document, options);
      EXPECT_EQ(result.kind, Result::Kind::passed) << file << ": " << result.text;
    }
  }
  EXPECT_GT(documents, 0);
}

}  // namespace windrow::transcript
