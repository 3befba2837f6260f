// Every code of the checker: one file under tests/check that triggers it at a stated place, and one
// near miss that does not (semantics.md R69).  First line of a file: `# expect: E100 14:5`, or `#
// near: E100`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "host/plan/codes.hpp"
#include "tests/check_options.hpp"

namespace windrow {
namespace {

std::filesystem::path const source_dir{WINDROW_SOURCE_DIR};

std::string read(std::filesystem::path const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
}

std::string all_of(std::vector<Finding> const& findings) {
  std::string out;
  for (Finding const& finding : findings) {
    out += to_text(finding);
  }
  return out;
}

}  // namespace

TEST(CheckTest, EveryFileFindsExactlyWhatItStates) {
  std::size_t files = 0;
  for (auto const& entry : std::filesystem::directory_iterator(source_dir / "tests/check")) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    ++files;
    std::string const text = read(entry.path());
    std::string const first = text.substr(0, text.find('\n'));
    std::istringstream words(first);
    std::string hash, kind;
    words >> hash >> kind;
    LoadResult const result =
        load(entry.path().filename().string(), text, testing::check_options());
    std::multiset<std::string> found;
    for (Finding const& finding : result.findings) {
      found.insert(finding.code + ' ' + std::to_string(finding.line) + ':' +
                   std::to_string(finding.column));
    }
    std::multiset<std::string> expected;
    if (kind == "expect:") {
      std::string code, place;
      while (words >> code >> place) {
        expected.insert(code + ' ' + place);
      }
      EXPECT_EQ(found, expected) << entry.path() << "\n" << all_of(result.findings);
    } else {
      ASSERT_EQ(kind, "near:") << entry.path() << ": the first line says what to expect";
      std::string code;
      words >> code;
      EXPECT_TRUE(entry.path().stem().string().ends_with("_ok")) << entry.path();
      for (Finding const& finding : result.findings) {
        EXPECT_NE(finding.code, code) << to_text(finding);
      }
      if (code[0] == 'E') {
        EXPECT_TRUE(result.ok()) << entry.path() << "\n" << all_of(result.findings);
      }
    }
  }
  EXPECT_GT(files, 80U);
}

TEST(CheckTest, EveryCodeThatIsBuiltHasAFileAndANearMiss) {
  std::set<std::string> triggered, missed;
  for (auto const& entry : std::filesystem::directory_iterator(source_dir / "tests/check")) {
    std::string const text = read(entry.path());
    std::istringstream words(text.substr(0, text.find('\n')));
    std::string hash, kind, code, place;
    words >> hash >> kind;
    if (kind == "near:") {
      words >> code;
      missed.insert(code);
      continue;
    }
    while (words >> code >> place) {
      triggered.insert(code);
    }
  }
  for (CodeEntry const& entry : codes()) {
    std::string const code{entry.code};
    if (!entry.waits_for.empty()) {
      EXPECT_FALSE(triggered.contains(code)) << code << " is built: say so in the table";
      continue;
    }
    EXPECT_TRUE(triggered.contains(code)) << "no file under tests/check triggers " << code;
    EXPECT_TRUE(missed.contains(code)) << "no near miss of " << code << " under tests/check";
  }
}

TEST(CheckTest, TheTableOfCodesIsThatOfTheSemanticsAndW220) {
  std::string const all =
      "E100 E101 E102 E103 E104 E105 E106 E107 E108 E109 E110 E111 E112 E113 E120 E121 E122 E123 "
      "E124 E125 "
      "E126 E127 E130 E131 E132 E133 E134 E135 E136 E137 E140 E141 E142 E150 W201 W202 W203 W204 "
      "W205 W206 "
      "W207 W208 W209 W211 W212 W213 W214 W215 W216 W217 W218 W219 W220";
  std::string ours;
  for (CodeEntry const& entry : codes()) {
    if (!ours.empty()) {
      ours += ' ';
    }
    ours += entry.code;
  }
  EXPECT_EQ(ours, all);
}

TEST(CheckTest, TheExamplesAreClean) {
  for (char const* const name : {"pageviews.yaml", "pageviews-kafka.yaml",
                                 "pageviews-postgres.yaml", "sessions.yaml", "files.yaml"}) {
    LoadResult const result =
        load(name, read(source_dir / "examples" / name), testing::check_options());
    EXPECT_TRUE(result.findings.empty()) << all_of(result.findings);
  }
}

}  // namespace windrow
