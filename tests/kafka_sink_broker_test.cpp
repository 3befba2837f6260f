// The Kafka sinks against a real broker: transactions, fencing and what is committed with them,
// which the mock cluster does not do.  Needs BOOTSTRAP_SERVERS, which tests/kafka_broker.sh sets.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>

#include "host/engine/sink_writer.hpp"
#include "host/engine/snapshot.hpp"
#include "ingest/kafka_topic.hpp"
#include "sinks/kafka_sink.hpp"
#include "sinks/kafka_transaction_sink.hpp"
#include "tests/kafka_messages.hpp"
#include "tests/sink_rows.hpp"

namespace windrow {
namespace {

using test::CountRow;
using testing::KafkaMessage;
using testing::messages_of;
using Outcomes = std::vector<Outcome>;
using Keys = std::vector<std::string>;

class KafkaSinkBrokerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char const* const servers = std::getenv("BOOTSTRAP_SERVERS");
    ASSERT_NE(servers, nullptr) << "no broker: run it under tests/kafka_broker.sh";
    servers_ = servers;
    name_ = "t" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  void create(std::map<std::string, std::string> const& config = {}, std::uint32_t partitions = 1) {
    topic_ = std::make_unique<KafkaTopic>(servers_, name_, partitions, config);
  }
  kafka::ProducerSettings settings(bool transactions) {
    return {servers_, name_, transactions ? name_ + ".save" : "", {{"linger.ms", "1"}}};
  }
  std::unique_ptr<Sink> upsert() {
    auto sink = std::make_unique<KafkaSink>(settings(false), test::counts_schema(true));
    sink->open();
    return sink;
  }
  std::unique_ptr<Sink> transactions() {
    auto sink = std::make_unique<KafkaTransactionSink>(settings(true), test::counts_schema(true));
    sink->open();
    return sink;
  }
  [[nodiscard]] Keys keys(bool committed = true) const {
    Keys out;
    for (KafkaMessage const& message : messages_of(servers_, name_, committed)) {
      out.push_back(message.key.value_or("-"));
    }
    return out;
  }
  // What readers of committed records see once there are so many: a commit is told to them a moment
  // after it is told to the producer.
  [[nodiscard]] Keys keys_soon(std::size_t n) const {
    Keys out;
    for (int i = 0; i < 100 && out.size() < n; ++i) {
      out = keys();
    }
    return out;
  }
  std::string servers_, name_;
  std::unique_ptr<KafkaTopic> topic_;
};

// Rows of one batch, or of a part of one; versions grow with batches.
Outcomes write(Sink& sink, std::int64_t batch_no, Keys const& ids, bool is_last = true,
               std::string* why = nullptr, std::int64_t version = 0) {
  std::vector<CountRow> rows;
  for (std::string const& id : ids) {
    rows.push_back({.id = id.substr(0, 40),
                    .url = id,  // long ids make long rows
                    .version = version != 0 ? version : 1000 + batch_no});
  }
  test::SinkBatch batch(batch_no, rows);
  batch.view().is_last = is_last;
  Outcomes out = batch.write_to(sink);
  for (int i = 0; i < 50 && out == Outcomes(out.size(), Outcome::retry);
       ++i) {  // as the engine does
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    out = batch.write_to(sink);
  }
  if (why != nullptr) {
    *why = batch.faults.empty() ? "" : batch.faults[0].message;
  }
  return out;
}
Outcomes all(std::size_t n, Outcome what) { return Outcomes(n, what); }

TEST_F(KafkaSinkBrokerTest, ABatchIsSeenWholeOnceItsLastPartIsWritten) {
  create();
  auto const sink = transactions();
  EXPECT_EQ(write(*sink, 1, {"a", "b"}, false), all(2, Outcome::ok));
  EXPECT_EQ(keys(), Keys{});
  EXPECT_EQ(keys(false), (Keys{"a", "b"}));
  EXPECT_EQ(write(*sink, 1, {"c"}, true), all(1, Outcome::ok));
  EXPECT_EQ(keys_soon(3), (Keys{"a", "b", "c"}));
  EXPECT_EQ(write(*sink, 3, {"d"}, true), all(1, Outcome::ok));  // batch 2 had no rows for it
  EXPECT_EQ(keys_soon(4), (Keys{"a", "b", "c", "d"}));
}

TEST_F(KafkaSinkBrokerTest, BatchesThatAreThereAreSkippedAfterARestart) {
  create();
  auto const killed = transactions();
  EXPECT_EQ(write(*killed, 1, {"a"}), all(1, Outcome::ok));
  EXPECT_EQ(write(*killed, 2, {"b"}), all(1, Outcome::ok));
  EXPECT_EQ(write(*killed, 3, {"c"}, false), all(1, Outcome::ok));  // within its third batch
  auto const sink = transactions();
  EXPECT_EQ(write(*sink, 1, {"a"}), all(1, Outcome::superseded));
  EXPECT_EQ(write(*sink, 2, {"b"}), all(1, Outcome::superseded));
  EXPECT_EQ(write(*sink, 3, {"c"}, false), all(1, Outcome::ok));
  EXPECT_EQ(write(*sink, 3, {"d"}), all(1, Outcome::ok));
  EXPECT_EQ(keys_soon(4), (Keys{"a", "b", "c", "d"}));
  EXPECT_EQ(keys(false), (Keys{"a", "b", "c", "c", "d"}));  // the first c is aborted
}

TEST_F(KafkaSinkBrokerTest, AStopWithinABatchLeavesNoTransactionOpen) {
  create();
  write(*transactions(), 1, {"a"}, false);
  // Of an open one readers of committed records would see nothing behind it for minutes.
  EXPECT_EQ(write(*upsert(), 1, {"b"}), all(1, Outcome::ok));
  EXPECT_EQ(keys_soon(1), Keys{"b"});
}

TEST_F(KafkaSinkBrokerTest, BatchesOfAnotherStateAreRefused) {
  create();
  EXPECT_EQ(write(*transactions(), 7, {"a"}), all(1, Outcome::ok));
  std::string why;
  // A new state directory counts from 1 again, later.
  EXPECT_EQ(write(*transactions(), 1, {"b"}, true, &why, 5000), all(1, Outcome::fatal));
  EXPECT_NE(
      why.find("the topic's last batch must be of this state: topic=" + name_ + " group=" + name_ +
               ".save there: batch=7 pane_version=1007 now: batch=1 "
               "pane_version=5000"),
      std::string::npos)
      << why;
  EXPECT_EQ(write(*transactions(), 9, {"b"}, true, &why, 900), all(1, Outcome::fatal));
  EXPECT_EQ(keys(false), Keys{"a"});
}

TEST_F(KafkaSinkBrokerTest, AGroupThatIsNotOursIsNamed) {
  create();
  // As a consumer group of that name would leave it: an offset without our metadata.
  char text[512];
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", servers_.c_str(), text, sizeof text);
  rd_kafka_conf_set(conf, "group.id", (name_ + ".save").c_str(), text, sizeof text);
  kafka::Owner<rd_kafka_t> const consumer(rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text));
  kafka::Owner<rd_kafka_topic_partition_list_t> const list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), name_.c_str(), 0)->offset = 3;
  ASSERT_EQ(rd_kafka_commit(consumer.get(), list.get(), 0), RD_KAFKA_RESP_ERR_NO_ERROR);
  try {
    static_cast<void>(transactions());
    ADD_FAILURE() << "opened";
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), 74);
    EXPECT_NE(std::string(error.what()).find("offset=3 metadata=''"), std::string::npos)
        << error.what();
  }
}

