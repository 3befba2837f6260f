// Lines of JSON: exact values, appended whole, refused where the file is torn.
#include "sinks/json_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include "host/engine/snapshot.hpp"
#include "tests/sink_rows.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

using test::CountRow;
using test::SinkBatch;
using Outcomes = std::vector<Outcome>;

class JsonSinkTest : public ::testing::Test {
 protected:
  std::string content() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(std::string const& text) { std::ofstream(path_, std::ios::binary) << text; }

  TemporaryDirectory scratch_;
  std::string path_ = (scratch_ / "rows.ndjson").string();
  JsonSink sink_{path_, test::counts_schema(false)};
};

// The lines of `rows` rows whose urls are long, to be written in parts.
std::vector<CountRow> long_rows(int rows) {
  std::vector<CountRow> out;
  for (int i = 0; i < rows; ++i) {
    out.push_back({std::to_string(i), std::string(1000, 'u'), i});
  }
  return out;
}

TEST_F(JsonSinkTest, ValuesKeepTheirTypeAndDigits) {
  std::string pages;
  ContainerEncoder list(Scalar::Kind::list, pages);
  list.add(Scalar::of_string("é\n"));
  list.add(Scalar::of(std::int64_t{1}));
  list.close();
  sink_.open();
  SinkBatch batch(1, {{"0|a", "say \"hi\"", INT64_MAX, 9007199254740993, 0.1, pages, "\xff"},
                      {std::nullopt, std::nullopt, std::nullopt, 1, std::nan("")},
                      {"", "", INT64_MIN, 1, -std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(batch.write_to(sink_), Outcomes(3, Outcome::ok));
  sink_.flush();
  EXPECT_EQ(content(),
            "{\"id\":\"0|a\",\"window_start\":-300000000,\"url\":\"say \\\"hi\\\"\","
            "\"views\":9223372036854775807,\"mean\":0.1,\"pages\":[\"é\\n\",1],\"raw\":\"/w==\","
            "\"pane_version\":9007199254740993,\"deleted\":false}\n"
            "{\"id\":null,\"window_start\":-300000000,\"url\":null,\"views\":null,\"mean\":\"NaN\","
            "\"pages\":null,\"raw\":\"\",\"pane_version\":1,\"deleted\":false}\n"
            "{\"id\":\"\",\"window_start\":-300000000,\"url\":\"\",\"views\":-9223372036854775808,"
            "\"mean\":\"-Infinity\",\"pages\":null,\"raw\":\"\",\"pane_version\":1,"
            "\"deleted\":false}\n");
}

TEST_F(JsonSinkTest, AnExistingFileIsAppendedTo) {
  put("{\"old\":1}\n");
  sink_.open();
  SinkBatch(1, {{"a"}}).write_to(sink_);
  SinkBatch(2, {}).write_to(sink_);
  SinkBatch(3, {{"b"}}).write_to(sink_);
  std::string const text = content();
  EXPECT_EQ(text.substr(0, 10), "{\"old\":1}\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST_F(JsonSinkTest, ATornLastLineIsRefusedWithItsPlace) {
  std::string const whole = std::string(200'000, 'x') + "\n";
  put(whole + std::string(70'000, 'y'));  // more than the piece that is looked at in one go
  try {
    sink_.open();
    FAIL() << "a torn file was opened";
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), 74);
    EXPECT_NE(std::string(error.what()).find("truncate -s 200001 "), std::string::npos);
  }
  EXPECT_EQ(content().size(), 270'001U);  // and is left as it is
  put("y");
  JsonSink one_torn_line(path_, test::counts_schema(false));
  EXPECT_THROW(one_torn_line.open(), EnvironmentError);
}

TEST_F(JsonSinkTest, ATornLastLineIsCutWhereTheRunWritesItAgain) {
  std::ofstream(path_) << "{\"whole\":1}\n{\"torn\":";
  JsonSink sink(path_, test::counts_schema(false), true);
  sink.open();
  EXPECT_EQ(content(), "{\"whole\":1}\n");
}

TEST_F(JsonSinkTest, AFileThatCannotOpenIsRefusedByName) {
  JsonSink sink((scratch_ / "missing/rows.ndjson").string(), test::counts_schema(false));
  try {
    sink.open();
    FAIL() << "a file in no directory was opened";
  } catch (EnvironmentError const& error) {
    EXPECT_NE(std::string(error.what()).find("missing/rows.ndjson: No such file"),
              std::string::npos);
  }
}

TEST_F(JsonSinkTest, AFullDiskPausesAndTheBatchGoesOnWhereItStopped) {
  sink_.open();
  SinkBatch batch(1, long_rows(100));
  rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  auto const old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit const small{10'500, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Outcomes const first = batch.write_to(sink_);
  std::size_t const torn_at = content().size();
  Outcomes const second = batch.write_to(sink_);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(torn_at, 10'500U);
  EXPECT_EQ(first, Outcomes(100, Outcome::pause));
  EXPECT_EQ(second, Outcomes(100, Outcome::pause));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_NE(batch.faults[0].message.find("File too large"), std::string::npos);

  EXPECT_EQ(batch.write_to(sink_), Outcomes(100, Outcome::ok));
  std::string const in_parts = content();
  JsonSink other((scratch_ / "other.ndjson").string(), test::counts_schema(false));
  other.open();
  SinkBatch(1, long_rows(100)).write_to(other);
  path_ = (scratch_ / "other.ndjson").string();
  EXPECT_EQ(in_parts, content());
}

TEST_F(JsonSinkTest, StdoutTakesLinesAlsoWhereItDoesNotBlock) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  std::string text;
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the pipe is full by then
    std::array<char, 4096> piece;
    for (ssize_t n = 0; (n = read(ends[0], piece.data(), piece.size())) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(n));
    }
  });
  int const saved = dup(STDOUT_FILENO);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  Outcomes outcomes;
  {
    JsonSink sink("-", test::counts_schema(false));
    sink.open();
    outcomes = SinkBatch(1, long_rows(500)).write_to(sink);
    sink.flush();
  }
  dup2(saved, STDOUT_FILENO);
  close(saved);
  reader.join();
  close(ends[0]);
  EXPECT_EQ(outcomes, Outcomes(500, Outcome::ok));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 500);
  EXPECT_EQ(text.substr(text.size() - 2), "}\n");
}

TEST_F(JsonSinkTest, AReaderThatHasGoneIsFatal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  auto const old_handler = std::signal(SIGPIPE, SIG_IGN);
  JsonSink sink("/dev/fd/" + std::to_string(ends[1]), test::counts_schema(false));
  sink.open();
  close(ends[1]);
  EXPECT_EQ(SinkBatch(1, {{"a"}}).write_to(sink), Outcomes{Outcome::fatal});
  std::signal(SIGPIPE, old_handler);
}

}  // namespace
}  // namespace windrow
