// Positions over a restart, and whether the log is still theirs: a topic of the same name may have
// been made anew.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ingest/kafka_source_impl.hpp"

namespace windrow {

using kafka::Mark;
using kafka::Partition;

namespace {

constexpr int damaged = 74;

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

void KafkaSource::Impl::lost(Partition const& partition, char const* what,
                             std::int64_t available) const {
  throw EnvironmentError(
      fmt::format(
          "kafka source: {} (records expired, or the topic was made anew): topic={} partition={} "
          "wanted={} available={}",
          what, partition.where.topic, partition.where.partition, partition.position, available),
      damaged);
}

// Positions of a snapshot must still be there: looked at before the first fetch, so that the
// refusal comes at the start.  False: a partition does not answer yet.
bool KafkaSource::Impl::check_logs() {
  std::vector<TopicPartition> of;
  for (Partition const& partition : partitions) {
    of.push_back(partition.where);
  }
  auto const starts = asked(of, kafka::ask_start), ends = asked(of, kafka::ask_end);
  if (!starts || !ends) {
    return false;
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    Partition& partition = partitions[i];
    if ((*starts)[i] > partition.position) {
      lost(partition, "the log starts above the wanted offset", (*starts)[i]);
    }
    if ((*ends)[i] < partition.position) {
      lost(partition, "the log ends below the wanted offset", (*ends)[i]);
    }
    partition.doubtful = partition.last.offset >= std::max((*starts)[i], std::int64_t{0});
  }
  return true;
}

// The last record read must be what it was: reading begins with it.  librdkafka 2.0.2 shows neither
// ids of topics nor leader epochs of records, so that a log which is long enough is told from ours
// only so.  A record that has gone meanwhile (compaction, retention) says nothing.
void KafkaSource::Impl::check_mark(Partition& partition, rd_kafka_message_t const& message) {
  partition.doubtful = false;
  if (message.offset == partition.last.offset &&
      kafka::mark_of(message).checksum != partition.last.checksum) {
    throw EnvironmentError(
        fmt::format("kafka source: the log is another one than we read (the topic was made "
                    "anew): topic={} partition={} offset={} of the last record read",
                    partition.where.topic, partition.where.partition, partition.last.offset),
        damaged);
  }
}

void KafkaSource::snapshot(SnapshotWriter& out) const {
  ByteWriter bytes;
  impl_->durable.clear();
  for (Partition const& partition : impl_->partitions) {
    bytes.text(partition.where.topic);
    bytes.put(partition.where.partition);
    bytes.put(partition.position);
    bytes.put(partition.last.offset);
    bytes.put(partition.last.checksum);
    impl_->durable.emplace_back(partition.where, partition.position);
  }
  out.piece("partitions", 0, bytes.bytes());
}

void KafkaSource::restore(SnapshotReader& in) {
  std::string_view piece, bytes;
  std::uint32_t shard = 0;
  while (in.next(piece, shard, bytes)) {
    if (piece != "partitions") {
      throw EnvironmentError(
          fmt::format("kafka source: a piece of another version: name={}", piece), damaged);
    }
    ByteReader reader(bytes);
    while (!reader.empty()) {
      Partition partition;
      partition.where.topic = reader.text();
      partition.where.partition = reader.get<std::int32_t>();
      partition.position = reader.get<std::int64_t>();
      partition.last.offset = reader.get<std::int64_t>();
      partition.last.checksum = reader.get<std::uint32_t>();
      impl_->partitions.push_back(std::move(partition));
    }
  }
  impl_->renumber();
  impl_->restored = !impl_->partitions.empty();  // without any, `start` still applies
}

void KafkaSource::committed() {
  if (impl_->client && impl_->options.consumer_config.contains("group.id")) {
    impl_->client->commit(impl_->durable);
  }
}

}  // namespace windrow