TEST_F(KafkaSinkBrokerTest, AProcessThatWasReplacedIsKeptOut) {
  create();
  auto const old = transactions();
  EXPECT_EQ(write(*old, 1, {"a"}), all(1, Outcome::ok));
  EXPECT_EQ(write(*old, 2, {"zombie"}, false), all(1, Outcome::ok));  // stopped within its batch
  auto const successor = transactions();
  EXPECT_EQ(write(*successor, 1, {"a"}), all(1, Outcome::superseded));
  std::string why;
  EXPECT_EQ(write(*old, 2, {"zombie2"}, true, &why), all(1, Outcome::fatal));
  EXPECT_NE(why.find("transactional_id=" + name_ + ".save"), std::string::npos) << why;
  EXPECT_EQ(write(*successor, 2, {"b"}), all(1, Outcome::ok));
  EXPECT_EQ(write(*old, 2, {"zombie2"}, true, &why), all(1, Outcome::fatal));  // never again
  EXPECT_EQ(write(*successor, 3, {"c"}), all(1, Outcome::ok));
  EXPECT_EQ(keys_soon(3), (Keys{"a", "b", "c"}));
}

TEST_F(KafkaSinkBrokerTest, AProcessThatWasReplacedBetweenItsBatchesIsKeptOut) {
  create();
  auto const old = transactions();
  EXPECT_EQ(write(*old, 1, {"a"}), all(1, Outcome::ok));
  auto const successor = transactions();
  EXPECT_EQ(write(*old, 2, {"zombie"}), all(1, Outcome::fatal));
  EXPECT_EQ(write(*successor, 2, {"b"}), all(1, Outcome::ok));
  EXPECT_EQ(keys_soon(2), (Keys{"a", "b"}));
}

