// A file per batch: what is written again takes its own place.
#include "sinks/json_files_sink.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "host/engine/snapshot.hpp"
#include "tests/sink_rows.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

using test::SinkBatch;
using Outcomes = std::vector<Outcome>;

std::map<std::string, std::string> files_in(std::filesystem::path const& directory) {
  std::map<std::string, std::string> files;
  for (auto const& entry : std::filesystem::directory_iterator(directory)) {
    std::ostringstream content;
    content << std::ifstream(entry.path()).rdbuf();
    files[entry.path().filename().string()] = content.str();
  }
  return files;
}

TEST(JsonFilesSinkTest, ABatchIsAFileOfItsVersionAndARepeatedOneIsTheSameFile) {
  TemporaryDirectory top;
  std::filesystem::path const directory = top / "out/deep";
  for (int process = 0; process < 2; ++process) {
    JsonFilesSink sink(directory, test::counts_schema(true));
    sink.open();
    EXPECT_EQ(SinkBatch(1, {{"a", "/a", 1, 100}, {"b", "/b", 2, 100}}).write_to(sink),
              Outcomes(2, Outcome::ok));
    EXPECT_EQ(SinkBatch(2, {{"a", "/a", 3, 101}}).write_to(sink), Outcomes{Outcome::ok});
    auto const files = files_in(directory);
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(std::count(files.begin()->second.begin(), files.begin()->second.end(), '\n'), 2);
    EXPECT_NE(files.rbegin()->second.find(R"("views":3)"), std::string::npos);
  }
}

TEST(JsonFilesSinkTest, PartsOfABatchAreFilesOfTheirOwn) {
  TemporaryDirectory top;
  JsonFilesSink sink(top.path(), test::counts_schema(true));
  sink.open();
  EXPECT_EQ(SinkBatch(7, {{"a", "/", 1, 7}}).write_to(sink), Outcomes{Outcome::ok});
  EXPECT_EQ(SinkBatch(7, {{"b", "/", 1, 7}}).write_to(sink), Outcomes{Outcome::ok});
  std::string names;
  for (auto const& [name, content] : files_in(top.path())) {
    names += name + " ";
  }
  EXPECT_EQ(names, "batch-7-2.ndjson batch-7.ndjson ");
}

TEST(JsonFilesSinkTest, WhereItCannotWriteItPausesAndGoesOnByItself) {
  TemporaryDirectory top;
  std::filesystem::path const directory = top / "out";
  JsonFilesSink sink(directory, test::counts_schema(true));
  sink.open();
  std::filesystem::remove(directory);
  EXPECT_EQ(SinkBatch(1, {{"a"}}).write_to(sink), Outcomes{Outcome::pause});
  std::filesystem::create_directory(directory);
  EXPECT_EQ(SinkBatch(1, {{"a"}}).write_to(sink), Outcomes{Outcome::ok});
  EXPECT_EQ(files_in(directory).size(), 1U);
  std::ofstream(top / "file") << "x";
  JsonFilesSink no_directory(top / "file/out", test::counts_schema(true));
  EXPECT_THROW(no_directory.open(), EnvironmentError);
}

}  // namespace
}  // namespace windrow
