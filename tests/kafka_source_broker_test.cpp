// The Kafka source against a real broker: what the mock cluster does not do (times, groups,
// transactions).  Needs BOOTSTRAP_SERVERS, which tests/kafka_broker.sh sets.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>

#include "ingest/kafka_source.hpp"
#include "ingest/kafka_topic.hpp"
#include "tests/memory_snapshot.hpp"

namespace windrow {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::steady_clock;

class KafkaSourceBrokerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char const* const servers = std::getenv("BOOTSTRAP_SERVERS");
    ASSERT_NE(servers, nullptr) << "no broker: run it under tests/kafka_broker.sh";
    servers_ = servers;
    topic_ = "t" + std::to_string(steady_clock::now().time_since_epoch().count());
  }
  KafkaSourceOptions options(KafkaSourceOptions::Start start) const {
    KafkaSourceOptions made;
    made.topics = {topic_};
    made.bootstrap_servers = servers_;
    made.start = start;
    return made;
  }
  // One message per text to partition 0, `ms` apart from 1000 on; `transaction`: all in one, ended
  // so.
  enum class End { none, commit, abort };
  void produce(Lines const& texts, std::int64_t first_ms = 1000, End transaction = End::none) {
    char text[512];
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers_.c_str(), text, sizeof text);
    if (transaction != End::none) {
      rd_kafka_conf_set(conf, "transactional.id", topic_.c_str(), text, sizeof text);
    }
    auto const destroy = [](rd_kafka_t* handle) { rd_kafka_destroy(handle); };
    std::unique_ptr<rd_kafka_t, decltype(destroy)> const producer(
        rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text), destroy);
    if (transaction != End::none) {
      ASSERT_EQ(rd_kafka_init_transactions(producer.get(), 30'000), nullptr);
      ASSERT_EQ(rd_kafka_begin_transaction(producer.get()), nullptr);
    }
    for (std::string const& one : texts) {
      ASSERT_EQ(rd_kafka_producev(
                    producer.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(0),
                    RD_KAFKA_V_TIMESTAMP(first_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                    RD_KAFKA_V_VALUE(const_cast<char*>(one.data()), one.size()), RD_KAFKA_V_END),
                RD_KAFKA_RESP_ERR_NO_ERROR);
      first_ms += 1000;
    }
    ASSERT_EQ(rd_kafka_flush(producer.get(), 30'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    if (transaction == End::commit) {
      ASSERT_EQ(rd_kafka_commit_transaction(producer.get(), 30'000), nullptr);
    }
    if (transaction == End::abort) {
      ASSERT_EQ(rd_kafka_abort_transaction(producer.get(), 30'000), nullptr);
    }
  }
  // Everything up to the point where all partitions are caught up; `position` of partition 0.
  static Lines drain(KafkaSource& source, std::int64_t* position = nullptr) {
    Lines lines;
    auto const deadline = steady_clock::now() + std::chrono::seconds(30);
    while (steady_clock::now() < deadline) {
      RawBatch batch;
      source.poll(batch, 100, 50'000);
      bool all = !batch.ranges.empty();
      for (RawRecord const& record : batch.records) {
        lines.emplace_back(record.data, record.bytes);
      }
      for (Range const& range : batch.ranges) {
        all = all && range.caught_up;
        if (position != nullptr && range.partition == 0) {
          *position = range.to;
        }
      }
      if (all) {
        return lines;
      }
    }
    ADD_FAILURE() << "not caught up: " << source.status();
    return lines;
  }
  Lines read(KafkaSourceOptions const& made) const {
    KafkaSource source(made);
    source.open();
    return drain(source);
  }

  [[nodiscard]] std::unique_ptr<KafkaTopic> create() const {
    return std::make_unique<KafkaTopic>(servers_, topic_, 1);
  }
  // Polls until it refuses; what it says.
  static std::string refusal(KafkaSource& source, int exit_code) {
    auto const deadline = steady_clock::now() + std::chrono::seconds(60);
    try {
      while (steady_clock::now() < deadline) {
        RawBatch batch;
        source.poll(batch, 100, 50'000);
      }
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), exit_code) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "it goes on: " << source.status();
    return {};
  }

  std::string servers_, topic_;
};

TEST_F(KafkaSourceBrokerTest, EarliestLatestAndATimeBeginWhereTheySay) {
  produce({"1", "2", "3"});
  EXPECT_EQ(read(options(KafkaSourceOptions::Start::earliest)), (Lines{"1", "2", "3"}));
  EXPECT_EQ(read(options(KafkaSourceOptions::Start::latest)), Lines{});
  KafkaSourceOptions by_time = options(KafkaSourceOptions::Start::timestamp);
  by_time.start_timestamp = EventTime{1'000'001};
  EXPECT_EQ(read(by_time), (Lines{"2", "3"}));
  by_time.start_timestamp = EventTime{3'000'000};
  EXPECT_EQ(read(by_time), Lines{"3"});
  by_time.start_timestamp = EventTime{3'000'001};
  EXPECT_EQ(read(by_time), Lines{});
}

TEST_F(KafkaSourceBrokerTest, GroupOffsetsAreWrittenAfterASnapshotAndReadWhenAsked) {
  produce({"1", "2"});
  KafkaSourceOptions grouped = options(KafkaSourceOptions::Start::group_offsets);
  grouped.otherwise = KafkaSourceOptions::Start::earliest;
  grouped.consumer_config["group.id"] = topic_;
  {
    KafkaSource source(grouped);
    source.open();
    EXPECT_EQ(drain(source), (Lines{"1", "2"}));
    testing::MemorySnapshot snapshot;
    source.snapshot(snapshot);
    produce({"3"});
    EXPECT_EQ(drain(source), Lines{"3"});
    source.committed();  // of the snapshot, not of what came since
  }
  EXPECT_EQ(read(grouped), Lines{"3"});
}

TEST_F(KafkaSourceBrokerTest, AbortedRecordsAndMarkersMoveThePositionOnly) {
  produce({"1"}, 1000, End::commit);
  produce({"no", "no"}, 1000, End::abort);
  produce({"2"}, 1000, End::commit);
  produce({"no"}, 1000, End::abort);
  KafkaSource source(options(KafkaSourceOptions::Start::earliest));
  source.open();
  std::int64_t position = 0;
  EXPECT_EQ(drain(source, &position), (Lines{"1", "2"}));
  EXPECT_EQ(position, 9);  // 5 records, of them 3 aborted, and 4 markers
  EXPECT_EQ(source.offset_gaps(), 7U);
  Range const all{0, 0, 9, false, false, {}, "0"};
  RawBatch batch;
  KafkaSource again(options(KafkaSourceOptions::Start::latest));
  again.open();
  again.begin_replay({&all, 1});
  again.read({&all, 1}, batch);
  EXPECT_EQ(batch.records.size(), 2U);
  batch = {};
  // The last record is not the last offset; the same log is known again by it.
  testing::MemorySnapshot snapshot;
  source.snapshot(snapshot);
  produce({"3"}, 1000, End::commit);
  KafkaSource next(options(KafkaSourceOptions::Start::earliest));
  next.restore(snapshot);
  next.open();
  EXPECT_EQ(drain(next), Lines{"3"});
}

TEST_F(KafkaSourceBrokerTest, ATopicMadeAnewBetweenTwoRunsIsRefusedByItsRecordsOrItsEnd) {
  for (Lines const& second : {Lines{"a", "b", "c", "d", "e"}, Lines{"a"}, Lines{"1", "2", "X"}}) {
    auto topic = create();
    produce({"1", "2", "3"});
    testing::MemorySnapshot snapshot;
    {
      KafkaSource source(options(KafkaSourceOptions::Start::earliest));
      source.open();
      EXPECT_EQ(drain(source), (Lines{"1", "2", "3"}));
      source.snapshot(snapshot);
    }
    topic->remove();
    topic = create();
    produce(second);
    KafkaSource source(options(KafkaSourceOptions::Start::earliest));
    source.restore(snapshot);
    source.open();
    std::string const said = refusal(source, 74);
    EXPECT_NE(said.find(second.size() < 3 ? "the log ends below the wanted offset"
                                          : "the log is another one than we read"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("topic=" + topic_ + " partition=0"), std::string::npos) << said;
  }
}

TEST_F(KafkaSourceBrokerTest, ATopicThatWasMissingGivesNothingBeforeItIsKnownAgain) {
  auto topic = create();
  produce({"1", "2", "3"});
  KafkaSource source(options(KafkaSourceOptions::Start::earliest));
  source.open();
  EXPECT_EQ(drain(source), (Lines{"1", "2", "3"}));
  topic->remove();
  auto const deadline = steady_clock::now() + std::chrono::seconds(30);
  RawBatch batch;
  while (source.status().find("nknown") == std::string::npos && steady_clock::now() < deadline) {
    source.poll(batch, 100, 50'000);
  }
  topic = create();
  produce({"a", "b", "c", "d", "e"});
  std::size_t records = 0;
  std::string said;
  try {
    while (steady_clock::now() < deadline) {
      source.poll(batch, 100, 50'000);
      records += batch.records.size();
    }
  } catch (EnvironmentError const& error) {
    said = error.what();
  }
  EXPECT_NE(said.find("the log is another one than we read"), std::string::npos) << said;
  EXPECT_EQ(records, 0U);
}

TEST_F(KafkaSourceBrokerTest, ATopicThatIsGoneIsWaitedForAndThenGivenUp) {
  auto topic = create();
  produce({"1", "2", "3"});
  KafkaSourceOptions made = options(KafkaSourceOptions::Start::earliest);
  made.give_up_after = Duration{3'000'000};
  KafkaSource source(made);
  source.open();
  EXPECT_EQ(drain(source), (Lines{"1", "2", "3"}));
  topic->remove();
  std::string const said = refusal(source, 69);
  EXPECT_NE(said.find("topic=" + topic_ + " partition=0"), std::string::npos) << said;
  EXPECT_NE(said.find("nknown"), std::string::npos) << said;
}

}  // namespace
}  // namespace windrow