// A row over the topic's limit fails its whole request and with it the transaction: all parts of
// the batch are sent again, without it.
TEST_F(KafkaSinkBrokerTest, ATransactionIsAbortedAndDoneAgainWithoutTheRowsThatTheTopicRefuses) {
  create({{"max.message.bytes", "3000"}});
  auto const sink = transactions();
  std::string const fat(4000, 'x');
  EXPECT_EQ(write(*sink, 1, {"a", "b"}, false), all(2, Outcome::ok));
  EXPECT_EQ(write(*sink, 1, {"c", "1" + fat, "d", "2" + fat, "e"}, false),
            (Outcomes{Outcome::ok, Outcome::dead_letter, Outcome::ok, Outcome::dead_letter,
                      Outcome::ok}));
  EXPECT_EQ(keys(), Keys{});
  EXPECT_EQ(write(*sink, 1, {"3" + fat, "f"}), (Outcomes{Outcome::dead_letter, Outcome::ok}));
  EXPECT_EQ(keys_soon(6), (Keys{"a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(write(*sink, 2, {"4" + fat}), all(1, Outcome::dead_letter));  // nothing is left of it
  EXPECT_EQ(write(*transactions(), 2, {"4" + fat}), all(1, Outcome::superseded));
}

TEST_F(KafkaSinkBrokerTest, ARequestOverTheTopicsLimitIsHalvedUntilTheRowIsFound) {
  create({{"max.message.bytes", "3000"}});
  SinkWriter writer(0, "Save", upsert(), test::counts_schema(true), {});
  // (The writer's own batch: 40 rows of which one can never be written.)
  windrow::SinkBatch batch;
  batch.batch_no = 1;
  batch.pane_version = 9;
  batch.rows = 40;
  for (Field const& field : test::counts_schema(true).columns.fields) {
    Column& column = batch.columns.emplace_back(field.type.kind);
    for (int row = 0; row < 40; ++row) {
      if (field.name == "id") {
        column.append_text(std::to_string(row));
      } else if (field.name == "url") {
        column.append_text(std::string(row == 17 ? 4000 : 200, 'x'));
      } else {
        column.append_null();
      }
    }
  }
  writer.open();
  writer.submit(std::move(batch));
  ASSERT_TRUE(writer.settle(std::chrono::seconds(30)));
  SinkProgress const progress = writer.progress();
  EXPECT_EQ(progress.rows, 39U);
  EXPECT_EQ(progress.dead_letters, 1U);
  EXPECT_NE(progress.refusal.find("too large"), std::string::npos) << progress.refusal;
  EXPECT_EQ(keys_soon(39).size(), 39U);
}

// What is left of a compacted topic is the table: the last message of each key.
TEST_F(KafkaSinkBrokerTest, ACompactedTopicReadByKeyIsTheTable) {
  create({{"cleanup.policy", "compact"}}, 4);
  std::map<std::string, std::string> table;
  {
    auto const sink = upsert();
    for (int batch_no = 1; batch_no <= 20; ++batch_no) {
      std::vector<CountRow> rows;
      for (int i = 0; i < 50; ++i) {
        std::string const id = "k" + std::to_string((batch_no * 7 + i) % 90);
        rows.push_back({.id = id, .views = batch_no * 100 + i, .version = 1000 + batch_no});
        table[id] = "\"views\":" + std::to_string(batch_no * 100 + i) + ",";
      }
      test::SinkBatch batch(batch_no, rows);
      EXPECT_EQ(batch.write_to(*sink), all(50, Outcome::ok));
    }
  }
  std::map<std::string, KafkaMessage> last;
  for (KafkaMessage& message : messages_of(servers_, name_)) {
    ASSERT_TRUE(message.key.has_value() && message.value.has_value());
    EXPECT_GE(message.pane_version, last[*message.key].pane_version);
    last[*message.key] = std::move(message);
  }
  ASSERT_EQ(last.size(), table.size());
  for (auto const& [id, views] : table) {
    EXPECT_NE(last[id].value->find(views), std::string::npos) << id << " " << *last[id].value;
  }
}

TEST_F(KafkaSinkBrokerTest, RowsWithoutAnIdAreRefusedByACompactedTopic) {
  create({{"cleanup.policy", "compact"}});
  SinkSchema schema;
  schema.columns.fields = {test::field("msg", ValueType::string)};
  KafkaSink sink(settings(false), schema);
  sink.open();
  Column column(ValueType::string);
  column.append_text("bad");
  ColumnView const view = column.view();
  Outcomes out(1);
  std::vector<SinkFault> faults;
  sink.write({1, 5, 1, {&view, 1}}, out, faults);
  EXPECT_EQ(out, Outcomes{Outcome::split});  // one row: a dead letter
}

}  // namespace
}  // namespace windrow
