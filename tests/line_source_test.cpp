// Lines of files and of standard input: all of them, once, with their places.
#include "ingest/line_source.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "ingest/json_decoder.hpp"
#include "ingest/memory_source.hpp"
#include "tests/memory_snapshot.hpp"

namespace windrow {
namespace {

using Lines = std::vector<std::string>;

class LineSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "lines-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(std::string const& name, std::string const& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }
  [[nodiscard]] std::string in_folder(std::string const& name) const {
    return folder_ + "/" + name;
  }

 private:
  std::string folder_;
};

std::string line_of(RawRecord const& record) { return {record.data, record.bytes}; }

// All lines, in batches of at most `rows`; also checks that ranges join and that each can be read
// again.
Lines all_of(LineSource& source, LineSource& replay, std::size_t rows) {
  Lines lines;
  std::int64_t position = 0;
  for (bool more = true; more;) {
    RawBatch batch;
    more = source.poll(batch, rows, 0);
    EXPECT_LE(batch.records.size(), rows);
    EXPECT_EQ(batch.ranges.size(), 1U);
    EXPECT_EQ(batch.ranges[0].from, position);
    EXPECT_EQ(batch.ranges[0].ended, !more);
    position = batch.ranges[0].to;
    RawBatch again;
    replay.read(batch.ranges, again);
    EXPECT_EQ(again.records.size(), batch.records.size());
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      EXPECT_EQ(line_of(again.records[i]), line_of(batch.records[i]));
      EXPECT_EQ(again.records[i].offset, batch.records[i].offset);
      EXPECT_EQ(batch.records[i].time, T_MIN);
      lines.push_back(line_of(batch.records[i]));
    }
  }
  return lines;
}
Lines all_of(std::string const& path, std::size_t rows) {
  LineSource source(path), replay(path);
  source.open();
  replay.open();
  return all_of(source, replay, rows);
}
int exit_code_of(std::string const& path) {
  try {
    all_of(path, 10);
    return 0;
  } catch (EnvironmentError const& error) {
    return error.exit_code();
  }
}

TEST_F(LineSourceTest, FilesAreReadInOrderOfPathAndTheirLinesAreKept) {
  write("b.ndjson", "3\r\n\n  \n4");
  write("a.ndjson", "1\n2\n");
  write("c.ndjson", "");
  write("d.ndjson", "\r\n5\r\n");
  write(".hidden.ndjson", "no\n");
  write("_part.ndjson", "no\n");
  for (std::size_t const rows : {1U, 2U, 3U, 100U}) {
    EXPECT_EQ(all_of(in_folder("*.ndjson"), rows), (Lines{"1", "2", "3", "4", "5"})) << rows;
  }
  EXPECT_EQ(all_of(in_folder("_part.ndjson"), 1), Lines{"no"});
}

TEST_F(LineSourceTest, OffsetsNameTheFileAndTheByte) {
  write("a", "one\n\ntwo\n");
  write("b", "three");
  LineSource source(in_folder("[ab]"));
  source.open();
  RawBatch batch;
  source.poll(batch, 10, 0);
  ASSERT_EQ(batch.records.size(), 3U);
  EXPECT_EQ(source.path_of(0, batch.records[1].offset), in_folder("a"));
  EXPECT_EQ(source.offset_in_path(batch.records[1].offset), 5);
  EXPECT_EQ(source.path_of(0, batch.records[2].offset), in_folder("b"));
  EXPECT_EQ(source.offset_in_path(batch.records[2].offset), 0);
}

TEST_F(LineSourceTest, ALineOf64MegabytesIsOneRecord) {
  std::string const large(64U << 20U, 'x');
  std::string const path = write("large", "a\n" + large + "\nb\n");
  LineSource source(path);
  source.open();
  std::vector<std::size_t> sizes;
  for (bool more = true; more;) {
    RawBatch batch;
    more = source.poll(batch, 65536, 0);
    for (RawRecord const& record : batch.records) {
      sizes.push_back(record.bytes);
      if (record.bytes == large.size()) {
        EXPECT_TRUE(line_of(record) == large);
      }
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, large.size(), 1}));
}

TEST_F(LineSourceTest, ALineBeyondTheLimitIsCutAndTheNextOneIsWhole) {
  std::string const path = in_folder("huge");
  int const fd = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
  std::string const block(1U << 20U, 'x');
  for (int i = 0; i < 140; ++i) {
    ASSERT_EQ(::write(fd, block.data(), block.size()), static_cast<ssize_t>(block.size()));
  }
  ASSERT_EQ(::write(fd, "\nnext\n", 6), 6);
  ::close(fd);
  LineSource source(path);
  source.open();
  Lines tails;
  std::vector<std::size_t> sizes;
  for (bool more = true; more;) {
    RawBatch batch;
    more = source.poll(batch, 65536, 0);
    for (RawRecord const& record : batch.records) {
      sizes.push_back(record.bytes);
    }
    if (!batch.records.empty()) {
      tails.push_back(line_of(batch.records.back()).substr(0, 4));
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{std::size_t{record_bytes_max} + 1, 4}));
  EXPECT_EQ(tails.back(), "next");
}

