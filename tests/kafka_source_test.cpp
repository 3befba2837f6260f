// Records of Kafka topics, from a mock cluster in this process.
#include "ingest/kafka_source.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>

#include "tests/decoded.hpp"
#include "tests/memory_snapshot.hpp"
#include "tests/mock_kafka.hpp"

namespace windrow {
namespace {

using testing::MockKafka;
using Lines = std::vector<std::string>;
using std::chrono::steady_clock;

KafkaSourceOptions options_for(MockKafka const& kafka, Lines topics) {
  KafkaSourceOptions options;
  options.topics = std::move(topics);
  options.bootstrap_servers = kafka.servers();
  options.consumer_config = {{"fetch.wait.max.ms", "2"}};  // the mock sleeps all of it
  options.start = KafkaSourceOptions::Start::earliest;
  options.discovery_interval = Duration{200'000};
  return options;
}

// What polls gave: lines by partition, in the order in which they came.
struct Read {
  std::map<std::string, Lines> lines;
  std::map<std::uint32_t, Range> ranges;  // from the first poll's `from` to the last one's
  std::size_t records = 0;
};
// Polls until `done`, at most 20 s; checks that ranges join and hold their records.
void poll_until(KafkaSource& source, Read& read, std::function<bool(Read const&)> const& done,
                std::size_t rows = 1000) {
  auto const deadline = steady_clock::now() + std::chrono::seconds(20);
  while (!done(read)) {
    ASSERT_LT(steady_clock::now(), deadline) << source.status() << " records " << read.records;
    RawBatch batch;
    bool const more = source.poll(batch, rows, 20'000);
    ASSERT_LE(batch.records.size(), rows);
    for (Range const& range : batch.ranges) {
      auto const [at, fresh] = read.ranges.emplace(range.partition, range);
      if (!fresh) {
        ASSERT_EQ(range.from, at->second.to);
        at->second.to = range.to;
        at->second.caught_up = range.caught_up;
        at->second.ended = range.ended;
      }
    }
    std::map<std::uint32_t, std::int64_t> last;
    for (RawRecord const& record : batch.records) {
      Range const& range = batch.ranges.at(record.partition);
      ASSERT_EQ(range.partition, record.partition);
      ASSERT_GE(record.offset, range.from);
      ASSERT_LT(record.offset, range.to);
      if (last.contains(record.partition)) {
        ASSERT_GT(record.offset, last[record.partition]);
      }
      last[record.partition] = record.offset;
      read.lines[source.partition_name(record.partition)].emplace_back(record.data, record.bytes);
      read.records += 1;
    }
    if (!more) {
      break;
    }
  }
}
std::function<bool(Read const&)> records(std::size_t n) {
  return [n](Read const& read) { return read.records >= n; };
}
bool all_caught_up(Read const& read) {
  return !read.ranges.empty() && std::all_of(read.ranges.begin(), read.ranges.end(),
                                             [](auto const& r) { return r.second.caught_up; });
}
std::string error_of(KafkaSource& source, int& exit_code) {
  Read read;
  try {
    auto const deadline = steady_clock::now() + std::chrono::seconds(20);
    while (steady_clock::now() < deadline) {
      RawBatch batch;
      source.poll(batch, 100, 20'000);
    }
  } catch (EnvironmentError const& error) {
    exit_code = error.exit_code();
    return error.what();
  }
  return "no error";
}

TEST(KafkaSourceTest, AllPartitionsOfSeveralTopicsAreReadInOffsetOrder) {
  MockKafka kafka;
  kafka.create("a", 3);
  kafka.create("b", 1);
  std::map<std::string, Lines> expected;
  for (int i = 0; i < 2000; ++i) {
    std::string const topic = i % 4 == 3 ? "b" : "a";
    int const partition = i % 4 == 3 ? 0 : i % 4;
    kafka.produce(topic, partition, std::to_string(i));
    expected[topic + "/" + std::to_string(partition)].push_back(std::to_string(i));
  }
  kafka.flush();
  KafkaSource source(options_for(kafka, {"a", "b"}));
  source.open();
  Read read;
  poll_until(source, read, records(2000), 300);
  EXPECT_EQ(read.lines, expected);
  poll_until(source, read, all_caught_up);
  EXPECT_EQ(read.records, 2000U);
  EXPECT_EQ(source.offset_gaps(), 0U);
  EXPECT_EQ(source.status(), "");
  EXPECT_EQ(source.path_of(3, 0), "b");
  EXPECT_FALSE(source.bounded());
}

TEST(KafkaSourceTest, RecordsHaveTheirMessagesTimeAndPayload) {
  MockKafka kafka;
  kafka.create("t", 1);
  kafka.produce("t", 0, "x", 1'763'794'800'123);
  kafka.produce("t", 0, "", 5);
  kafka.flush();
  KafkaSource source(options_for(kafka, {"t"}));
  source.open();
  std::vector<RawBatch> batches;
  std::vector<RawRecord> all;
  auto const deadline = steady_clock::now() + std::chrono::seconds(20);
  while (all.size() < 2 && steady_clock::now() < deadline) {
    batches.emplace_back();
    source.poll(batches.back(), 10, 20'000);
    all.insert(all.end(), batches.back().records.begin(), batches.back().records.end());
  }
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].time.us, 1'763'794'800'123'000);
  EXPECT_EQ(std::string_view(all[0].data, all[0].bytes), "x");
  EXPECT_EQ(all[0].offset, 0);
  EXPECT_EQ(all[1].time.us, 5000);
  EXPECT_EQ(all[1].bytes, 0U);
  EXPECT_EQ(all[1].offset, 1);
  batches.clear();
}

TEST(KafkaSourceTest, CaughtUpIsAskedAndEndsWithTheNextRecord) {
  MockKafka kafka;
  kafka.create("t", 2);
  kafka.produce("t", 0, "1");
  kafka.flush();
  KafkaSource source(options_for(kafka, {"t"}));
  source.open();
  Read read;
  poll_until(source, read, all_caught_up);
  EXPECT_EQ(read.records, 1U);
  kafka.produce("t", 0, "2");
  kafka.flush();
  poll_until(source, read, records(2));
  EXPECT_FALSE(read.ranges.at(0).caught_up);
  EXPECT_TRUE(read.ranges.at(1).caught_up);
  poll_until(source, read, all_caught_up);
}

TEST(KafkaSourceTest, LatestBeginsBehindWhatIsThereButNewTopicsAreReadWhole) {
  MockKafka kafka;
  kafka.create("logs-a", 1);
  kafka.create("other", 1);
  kafka.produce("logs-a", 0, "old");
  kafka.produce("other", 0, "not ours");
  kafka.flush();
  KafkaSourceOptions options = options_for(kafka, {});
  options.topic_pattern = "logs-.*";
  options.start = KafkaSourceOptions::Start::latest;
  KafkaSource source(options);
  source.open();
  Read read;
  poll_until(source, read, all_caught_up);
  EXPECT_EQ(read.records, 0U);
  kafka.produce("logs-a", 0, "new");
  kafka.create("logs-b", 2);
  kafka.produce("logs-b", 1, "before it was found");
  kafka.flush();
  poll_until(source, read, records(2));
  EXPECT_EQ(read.lines, (std::map<std::string, Lines>{{"logs-a/0", {"new"}},
                                                      {"logs-b/1", {"before it was found"}}}));
  EXPECT_EQ(read.ranges.size(), 3U);
}

TEST(KafkaSourceTest, ARestartGoesOnAtItsOwnPositions) {
  MockKafka kafka;
  kafka.create("t", 2);
  for (int i = 0; i < 100; ++i) {
    kafka.produce("t", i % 2, std::to_string(i));
  }
  kafka.flush();
  testing::MemorySnapshot snapshot;
  std::set<std::string> seen;
  std::size_t before = 0;
  {
    KafkaSource source(options_for(kafka, {"t"}));
    source.open();
    Read read;
    poll_until(source, read, records(30), 30);
    source.snapshot(snapshot);
    source.committed();
    before = read.records;
    for (auto const& [name, lines] : read.lines) {
      seen.insert(lines.begin(), lines.end());
    }
  }
  EXPECT_LT(before, 100U);
  KafkaSourceOptions options = options_for(kafka, {"t"});
  options.start = KafkaSourceOptions::Start::latest;  // not for partitions with a position
  KafkaSource source(options);
  source.restore(snapshot);
  source.open();
  Read read;
  poll_until(source, read, records(100 - before));
  poll_until(source, read, all_caught_up);
  EXPECT_EQ(read.records, 100 - before);
  for (auto const& [name, lines] : read.lines) {
    seen.insert(lines.begin(), lines.end());
  }
  EXPECT_EQ(seen.size(), 100U);
}

// Another process runs the plans of one that was killed, then goes on where they end.
TEST(KafkaSourceTest, PlansAreReadAgainAsTheyWere) {
  MockKafka kafka;
  kafka.create("t", 2);
  for (int i = 0; i < 60; ++i) {
    kafka.produce("t", i % 2, std::to_string(i));
  }
  kafka.flush();
  std::vector<RawBatch> batches;
  {
    KafkaSource source(options_for(kafka, {"t"}));
    source.open();
    RawBatch batch;
    for (std::size_t n = 0; n < 40; n += batch.records.size()) {
      source.poll(batch, 7, 100'000);
      RawBatch kept;
      kept.ranges = batch.ranges;
      for (RawRecord record : batch.records) {
        record.data = nullptr;  // goes with the source
        kept.records.push_back(record);
      }
      batches.push_back(std::move(kept));
    }
    batch = {};
  }
  std::vector<Range> whole = batches.back().ranges;
  for (Range& range : whole) {
    range.from = 0;
    range.name = std::to_string(range.partition);
  }
  KafkaSource source(options_for(kafka, {"t"}));
  source.open();
  source.begin_replay(whole);
  Read read;
  for (RawBatch const& batch : batches) {
    RawBatch again;
    source.read(batch.ranges, again);
    EXPECT_EQ(again.ranges, batch.ranges);
    ASSERT_EQ(again.records.size(), batch.records.size());
    for (std::size_t i = 0; i < again.records.size(); ++i) {
      RawRecord const& record = again.records[i];
      EXPECT_EQ(record.partition, batch.records[i].partition);
      EXPECT_EQ(record.offset, batch.records[i].offset);
      EXPECT_EQ(std::string_view(record.data, record.bytes),
                std::to_string(record.offset * 2 + record.partition));
    }
    read.records += again.records.size();
  }
  std::size_t const replayed = read.records;
  poll_until(source, read, records(60));
  EXPECT_EQ(read.records, 60U);
  EXPECT_LT(replayed, 60U);
}

TEST(KafkaSourceTest, PlansOfALogThatEndsBelowThemAreRefused) {
  MockKafka kafka;
  kafka.create("t", 1);
  kafka.produce("t", 0, "1");
  kafka.flush();
  KafkaSource source(options_for(kafka, {"t"}));
  source.open();
  Range const whole{0, 0, 5, false, false, {}, "0"};
  EXPECT_THROW(source.begin_replay({&whole, 1}), EnvironmentError);
}

// A position without a record read before it, in partition 0 of t.
testing::MemorySnapshot at_offset(std::int64_t offset) {
  ByteWriter bytes;
  bytes.text("t");
  bytes.put(std::int32_t{0});
  bytes.put(offset);
  bytes.put(std::int64_t{-1});
  bytes.put(std::uint32_t{0});
  testing::MemorySnapshot snapshot;
  snapshot.piece("partitions", 0, bytes.bytes());
  return snapshot;
}

TEST(KafkaSourceTest, AnotherLogThatCoversOurOffsetIsRefusedByName) {
  MockKafka ours, same, other;
  for (MockKafka* const kafka : {&ours, &same, &other}) {
    kafka->create("t", 2);
    for (int partition = 0; partition < 2; ++partition) {
      kafka->produce("t", partition, "1", 1000);
      // Only the time of one record differs.
      kafka->produce("t", partition, "2", kafka == &other && partition == 1 ? 2001 : 2000);
    }
    kafka->flush();
  }
  testing::MemorySnapshot taken;
  {
    KafkaSource source(options_for(ours, {"t"}));
    source.open();
    Read read;
    poll_until(source, read, records(4));
    source.snapshot(taken);
  }
  for (MockKafka* const kafka : {&ours, &same, &other}) {
    testing::MemorySnapshot snapshot = taken;
    kafka->produce("t", 0, "3");
    kafka->produce("t", 1, "3");
    kafka->flush();
    KafkaSource source(options_for(*kafka, {"t"}));
    source.restore(snapshot);
    source.open();
    if (kafka != &other) {
      Read read;
      poll_until(source, read, records(2));
      EXPECT_EQ(read.records, 2U);
      continue;
    }
    int exit_code = 0;
    std::string const error = error_of(source, exit_code);
    EXPECT_EQ(exit_code, 74);
    EXPECT_NE(error.find("the log is another one than we read"), std::string::npos) << error;
    EXPECT_NE(error.find("topic=t partition=1 offset=1"), std::string::npos) << error;
  }
}

TEST(KafkaSourceTest, AnOffsetThatIsGoneIsRefusedByName) {
  MockKafka kafka;
  kafka.create("t", 1);
  std::string const payload(100'000, 'x');  // the mock keeps 5 MiB of a partition
  for (int i = 0; i < 200; ++i) {
    kafka.produce("t", 0, payload);
    kafka.flush();
  }
  testing::MemorySnapshot snapshot = at_offset(3);
  KafkaSource source(options_for(kafka, {"t"}));
  source.restore(snapshot);
  source.open();
  int exit_code = 0;
  std::string const error = error_of(source, exit_code);
  EXPECT_EQ(exit_code, 74);
  EXPECT_NE(error.find("the log starts above the wanted offset"), std::string::npos) << error;
  EXPECT_NE(error.find("topic=t partition=0 wanted=3 available="), std::string::npos) << error;
}

TEST(KafkaSourceTest, AnOffsetBeyondTheEndIsRefusedByName) {
  MockKafka kafka;
  kafka.create("t", 1);
  kafka.produce("t", 0, "1");
  kafka.flush();
  testing::MemorySnapshot snapshot = at_offset(7);
  KafkaSource source(options_for(kafka, {"t"}));
  source.restore(snapshot);
  source.open();
  int exit_code = 0;
  EXPECT_NE(error_of(source, exit_code).find("topic=t partition=0 wanted=7 available=1"),
            std::string::npos);
  EXPECT_EQ(exit_code, 74);
}

TEST(KafkaSourceTest, ABrokerThatComesBackIsReadOnAndOneThatDoesNotIsGivenUp) {
  MockKafka kafka;
  kafka.create("t", 1);
  kafka.produce("t", 0, "1");
  kafka.flush();
  KafkaSourceOptions options = options_for(kafka, {"t"});
  options.consumer_config["reconnect.backoff.max.ms"] = "200";
  options.give_up_after = Duration{4'000'000};
  KafkaSource source(options);
  source.open();
  Read read;
  poll_until(source, read, all_caught_up);
  kafka.down();
  auto const until = steady_clock::now() + std::chrono::seconds(2);
  poll_until(source, read, [&](Read const&) { return steady_clock::now() > until; });
  EXPECT_NE(source.status(), "");
  EXPECT_FALSE(read.ranges.at(0).caught_up);
  kafka.up();
  kafka.produce("t", 0, "2");
  kafka.flush();
  poll_until(source, read, records(2));
  poll_until(source, read, all_caught_up);
  EXPECT_EQ(source.status(), "");
  EXPECT_EQ(read.lines.at("0"), (Lines{"1", "2"}));
  kafka.down();
  int exit_code = 0;
  std::string const error = error_of(source, exit_code);
  EXPECT_EQ(exit_code, 69) << error;
  EXPECT_NE(error.find("topic=t partition=0"), std::string::npos) << error;
}

TEST(KafkaSourceTest, ServersThatNeverAnswerAreGivenUp) {
  KafkaSourceOptions options;
  options.topics = {"t"};
  options.bootstrap_servers = "127.0.0.1:1";
  options.give_up_after = Duration{1'500'000};
  KafkaSource source(options);
  source.open();
  int exit_code = 0;
  std::string const error = error_of(source, exit_code);
  EXPECT_EQ(exit_code, 69);
  EXPECT_NE(error.find("servers=127.0.0.1:1 topics=t"), std::string::npos) << error;
}

TEST(KafkaSourceTest, SettingsThatCannotBeAreRefused) {
  auto exit_code = [](std::string const& key, std::string const& value,
                      std::string const& pattern = "") {
    KafkaSourceOptions options;
    (pattern.empty() ? options.topics.emplace_back() : options.topic_pattern) =
        pattern.empty() ? "t" : pattern;
    options.bootstrap_servers = "127.0.0.1:1";
    if (!key.empty()) {
      options.consumer_config[key] = value;
    }
    KafkaSource source(options);
    try {
      source.open();
    } catch (EnvironmentError const& error) {
      return error.exit_code();
    }
    return 0;
  };
  EXPECT_EQ(exit_code("fetch.min.bytes", "1"), 0);
  EXPECT_EQ(exit_code("fetch.min.byte", "1"), 78);
  EXPECT_EQ(exit_code("fetch.min.bytes", "many"), 78);
  EXPECT_EQ(exit_code("enable.auto.commit", "true"), 78);
  EXPECT_EQ(exit_code("auto.offset.reset", "earliest"), 78);
  EXPECT_EQ(exit_code("", "", "logs-("), 78);
}

TEST(KafkaSourceTest, MaxReadTimeEndsAllPartitions) {
  MockKafka kafka;
  kafka.create("t", 2);
  kafka.produce("t", 0, "1");
  kafka.flush();
  KafkaSourceOptions options = options_for(kafka, {"t"});
  options.max_read_time = Duration{2'000'000};
  KafkaSource source(options);
  EXPECT_TRUE(source.bounded());
  source.open();
  Read read;
  poll_until(source, read,
             [](Read const& r) { return !r.ranges.empty() && r.ranges.begin()->second.ended; });
  EXPECT_EQ(read.records, 1U);
  EXPECT_TRUE(read.ranges.at(1).ended);
}

}  // namespace
}  // namespace windrow
