// What the two halves of the Kafka source share: discovery and reading.
#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "ingest/kafka_client.hpp"
#include "ingest/kafka_source.hpp"

namespace windrow {

using kafka::TopicPartition;

namespace kafka {

using Instant = std::chrono::steady_clock::time_point;
inline constexpr int ask_timeout_ms = 1000;

// A record by its place and by what it is: offset -1 is none.  Another log has another one there.
struct Mark {
  std::int64_t offset = -1;
  std::uint32_t checksum = 0;  // of key, value and time
};
[[nodiscard]] Mark mark_of(rd_kafka_message_t const& message);

class MessageLease : public Lease {
 public:
  std::vector<Message> messages;
};
[[nodiscard]] RawRecord record_of(rd_kafka_message_t const& message, std::uint32_t partition);

// Messages that a replay fetched and no plan has asked for yet, per partition, in order.
//   wanted  up to here plans will ask;  known: below it, nothing is behind `messages`
struct Ahead {
  std::deque<Message> messages;
  std::int64_t wanted = 0, known = 0;
};

struct Partition {
  TopicPartition where;
  std::int64_t position = 0;
  Mark last;              // of the last record read
  bool doubtful = false;  // is it still the log of `last`?
  bool assigned = false;
  bool caught_up = false;  // the end was `position` when last asked, and nothing came since
  Instant heard;           // last message, or answer about it
};

}  // namespace kafka

struct KafkaSource::Impl {
  explicit Impl(KafkaSourceOptions given) : options(std::move(given)) {}

  void connect();
  void begin_anew();
  void discover(kafka::Instant now);
  std::optional<std::vector<TopicPartition>> find();
  std::optional<std::vector<std::int64_t>> starts(std::vector<TopicPartition> const& of);
  std::optional<std::vector<std::int64_t>> asked(std::vector<TopicPartition> const& of,
                                                 std::int64_t what);
  [[nodiscard]] bool check_logs();
  void check_mark(kafka::Partition& partition, rd_kafka_message_t const& message);
  void begin_replay(std::span<Range const> whole);
  void fetch_ahead();
  void end_replay();
  void renumber();
  void consume(RawBatch& out, std::size_t rows_max, std::int64_t wait_us);
  void event(rd_kafka_message_t const& message);
  void ask_ends(std::span<Range const> polled, kafka::Instant now);
  void give_up(kafka::Instant now) const;
  [[noreturn]] void lost(kafka::Partition const& partition, char const* what,
                         std::int64_t available) const;
  [[nodiscard]] std::uint32_t index_of(rd_kafka_message_t const& message);

  KafkaSourceOptions options;
  std::string title;
  std::regex pattern;
  std::unique_ptr<kafka::Client> client;
  std::vector<kafka::Partition> partitions;  // the index is the partition's number
  std::map<std::pair<std::string_view, std::int32_t>, std::uint32_t>
      numbers;        // views into `partitions`
  bool first = true;  // no discovery was complete yet: `start` applies
  bool restored = false, ended = false;
  bool missing = false;  // a topic, for a while: what comes back may be another one
  kafka::Instant opened, discover_at, asked_at, ask_at;
  std::uint64_t gaps = 0;
  std::unique_ptr<std::vector<kafka::Ahead>> replay;  // until the first poll
  std::uint32_t last = 0;  // partition of the last message: mostly that of the next one
  std::vector<std::pair<TopicPartition, std::int64_t>> durable;  // positions of the last snapshot
};

}  // namespace windrow