TEST_F(LineSourceTest, ARestartGoesOnBehindTheLastPoll) {
  write("a", "1\n2\n3\n");
  write("b", "4\n5\n");
  for (std::size_t before = 0; before <= 5; ++before) {
    LineSource first(in_folder("?"));
    first.open();
    Lines lines;
    RawBatch batch;
    for (std::size_t i = 0; i < before; ++i) {
      first.poll(batch, 1, 0);
      lines.push_back(line_of(batch.records.at(0)));
    }
    testing::MemorySnapshot snapshot;
    first.snapshot(snapshot);
    write("0", "new files are not of this input\n");
    LineSource second(in_folder("?"));
    second.restore(snapshot);
    second.open();
    for (bool more = true; more;) {
      more = second.poll(batch, 2, 0);
      for (RawRecord const& record : batch.records) {
        lines.push_back(line_of(record));
      }
    }
    EXPECT_EQ(lines, (Lines{"1", "2", "3", "4", "5"})) << before;
    std::filesystem::remove(in_folder("0"));
  }
}

TEST_F(LineSourceTest, FilesThatVanishShrinkOrAreReplacedAreNamed) {
  write("a", "1\n2\n");
  write("b", "3\n");
  auto after_first_line = [&](auto&& change) {
    LineSource source(in_folder("?"));
    source.open();
    RawBatch batch;
    source.poll(batch, 1, 0);
    change();
    try {
      while (source.poll(batch, 1, 0)) {
      }
    } catch (EnvironmentError const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(after_first_line([&] { std::filesystem::remove(in_folder("b")); }).find(in_folder("b")),
            std::string::npos);
  write("b", "3\n");
  EXPECT_NE(after_first_line([&] { write("b", ""); }).find("was replaced or cut"),
            std::string::npos);
  write("b", "3\n");
  EXPECT_EQ(after_first_line([&] {}), "");
}

TEST_F(LineSourceTest, WhatIsNoReadableFileIsRefusedByName) {
  write("x.ndjson.gz", "");
  write("y.zst", "");
  EXPECT_EQ(exit_code_of(in_folder("*.gz")), 78);
  EXPECT_EQ(exit_code_of(in_folder("y.zst")), 78);
  EXPECT_EQ(exit_code_of(in_folder("none*")), 78);
  EXPECT_EQ(exit_code_of(in_folder("")), 78);
}

TEST_F(LineSourceTest, StandardInputIsReadAsItComes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  LineSource source("-", ends[0]);
  source.open();
  RawBatch batch;
  EXPECT_TRUE(source.poll(batch, 10, 0));
  EXPECT_TRUE(batch.records.empty());
  EXPECT_TRUE(batch.ranges.at(0).caught_up);
  ASSERT_EQ(::write(ends[1], "1\n2", 3), 3);
  EXPECT_TRUE(source.poll(batch, 10, 1'000'000));
  ASSERT_EQ(batch.records.size(), 1U);
  EXPECT_EQ(line_of(batch.records[0]), "1");
  testing::MemorySnapshot snapshot;
  source.snapshot(snapshot);
  LineSource second("-", ends[0]);
  second.restore(snapshot);
  second.open();
  ASSERT_EQ(::write(ends[1], "2\n3", 3), 3);
  ::close(ends[1]);
  Lines lines;
  for (bool more = true; more;) {
    more = second.poll(batch, 10, 1'000'000);
    for (RawRecord const& record : batch.records) {
      lines.push_back(line_of(record));
    }
  }
  EXPECT_EQ(lines, (Lines{"22", "3"}));
  EXPECT_TRUE(batch.ranges.at(0).ended);
  // What was read cannot be read again: a replay stands behind it, with nothing.
  LineSource third("-", ends[0]);
  third.open();
  EXPECT_FALSE(third.replayable());
  Range const lost{0, 0, 7, false, false, {}};
  third.read({&lost, 1}, batch);
  EXPECT_TRUE(batch.records.empty());
  EXPECT_FALSE(third.poll(batch, 10, 0));
  EXPECT_EQ(batch.ranges.at(0).from, 7);
  ::close(ends[0]);
}

TEST(MemorySourceTest, RecordsComeInOrderAndARestartGoesOn) {
  MemorySource source("Create", {"1", "2", "3"});
  RawBatch batch;
  EXPECT_TRUE(source.poll(batch, 2, 0));
  ASSERT_EQ(batch.records.size(), 2U);
  EXPECT_EQ(line_of(batch.records[1]), "2");
  testing::MemorySnapshot snapshot;
  source.snapshot(snapshot);
  MemorySource again("Create", {"1", "2", "3"});
  again.restore(snapshot);
  EXPECT_FALSE(again.poll(batch, 2, 0));
  ASSERT_EQ(batch.records.size(), 1U);
  EXPECT_EQ(line_of(batch.records[0]), "3");
  EXPECT_EQ(batch.records[0].offset, 2);
  EXPECT_TRUE(batch.ranges.at(0).ended);
  RawBatch first;
  Range const range{0, 0, 2, false, false, std::nullopt};
  again.read({&range, 1}, first);
  EXPECT_EQ(first.records.size(), 2U);
}

}  // namespace
}  // namespace windrow
