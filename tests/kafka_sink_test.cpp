// Messages of a Kafka topic, to a mock cluster in this process: what is sent, and what becomes of
// rows when the brokers refuse them or are away (connectors.md 3.1, 4.1).
#include "sinks/kafka_sink.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "host/engine/snapshot.hpp"
#include "sinks/kafka_transaction_sink.hpp"
#include "tests/kafka_messages.hpp"
#include "tests/mock_kafka.hpp"
#include "tests/sink_rows.hpp"

namespace windrow {
namespace {

using test::CountRow;
using test::SinkBatch;
using testing::KafkaMessage;
using testing::messages_of;
using Outcomes = std::vector<Outcome>;
constexpr std::int16_t produce_request = 0, metadata_request = 3, init_producer_request = 22,
                       offsets_request = 28, end_request = 26;

class KafkaSinkTest : public ::testing::Test {
 protected:
  void SetUp() override { kafka_.create("counts", 1); }
  kafka::ProducerSettings settings(kafka::Config config = {}, std::string id = {}) {
    config.insert({"linger.ms", "1"});
    config.insert({"retry.backoff.ms", "5"});
    config.insert({"reconnect.backoff.max.ms", "100"});
    return {kafka_.servers(), "counts", std::move(id), std::move(config),
            std::chrono::milliseconds(2000)};
  }
  std::unique_ptr<Sink> opened(kafka::Config config = {}, bool upsert = true) {
    auto sink =
        std::make_unique<KafkaSink>(settings(std::move(config)), test::counts_schema(upsert));
    sink->open();
    return sink;
  }
  std::unique_ptr<Sink> with_transactions(kafka::Config config = {}) {
    auto sink = std::make_unique<KafkaTransactionSink>(settings(std::move(config), "app.counts"),
                                                       test::counts_schema(true));
    sink->open();
    return sink;
  }
  // The next requests of a kind are answered so.
  void refuse(std::int16_t request, std::vector<rd_kafka_resp_err_t> const& errors) {
    rd_kafka_mock_push_request_errors_array(kafka_.cluster(), request, errors.size(),
                                            errors.data());
  }
  std::vector<std::string> keys() {
    std::vector<std::string> out;
    for (KafkaMessage const& message : messages_of(kafka_.servers(), "counts", false)) {
      out.push_back(message.key.value_or("-"));
    }
    return out;
  }
  testing::MockKafka kafka_;
};

std::vector<CountRow> many(int n) {
  std::vector<CountRow> rows;
  for (int i = 0; i < n; ++i) {
    rows.push_back({.id = "id" + std::to_string(i), .views = i});
  }
  return rows;
}
std::size_t count(Outcomes const& outcomes, Outcome what) {
  return static_cast<std::size_t>(std::count(outcomes.begin(), outcomes.end(), what));
}

// As the engine does.
Outcomes again(SinkBatch& batch, Sink& sink) {
  Outcomes const retry(batch.view().rows, Outcome::retry);
  Outcomes out = retry;
  for (int i = 0; i < 100 && out == retry; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    out = batch.write_to(sink);
  }
  return out;
}

TEST_F(KafkaSinkTest, ARowIsItsIdAndItselfAsJsonWithTheVersionBeside) {
  SinkBatch batch(7, {{.id = "-300000000|/a", .url = "/a", .views = 3, .version = 77, .mean = 1.5},
                      {.id = "-300000000|/b", .version = 77}});
  EXPECT_EQ(batch.write_to(*opened()), (Outcomes{Outcome::ok, Outcome::ok}));
  EXPECT_TRUE(batch.faults.empty());
  auto const messages = messages_of(kafka_.servers(), "counts");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].key, "-300000000|/a");
  EXPECT_EQ(messages[0].value,
            R"({"id":"-300000000|/a","window_start":-300000000,"url":"/a","views":3,"mean":1.5,)"
            R"("pages":null,"raw":"","pane_version":77,"deleted":false})");
  EXPECT_EQ(messages[0].pane_version, "77");
  EXPECT_EQ(messages[1].key, "-300000000|/b");
  EXPECT_TRUE(messages[1].value.has_value());  // null would delete the key, and its version with it
}

TEST_F(KafkaSinkTest, RowsThatNoStepMadeHaveNoKey) {
  SinkSchema schema;
  schema.columns.fields = {test::field("msg", ValueType::string)};
  KafkaSink sink(settings(), schema);
  sink.open();
  Column column(ValueType::string);
  column.append_text("bad");
  ColumnView const view = column.view();
  Outcomes out(1);
  std::vector<SinkFault> faults;
  sink.write({1, 5, 1, {&view, 1}}, out, faults);
  EXPECT_EQ(out, Outcomes{Outcome::ok});
  auto const messages = messages_of(kafka_.servers(), "counts");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_FALSE(messages[0].key.has_value());
  EXPECT_EQ(messages[0].value, R"({"msg":"bad"})");
}

TEST_F(KafkaSinkTest, MoreRowsThanTheClientsQueueHoldsAreWaitedFor) {
  auto const sink = opened({{"queue.buffering.max.messages", "100"}});
  SinkBatch batch(1, many(5000));
  EXPECT_EQ(count(batch.write_to(*sink), Outcome::ok), 5000U);
  EXPECT_EQ(keys().size(), 5000U);
}

