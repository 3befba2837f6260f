// A topic made and deleted through librdkafka's admin calls.
#include "ingest/kafka_topic.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "host/engine/snapshot.hpp"
#include "host/net/kafka_handles.hpp"

namespace windrow {
namespace {

constexpr int answer_ms = 15'000;     // for a broker to answer
constexpr int operation_ms = 10'000;  // for the controller to spread the change
constexpr int broker_default = -1;    // replication

using kafka::Owner;

// Empty, or why one of the topics of an answer was refused.
std::string refusal(rd_kafka_topic_result_t const** results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      char const* const text = rd_kafka_topic_result_error_string(results[i]);
      return text != nullptr ? text : rd_kafka_err2str(rd_kafka_topic_result_error(results[i]));
    }
  }
  return {};
}

}  // namespace

struct KafkaTopic::Impl {
  std::string servers, name;
  bool made = false;
  Owner<rd_kafka_t> client;

  [[nodiscard]] EnvironmentError failure(char const* what, std::string const& why) const {
    return {fmt::format("kafka topic: {}: topic={} servers={} why={}", what, name, servers, why),
            69};
  }

  [[nodiscard]] Owner<rd_kafka_AdminOptions_t> options(rd_kafka_admin_op_t op) const {
    std::array<char, 512> why{};
    Owner<rd_kafka_AdminOptions_t> made_options(rd_kafka_AdminOptions_new(client.get(), op));
    rd_kafka_AdminOptions_set_request_timeout(made_options.get(), answer_ms, why.data(),
                                              why.size());
    rd_kafka_AdminOptions_set_operation_timeout(made_options.get(), operation_ms, why.data(),
                                                why.size());
    return made_options;
  }

  [[nodiscard]] static std::string error_of(rd_kafka_event_t* event) {
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return rd_kafka_event_error_string(event);
    }
    std::size_t count = 0;
    if (auto const* created = rd_kafka_event_CreateTopics_result(event)) {
      return refusal(rd_kafka_CreateTopics_result_topics(created, &count), count);
    }
    if (auto const* deleted = rd_kafka_event_DeleteTopics_result(event)) {
      return refusal(rd_kafka_DeleteTopics_result_topics(deleted, &count), count);
    }
    return "no answer";
  }

  void create(std::uint32_t partitions, std::map<std::string, std::string> const& settings) {
    std::array<char, 512> why{};
    Owner<rd_kafka_NewTopic_t> topic(rd_kafka_NewTopic_new(
        name.c_str(), static_cast<int>(partitions), broker_default, why.data(), why.size()));
    if (topic == nullptr) {
      throw failure("must be created", why.data());
    }
    for (auto const& [setting, value] : settings) {
      rd_kafka_NewTopic_set_config(topic.get(), setting.c_str(), value.c_str());
    }
    Owner<rd_kafka_queue_t> const queue(rd_kafka_queue_new(client.get()));
    rd_kafka_NewTopic_t* topics[] = {topic.get()};
    rd_kafka_CreateTopics(client.get(), topics, 1, options(RD_KAFKA_ADMIN_OP_CREATETOPICS).get(),
                          queue.get());
    Owner<rd_kafka_event_t> const event(rd_kafka_queue_poll(queue.get(), -1));
    if (std::string const error = error_of(event.get()); !error.empty()) {
      throw failure("must be created", error);
    }
    made = true;
  }

  // Why it is still there, or empty.
  std::string remove() {
    Owner<rd_kafka_DeleteTopic_t> topic(rd_kafka_DeleteTopic_new(name.c_str()));
    Owner<rd_kafka_queue_t> const queue(rd_kafka_queue_new(client.get()));
    rd_kafka_DeleteTopic_t* topics[] = {topic.get()};
    rd_kafka_DeleteTopics(client.get(), topics, 1, options(RD_KAFKA_ADMIN_OP_DELETETOPICS).get(),
                          queue.get());
    Owner<rd_kafka_event_t> const event(rd_kafka_queue_poll(queue.get(), -1));
    made = false;
    return error_of(event.get());
  }
};

KafkaTopic::KafkaTopic(std::string const& bootstrap_servers, std::string name,
                       std::uint32_t partitions, std::map<std::string, std::string> const& settings)
    : impl_(std::make_unique<Impl>()) {
  impl_->servers = bootstrap_servers;
  impl_->name = std::move(name);
  std::array<char, 512> why{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, [](rd_kafka_t const*, int, char const*, char const*) {});
  if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap_servers.c_str(), why.data(),
                        why.size()) != RD_KAFKA_CONF_OK) {
    rd_kafka_conf_destroy(conf);
    throw impl_->failure("servers are HOST:PORT, with commas between", why.data());
  }
  impl_->client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size()));
  if (impl_->client == nullptr) {
    rd_kafka_conf_destroy(conf);
    throw impl_->failure("the client must start", why.data());
  }
  impl_->create(partitions, settings);
}

KafkaTopic::~KafkaTopic() {
  if (impl_->made) {
    impl_->remove();
  }
}

void KafkaTopic::remove() {
  if (std::string const why = impl_->remove(); !why.empty()) {
    throw impl_->failure("must be deleted", why);
  }
}

}  // namespace windrow
