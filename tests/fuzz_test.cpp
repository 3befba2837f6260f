// Random scripts against the oracle, which shares no code with the engine (semantics.md 18.2).
//   WINDROW_FUZZ_SEED, WINDROW_FUZZ_COUNT  another seed, another number of scripts (default 20 000)
#include <cstdlib>

#include "tests/scale.hpp"
#include "tests/transcript_suite.hpp"

namespace windrow::transcript {

namespace {

std::string setting(char const* name, std::string fallback) {
  char const* const value = std::getenv(name);
  return value == nullptr ? fallback : value;
}

}  // namespace

TEST(FuzzTest, GivesWhatTheOracleGives) {
  TemporaryDirectory const scratch;
  std::string const seed = setting("WINDROW_FUZZ_SEED", "1");
  int const count =
      std::stoi(setting("WINDROW_FUZZ_COUNT", std::to_string(testing::scaled(20'000))));
  int done = 0;
  // In pieces, so that no file of scripts grows large; each has its own seed.
  for (int piece = 0; done < count; ++piece) {
    int const scripts = std::min(2000, count - done);
    std::string const file = (scratch / "fuzz.jsonl").string();
    std::string const from = seed + std::to_string(1000 + piece);
    std::string const command = "/usr/bin/python3 " WINDROW_SOURCE_DIR
                                "/tests/oracle/fuzz.py --seed " +
                                from + " --count " + std::to_string(scripts) + " --out " + file;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::printf("seed %s: ", from.c_str());
    Counts const counts = run_files({file}, piece % 4 == 3);  // every fourth piece with restarts
    ASSERT_EQ(counts.passed, scripts) << "seed " << from;
    done += scripts;
  }
}

}  // namespace windrow::transcript
