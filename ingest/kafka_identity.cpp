// Is it still the log that we read?  A topic of the same name may have been made anew.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ingest/kafka_source_impl.hpp"

namespace windrow {
namespace {

using kafka::ask_timeout_ms;
using kafka::Mark;
using kafka::Partition;

constexpr std::chrono::seconds patience{5};  // for records to compare with

}  // namespace

Mark kafka::mark_of(rd_kafka_message_t const& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  std::array<std::uint64_t, 2> const head = {
      static_cast<std::uint64_t>(rd_kafka_message_timestamp(&message, &type)), message.key_len};
  std::array<unsigned char, sizeof head> bytes{};
  std::memcpy(bytes.data(), head.data(), sizeof head);
  uLong sum = crc32_z(0, bytes.data(), bytes.size());
  for (auto const& [data, size] :
       {std::pair{message.key, message.key_len}, std::pair{message.payload, message.len}}) {
    if (data != nullptr) {
      sum = crc32_z(sum, static_cast<unsigned char const*>(data), size);
    }
  }
  return {message.offset, static_cast<std::uint32_t>(sum)};
}

// Positions of a snapshot must still be there: looked at before the first fetch, so that the
// refusal comes at the start.  A partition that does not answer is caught by its fetch.
void KafkaSource::Impl::check_logs() {
  for (std::int64_t const what : {kafka::ask_start, kafka::ask_end}) {
    std::vector<std::pair<TopicPartition, std::int64_t>> questions;
    for (Partition const& partition : partitions) {
      questions.emplace_back(partition.where, what);
    }
    auto const offsets = client->ask(questions, ask_timeout_ms);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      if (!offsets[i]) {
        continue;
      }
      Partition const& partition = partitions[i];
      if (what == kafka::ask_start && *offsets[i] > partition.position) {
        lost(partition, "the log starts above the wanted offset", *offsets[i]);
      }
      if (what == kafka::ask_end && *offsets[i] < partition.position) {
        lost(partition, "the log ends below the wanted offset", *offsets[i]);
      }
    }
  }
}

// The last record read must be what it was.  librdkafka 2.0.2 shows neither ids of topics nor
// leader epochs of records, so that a log which is long enough is told from ours only so.  A record
// that has gone meanwhile (compaction, retention) says nothing.
void KafkaSource::Impl::check_marks() {
  std::vector<std::pair<TopicPartition, std::int64_t>> from;
  std::vector<Partition*> open;
  for (Partition& partition : partitions) {
    if (partition.last.offset >= 0) {
      from.emplace_back(partition.where, partition.last.offset);
      open.push_back(&partition);
    }
  }
  if (open.empty()) {
    return;
  }
  // A consumer of its own: the running one must not move.
  kafka::Client other(options.bootstrap_servers, options.consumer_config);
  other.assign(from);
  kafka::Instant const deadline = std::chrono::steady_clock::now() + patience;
  while (!open.empty() && std::chrono::steady_clock::now() < deadline) {
    for (kafka::Message const& message : other.consume(1, 100)) {
      auto const found = std::find_if(open.begin(), open.end(), [&](Partition const* partition) {
        return message->rkt != nullptr && partition->where.partition == message->partition &&
               partition->where.topic == rd_kafka_topic_name(message->rkt);
      });
      if (found == open.end()) {
        continue;
      }
      Partition const& partition = **found;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset == partition.last.offset &&
          kafka::mark_of(*message).checksum != partition.last.checksum) {
        throw EnvironmentError(
            fmt::format("kafka source: the log is another one than we read (the topic was made "
                        "anew): topic={} partition={} offset={} of the last record read",
                        partition.where.topic, partition.where.partition, partition.last.offset),
            74);
      }
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
          message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
          message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        open.erase(found);
      }
    }
  }
}

}  // namespace windrow
