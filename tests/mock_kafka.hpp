// A Kafka cluster in this process (librdkafka's mock), and a producer for it.  Its limits:
// performance.md 2.4 (5 MiB per partition, no transactions, no offsets by time).
#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace windrow::testing {

class MockKafka {
 public:
  explicit MockKafka(int brokers = 1) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    quiet(conf);
    char text[512];
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cluster_ = rd_kafka_mock_cluster_new(host_, brokers);
    servers_ = rd_kafka_mock_cluster_bootstraps(cluster_);
    conf = rd_kafka_conf_new();
    quiet(conf);
    rd_kafka_conf_set(conf, "bootstrap.servers", servers_.c_str(), text, sizeof text);
    rd_kafka_conf_set(conf, "linger.ms", "0", text, sizeof text);
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (producer_ == nullptr) {
      throw std::runtime_error(text);
    }
  }
  ~MockKafka() {
    rd_kafka_destroy(producer_);
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  MockKafka(MockKafka const&) = delete;  // owns handles
  MockKafka& operator=(MockKafka const&) = delete;

  void create(std::string const& topic, int partitions) {
    check(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1));
  }
  // Appends one message with that time in ms; `flush` makes sure of it.
  void produce(std::string const& topic, int partition, std::string_view payload,
               std::int64_t ms = 1000) {
    for (;;) {
      rd_kafka_resp_err_t const error = rd_kafka_producev(
          producer_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_TIMESTAMP(ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()), RD_KAFKA_V_END);
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return check(error);
      }
      rd_kafka_poll(producer_, 100);
    }
  }
  void flush() { check(rd_kafka_flush(producer_, 20'000)); }
  void down(int broker = 1) { check(rd_kafka_mock_broker_set_down(cluster_, broker)); }
  void up(int broker = 1) { check(rd_kafka_mock_broker_set_up(cluster_, broker)); }
  [[nodiscard]] std::string const& servers() const { return servers_; }
  [[nodiscard]] rd_kafka_mock_cluster_t* cluster() { return cluster_; }

 private:
  static void quiet(rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_log_cb(conf, [](rd_kafka_t const*, int, char const*, char const*) {});
  }
  static void check(rd_kafka_resp_err_t error) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error(rd_kafka_err2str(error));
    }
  }
  rd_kafka_t *host_ = nullptr, *producer_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::string servers_;
};

}  // namespace windrow::testing
