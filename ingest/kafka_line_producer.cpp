// Writes lines to partitions of a Kafka topic.
#include "ingest/kafka_line_producer.hpp"

#include <fmt/format.h>

#include <array>

#include "host/engine/snapshot.hpp"
#include "host/net/kafka_handles.hpp"

namespace windrow {

struct KafkaLineProducer::Impl {
  std::string topic;
  std::string failure;  // of the first line that was not delivered
  kafka::Owner<rd_kafka_t> client;

  static void delivered(rd_kafka_t*, rd_kafka_message_t const* message, void* self) {
    auto& failure = static_cast<Impl*>(self)->failure;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && failure.empty()) {
      failure = rd_kafka_err2str(message->err);
    }
  }
  void check() const {
    if (!failure.empty()) {
      throw EnvironmentError(
          fmt::format("kafka producer: lines must be delivered: topic={} why={}", topic, failure),
          69);
    }
  }
};

KafkaLineProducer::KafkaLineProducer(std::string const& bootstrap_servers, std::string topic)
    : impl_(std::make_unique<Impl>()) {
  impl_->topic = std::move(topic);
  std::array<char, 512> why{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  std::array<std::array<char const*, 2>, 4> const settings = {
      {{"bootstrap.servers", bootstrap_servers.c_str()},
       {"linger.ms", "2"},
       {"max.in.flight.requests.per.connection", "1"},
       {"topic.metadata.refresh.interval.ms", "-1"}}};
  for (auto const& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value, why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      throw EnvironmentError(fmt::format("kafka producer: {}", why.data()), 78);
    }
  }
  rd_kafka_conf_set_dr_msg_cb(conf, &Impl::delivered);
  rd_kafka_conf_set_opaque(conf, impl_.get());
  impl_->client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size()));
  if (impl_->client == nullptr) {
    rd_kafka_conf_destroy(conf);
    throw EnvironmentError(fmt::format("kafka producer: must start: why={}", why.data()), 69);
  }
}

KafkaLineProducer::~KafkaLineProducer() = default;

void KafkaLineProducer::send(std::uint32_t partition, std::string_view line, std::int64_t time_ms) {
  for (;;) {
    rd_kafka_resp_err_t const error = rd_kafka_producev(
        impl_->client.get(), RD_KAFKA_V_TOPIC(impl_->topic.c_str()),
        RD_KAFKA_V_PARTITION(static_cast<std::int32_t>(partition)),
        RD_KAFKA_V_VALUE(const_cast<char*>(line.data()), line.size()),
        RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(impl_->client.get(), 10);
    } else if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      impl_->failure = rd_kafka_err2str(error);
    } else {
      break;
    }
    impl_->check();
  }
  rd_kafka_poll(impl_->client.get(), 0);
  impl_->check();
}

void KafkaLineProducer::flush() {
  if (rd_kafka_flush(impl_->client.get(), 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    impl_->failure = "not within 30 s";
  }
  impl_->check();
}

}  // namespace windrow
