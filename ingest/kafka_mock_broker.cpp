// librdkafka's mock cluster.
#include "ingest/kafka_mock_broker.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>

#include "host/engine/snapshot.hpp"
#include "host/net/kafka_handles.hpp"

namespace windrow {

struct KafkaMockBroker::Impl {
  struct DestroyCluster {
    void operator()(rd_kafka_mock_cluster_t* handle) const noexcept {
      rd_kafka_mock_cluster_destroy(handle);
    }
  };
  kafka::Owner<rd_kafka_t> client;  // before the cluster, which lives on it
  std::unique_ptr<rd_kafka_mock_cluster_t, DestroyCluster> cluster;
};

KafkaMockBroker::KafkaMockBroker() : impl_(std::make_unique<Impl>()) {
  std::array<char, 512> why{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  // Errors only: it would warn that the client it lives on has no broker to connect to.
  rd_kafka_conf_set(conf, "log_level", "3", why.data(), why.size());
  impl_->client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size()));
  if (impl_->client != nullptr) {
    impl_->cluster.reset(rd_kafka_mock_cluster_new(impl_->client.get(), 1));
  }
  if (impl_->cluster == nullptr) {
    throw EnvironmentError(fmt::format("kafka mock broker: must start: why={}", why.data()), 69);
  }
}

KafkaMockBroker::~KafkaMockBroker() = default;

void KafkaMockBroker::create_topic(std::string const& topic, int partitions) {
  auto const error = rd_kafka_mock_topic_create(impl_->cluster.get(), topic.c_str(), partitions, 1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw EnvironmentError(
        fmt::format("kafka mock broker: a topic must be created: topic={} why={}", topic,
                    rd_kafka_err2str(error)),
        69);
  }
}

std::string KafkaMockBroker::bootstrap_servers() const {
  return rd_kafka_mock_cluster_bootstraps(impl_->cluster.get());
}

}  // namespace windrow
