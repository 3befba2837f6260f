// What a Kafka topic holds, read from its beginning to its end.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/net/kafka_handles.hpp"

namespace windrow::testing {

struct KafkaMessage {
  std::optional<std::string> key, value;
  std::string pane_version;  // its header
};

// In offset order within a partition.  `committed`: what readers of committed records see.
inline std::vector<KafkaMessage> messages_of(std::string const& servers, std::string const& topic,
                                             bool committed = true) {
  using kafka::Owner;
  char text[512];
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  for (auto const& [name, value] : std::map<std::string, std::string>{
           {"bootstrap.servers", servers},
           {"group.id", "reader"},
           {"enable.auto.commit", "false"},
           {"enable.partition.eof", "true"},
           {"fetch.wait.max.ms", "10"},
           {"isolation.level", committed ? "read_committed" : "read_uncommitted"}}) {
    rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text);
  }
  rd_kafka_conf_set_log_cb(conf, [](rd_kafka_t const*, int, char const*, char const*) {});
  Owner<rd_kafka_t> const client(rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text));
  rd_kafka_poll_set_consumer(client.get());
  Owner<rd_kafka_topic_t> const handle(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
  rd_kafka_metadata_t const* raw = nullptr;
  EXPECT_EQ(rd_kafka_metadata(client.get(), 0, handle.get(), &raw, 20'000), 0);
  Owner<rd_kafka_metadata_t const> const metadata(raw);
  int const partitions = metadata ? metadata->topics[0].partition_cnt : 0;
  Owner<rd_kafka_topic_partition_list_t> const list(rd_kafka_topic_partition_list_new(partitions));
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(client.get(), list.get());
  std::vector<KafkaMessage> out;
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (int open = partitions; open > 0;) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "the end of " << topic << " does not come";
      break;
    }
    Owner<rd_kafka_message_t> const message(rd_kafka_consumer_poll(client.get(), 1000));
    if (!message || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      open -= message ? 1 : 0;
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      continue;
    }
    auto const text_of = [](void const* data, std::size_t size) {
      return data == nullptr ? std::nullopt
                             : std::optional(std::string(static_cast<char const*>(data), size));
    };
    KafkaMessage& one = out.emplace_back();
    one.key = text_of(message->key, message->key_len);
    one.value = text_of(message->payload, message->len);
    rd_kafka_headers_t* headers = nullptr;
    void const* data = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(message.get(), &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_get_last(headers, "pane_version", &data, &size) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
      one.pane_version = text_of(data, size).value_or("");
    }
  }
  return out;
}

}  // namespace windrow::testing
