// A librdkafka consumer that reads assigned partitions from given offsets.
#pragma once
#include <librdkafka/rdkafka.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ingest/kafka_settings.hpp"

namespace windrow::kafka {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  bool operator==(TopicPartition const&) const = default;
  auto operator<=>(TopicPartition const&) const = default;
};

// What to ask a partition for: its first offset, its end (of committed records), or a time in ms.
inline constexpr std::int64_t ask_start = RD_KAFKA_OFFSET_BEGINNING, ask_end = RD_KAFKA_OFFSET_END;

using Message = Owner<rd_kafka_message_t>;

class Client {
 public:
  Client(std::string const& bootstrap_servers, Config const& config);
  ~Client();
  Client(Client const&) = delete;  // callbacks hold its address
  Client& operator=(Client const&) = delete;

  // All partitions of a topic, or of all topics (empty name).  Nothing: no answer, or the topic is
  // not there; why() says which.  Blocks for `timeout_ms` at most, like all that ask.
  std::optional<std::vector<TopicPartition>> partitions(std::string const& topic, int timeout_ms);
  // One offset per partition; nothing where the broker did not say.  For a time beyond the log's
  // last record the answer is negative.
  std::vector<std::optional<std::int64_t>> ask(
      std::vector<std::pair<TopicPartition, std::int64_t>> const& what, int timeout_ms);
  // The group's offset of each, negative if it has none; nothing: no answer.
  std::optional<std::vector<std::int64_t>> group_offsets(std::vector<TopicPartition> const& of,
                                                         int timeout_ms);

  // Starts to read these partitions there; the others go on undisturbed.
  void assign(std::vector<std::pair<TopicPartition, std::int64_t>> const& from);
  // At most `n` messages and events (err set), in offset order within a partition; waits for the
  // first.
  std::vector<Message> consume(std::size_t n, int timeout_ms);
  // Tells the group without waiting: for lag dashboards only.
  void commit(std::vector<std::pair<TopicPartition, std::int64_t>> const& offsets);

  [[nodiscard]] std::string const& why() const { return why_; }
  void clear_why() { why_.clear(); }
  // Was the topic of an assigned partition missing since it was last asked?  One of that name that
  // comes back may be another one.
  [[nodiscard]] bool take_missing() { return std::exchange(missing_, false); }
  // A problem that the client does not survive, or empty.
  [[nodiscard]] std::string fatal_error() const;

 private:
  void on_error(rd_kafka_resp_err_t error, char const* reason);
  void note_missing(rd_kafka_resp_err_t error);
  std::string why_;      // last thing that went wrong
  std::string trouble_;  // last thing that the client said of its brokers
  bool assigned_ = false, missing_ = false, was_missing_ = false;
  Owner<rd_kafka_t> handle_;
  Owner<rd_kafka_queue_t> queue_;  // goes before the handle
};

}  // namespace windrow::kafka