TEST_F(KafkaSinkTest, WhatPassesByItselfIsNoFailure) {
  auto const sink = opened();
  refuse(produce_request,
         {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  SinkBatch batch(1, {{.id = "a"}, {.id = "b"}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::ok, Outcome::ok}));
  EXPECT_EQ(keys(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(KafkaSinkTest, ABrokerThatIsAwayIsTriedAgain) {
  auto const sink = opened({{"message.timeout.ms", "1000"}});
  kafka_.down();
  SinkBatch batch(1, {{.id = "a"}, {.id = "b"}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::retry, Outcome::retry}));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_NE(batch.faults[0].message.find("kafka sink: the row must be taken: topic=counts: "),
            std::string::npos)
      << batch.faults[0].message;
  kafka_.up();
  EXPECT_EQ(again(batch, *sink), (Outcomes{Outcome::ok, Outcome::ok}));
  EXPECT_EQ(keys(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(KafkaSinkTest, ARowOverTheClientsLimitIsSetAsideAndItsNeighboursAreWritten) {
  auto const sink = opened({{"message.max.bytes", "2000"}});
  SinkBatch batch(1, {{.id = "a"}, {.id = "b", .url = std::string(3000, 'x')}, {.id = "c"}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::ok, Outcome::dead_letter, Outcome::ok}));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(batch.faults[0].row, 1U);
  EXPECT_NE(batch.faults[0].message.find("too large"), std::string::npos)
      << batch.faults[0].message;
  EXPECT_EQ(keys(), (std::vector<std::string>{"a", "c"}));
  SinkBatch wide(2, {{.id = "d", .url = std::string(3000, 'x')}});
  EXPECT_EQ(wide.write_to(*opened({{"queue.buffering.max.kbytes", "1"}})),
            Outcomes{Outcome::dead_letter})
      << "it would never fit into the client's queue";
}

TEST_F(KafkaSinkTest, ARequestThatTheBrokerRefusesForItsSizeIsHalved) {
  auto const sink = opened();
  refuse(produce_request, {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  SinkBatch batch(1, {{.id = "a"}, {.id = "b"}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::split, Outcome::split}));
  EXPECT_EQ(batch.faults.size(), 2U);
}

TEST_F(KafkaSinkTest, WhatAPersonHasToMendPauses) {
  for (rd_kafka_resp_err_t const error :
       {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_POLICY_VIOLATION}) {
    auto const sink = opened();
    refuse(produce_request, {error});
    SinkBatch batch(1, {{.id = "a"}});
    EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::pause}) << rd_kafka_err2str(error);
    EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok}) << "mended";
  }
}

TEST_F(KafkaSinkTest, AClientThatCannotGoOnIsFatal) {
  refuse(init_producer_request, {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED});
  auto const sink = opened();
  SinkBatch batch(1, {{.id = "a"}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::fatal});
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_NE(batch.faults[0].message.find("authorization failed"), std::string::npos)
      << batch.faults[0].message;
}

TEST_F(KafkaSinkTest, ATopicThatIsNotThereAndABrokerThatDoesNotAnswerAreNamedAtTheStart) {
  auto const refusal = [&] {
    try {
      static_cast<void>(opened());
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), 69);
      return std::string(error.what());
    }
    return std::string("opened");
  };
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "counts",
                                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  std::string said = refusal();
  EXPECT_NE(said.find("a broker must know the topic: topic=counts servers=" + kafka_.servers()),
            std::string::npos)
      << said;
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "counts",
                                RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  said = refusal();
  EXPECT_NE(said.find("uthorization failed"), std::string::npos) << said;
  kafka_.down();
  said = refusal();
  EXPECT_NE(said.find("topic=counts"), std::string::npos) << said;
}

TEST_F(KafkaSinkTest, SettingsThatAreNotForTheUserAreRefused) {
  for (auto const& [name, value] :
       kafka::Config{{"enable.idempotence", "false"}, {"transactional.id", "x"}, {"acks", "1"}}) {
    try {
      static_cast<void>(opened({{name, value}}));
      ADD_FAILURE() << name;
    } catch (EnvironmentError const& error) {
      EXPECT_EQ(error.exit_code(), 78);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

// The mock has transactions of a kind: requests and their errors, but no fencing and no offsets.
TEST_F(KafkaSinkTest, ATransactionThatFailsIsAbortedAndDoneAgain) {
  auto const sink = with_transactions({{"message.timeout.ms", "1000"}});
  refuse(produce_request, {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  SinkBatch batch(1, {{.id = "a"}, {.id = "b"}});
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::pause, Outcome::pause}));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_NE(batch.faults[0].message.find("transactional_id=app.counts"), std::string::npos);
  EXPECT_EQ(again(batch, *sink), (Outcomes{Outcome::ok, Outcome::ok}));
  EXPECT_EQ(batch.write_to(*sink), (Outcomes{Outcome::superseded, Outcome::superseded}));
  kafka_.down();
  SinkBatch next(2, {{.id = "c", .version = 2}});
  EXPECT_EQ(next.write_to(*sink), Outcomes{Outcome::retry});
  EXPECT_EQ(next.write_to(*sink), Outcomes{Outcome::retry});
  kafka_.up();
  EXPECT_EQ(again(next, *sink), Outcomes{Outcome::ok});
}

TEST_F(KafkaSinkTest, AnAnswerOfTheTransactionsEndThatIsLateIsAskedForAgain) {
  auto const sink = with_transactions();
  refuse(offsets_request, {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS});
  refuse(end_request,
         {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS});
  SinkBatch batch(1, {{.id = "a"}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::ok});
  EXPECT_EQ(keys(), std::vector<std::string>{"a"});
}

TEST_F(KafkaSinkTest, AFencedTransactionIsFatal) {
  auto const sink = with_transactions();
  refuse(end_request, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});
  SinkBatch batch(1, {{.id = "a"}});
  EXPECT_EQ(batch.write_to(*sink), Outcomes{Outcome::fatal});
}

}  // namespace
}  // namespace windrow
