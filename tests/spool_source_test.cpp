// The spool: what it kept is read again, however the process ended.
#include "ingest/spool_source.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "ingest/line_source.hpp"
#include "tests/memory_snapshot.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

using Lines = std::vector<std::string>;

// Standard input of one process after another.
struct Input {
  int ends[2];
  Input() { EXPECT_EQ(::pipe(ends), 0); }
  ~Input() {
    close();
    ::close(ends[0]);
  }
  void write(std::string_view text) const {
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close() {
    if (ends[1] >= 0) {
      ::close(ends[1]);
    }
    ends[1] = -1;
  }
};

std::unique_ptr<SpoolSource> spool(Input const& input, std::filesystem::path const& directory) {
  return std::make_unique<SpoolSource>(std::make_unique<LineSource>("-", input.ends[0]), directory);
}
Lines lines_of(RawBatch const& batch) {
  Lines lines;
  for (RawRecord const& record : batch.records) {
    lines.emplace_back(record.data, record.bytes);
  }
  return lines;
}

TEST(SpoolSourceTest, WhatWasReadAndNotPlannedIsGivenByTheNextProcess) {
  TemporaryDirectory top;
  Input input;
  input.write("1\n22\n333\n4444\n55555\npart");
  RawBatch planned;
  {
    auto const source = spool(input, top / "spool");
    source->open();
    EXPECT_TRUE(source->poll(planned, 2, 1'000'000));
    EXPECT_EQ(lines_of(planned), (Lines{"1", "22"}));
    planned.records.clear();
    RawBatch dropped;
    EXPECT_TRUE(source->poll(dropped, 1, 0));  // no plan was made of it
    EXPECT_EQ(lines_of(dropped), Lines{"333"});
  }
  auto const source = spool(input, top / "spool");
  EXPECT_TRUE(source->replayable());
  source->open();
  RawBatch batch;
  source->read(planned.ranges, batch);
  EXPECT_EQ(lines_of(batch), (Lines{"1", "22"}));
  EXPECT_TRUE(source->poll(batch, 2, 0));
  EXPECT_EQ(lines_of(batch), (Lines{"333", "4444"}));
  EXPECT_FALSE(batch.ranges.at(0).caught_up);
  EXPECT_TRUE(source->poll(batch, 10, 0));
  EXPECT_EQ(lines_of(batch), Lines{"55555"});
  input.write("6\n");
  input.close();
  for (bool more = true; more;) {
    more = source->poll(batch, 10, 1'000'000);
    EXPECT_EQ(batch.ranges.at(0).ended, !more);
    if (!batch.records.empty()) {
      EXPECT_EQ(lines_of(batch), Lines{"6"});  // "part" went with the process that had read it
    }
  }
}

TEST(SpoolSourceTest, ACleanStopKeepsTheLineThatHadBegun) {
  TemporaryDirectory top;
  Input input;
  input.write("1\nhal");
  testing::MemorySnapshot snapshot;
  RawBatch batch;
  {
    auto const source = spool(input, top / "spool");
    source->open();
    EXPECT_TRUE(source->poll(batch, 10, 1'000'000));
    batch = {};
    source->snapshot(snapshot);
  }
  auto const source = spool(input, top / "spool");
  source->restore(snapshot);
  source->open();
  input.write("f\n");
  EXPECT_TRUE(source->poll(batch, 10, 1'000'000));
  EXPECT_EQ(lines_of(batch), Lines{"half"});
}

TEST(SpoolSourceTest, ATornRecordAtTheEndIsCutOffAndDamageBeforeItIsNamed) {
  TemporaryDirectory top;
  Input input;
  input.write("first\nsecond\n");
  RawBatch all;
  {
    auto const source = spool(input, top / "spool");
    source->open();
    source->poll(all, 10, 1'000'000);
    all.records.clear();
  }
  auto const size = std::filesystem::file_size(top / "spool/0");
  for (std::uintmax_t cut = size - 1; cut > 13; --cut) {  // within "second"
    std::filesystem::resize_file(top / "spool/0", cut);
    auto const source = spool(input, top / "spool");
    source->open();
    RawBatch batch;
    source->poll(batch, 10, 0);
    EXPECT_EQ(lines_of(batch), Lines{"first"});
    Range const lost{0, 13, all.ranges[0].to, false, false, {}};
    EXPECT_THROW(source->read({&lost, 1}, batch), EnvironmentError);
  }
  std::fstream file(top / "spool/0", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(9);
  file.put('X');  // in "first"
  file.close();
  auto const source = spool(input, top / "spool");
  EXPECT_THROW(source->open(), DamageError);                    // "first", whole but for a byte
  EXPECT_EQ(std::filesystem::file_size(top / "spool/0"), 13U);  // nothing was cut
  std::ofstream(top / "spool/0") << std::string(100, '\0');
  auto const zeros = spool(input, top / "spool");
  zeros->open();
  EXPECT_EQ(std::filesystem::file_size(top / "spool/0"), 0U);
}

TEST(SpoolSourceTest, RecordsLongerThanABlockAndFilesThatNoSnapshotNeeds) {
  TemporaryDirectory top;
  std::string const path = top / "in.ndjson";
  std::size_t const lines = 40, bytes = 5U << 20U;  // 200 MB: four files
  {
    std::ofstream out(path);
    for (std::size_t i = 0; i < lines; ++i) {
      out << std::string(bytes, static_cast<char>('a' + i % 26)) << '\n';
    }
  }
  SpoolSource source(std::make_unique<LineSource>(path), top / "spool");
  source.open();
  RawBatch batch;
  std::size_t seen = 0;
  for (bool more = true; more;) {
    more = source.poll(batch, 3, 0);
    for (std::string const& line : lines_of(batch)) {
      EXPECT_EQ(line, std::string(bytes, static_cast<char>('a' + seen++ % 26)));
    }
  }
  EXPECT_EQ(seen, lines);
  auto const files = [&] {
    return std::distance(std::filesystem::directory_iterator(top / "spool"), {});
  };
  auto const before = files();
  EXPECT_GT(before, 2);
  testing::MemorySnapshot first, second;
  source.snapshot(first);
  source.committed();
  EXPECT_EQ(files(), before);  // the snapshot before it, of the very beginning, may be needed
  source.snapshot(second);
  source.committed();
  EXPECT_EQ(files(), 1);
}

TEST(SpoolSourceTest, APositionThatIsNotThereIsRefused) {
  TemporaryDirectory top;
  Input input;
  ByteWriter bytes;
  bytes.put(std::int64_t{77});
  testing::MemorySnapshot snapshot;
  snapshot.piece("spool", 0, bytes.bytes());
  auto const source = spool(input, top / "spool");
  source->restore(snapshot);
  std::filesystem::create_directories(top / "spool");
  std::ofstream(top / "spool/0") << "";
  EXPECT_THROW(source->open(), EnvironmentError);
}

}  // namespace
}  // namespace windrow
