// Records of Kafka topics: offsets of our own, no consumer group rebalancing (connectors.md 4.1).
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/engine/source.hpp"

namespace windrow {

struct KafkaSourceOptions {
  std::vector<std::string> topics;
  std::string topic_pattern;  // instead of `topics`: a regular expression for whole names
  std::string bootstrap_servers;
  std::map<std::string, std::string> consumer_config;  // librdkafka's settings (kafka_settings.hpp)
  // Where the partitions found at the first start begin; `otherwise` where the group has no offset.
  // Partitions found later, or missing in a snapshot, begin at their start: nothing of them was
  // seen.
  enum class Start : std::uint8_t { earliest, latest, group_offsets, timestamp };
  Start start = Start::latest, otherwise = Start::latest;
  EventTime start_timestamp;
  Duration discovery_interval{60'000'000};
  std::optional<Duration>
      max_read_time;  // of real time from the first poll; makes the source bounded
  Duration give_up_after{600'000'000};
};

// EnvironmentError:
//   78  a setting that librdkafka or we refuse
//   74  a partition no longer holds the position we need: its log starts above it or ends below it
//       (retention, a re-created topic).  We never jump.
//   69  brokers, or a partition, not reachable for `give_up_after`; until then status() says why
//
// Records keep offset order within a partition.  A range ends at the consumer's position: control
// and aborted records take offsets too.  `caught_up` comes from asking the broker, at most once a
// second. The leases of its batches must be gone before the source is.
class KafkaSource : public Source {
 public:
  explicit KafkaSource(KafkaSourceOptions options);
  ~KafkaSource() override;
  void open() override;
  bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) override;
  void begin_replay(std::span<Range const> whole) override;
  void read(std::span<Range const> ranges, RawBatch& out) override;
  [[nodiscard]] bool bounded() const override;
  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] std::string partition_name(std::uint32_t partition) const override;
  [[nodiscard]] std::string_view path_of(std::uint32_t partition,
                                         std::int64_t offset) const override;
  [[nodiscard]] std::string status() const override;
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;
  void committed() override;
  // Offsets that no record came for, over all partitions: compacted, aborted or control records.
  [[nodiscard]] std::uint64_t offset_gaps() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
