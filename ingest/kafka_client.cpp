// librdkafka's C API behind one class.
#include "ingest/kafka_client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/engine/snapshot.hpp"

namespace windrow::kafka {
namespace {

using List = Owner<rd_kafka_topic_partition_list_t>;

List list_of(std::vector<std::pair<TopicPartition, std::int64_t>> const& offsets) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (auto const& [where, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), where.topic.c_str(), where.partition)->offset =
        offset;
  }
  return list;
}

// librdkafka may reorder a list, so that answers are looked up.
rd_kafka_topic_partition_t const* answer(List const& list, TopicPartition const& of) {
  return rd_kafka_topic_partition_list_find(list.get(), of.topic.c_str(), of.partition);
}

}  // namespace

Client::Client(std::string const& bootstrap_servers, Config const& config) {
  Owner<rd_kafka_conf_t> conf = consumer_conf(bootstrap_servers, config);
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_log_cb(conf.get(), [](rd_kafka_t const*, int, char const*, char const*) {});
  rd_kafka_conf_set_error_cb(
      conf.get(), [](rd_kafka_t*, int error, char const* reason, void* self) {
        static_cast<Client*>(self)->on_error(static_cast<rd_kafka_resp_err_t>(error), reason);
      });
  char text[512];
  handle_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), text, sizeof text));
  if (!handle_) {
    throw EnvironmentError(fmt::format("kafka source: the client's settings do not work: {}", text),
                           78);
  }
  static_cast<void>(conf.release());  // the handle owns it now
  rd_kafka_poll_set_consumer(handle_.get());
  queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
}

// librdkafka 2.0.2 never returns from rd_kafka_destroy once an assigned topic was deleted
// (confluentinc/librdkafka#4362): such a client is left to the end of the process.
Client::~Client() {
  if (was_missing_) {
    static_cast<void>(handle_.release());
  }
}

void Client::on_error(rd_kafka_resp_err_t error, char const* reason) {
  trouble_ = fmt::format("{}: {}", rd_kafka_err2str(error), reason);
  why_ = trouble_;
  note_missing(error);
}

// Whichever call hears of it first: the fetcher itself does not tell.
void Client::note_missing(rd_kafka_resp_err_t error) {
  if (assigned_ && (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                    error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                    error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)) {
    missing_ = was_missing_ = true;
  }
}

std::optional<std::vector<TopicPartition>> Client::partitions(std::string const& topic,
                                                              int timeout_ms) {
  Owner<rd_kafka_topic_t> only;
  if (!topic.empty()) {
    only.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  }
  rd_kafka_metadata_t const* raw = nullptr;
  rd_kafka_resp_err_t const error =
      rd_kafka_metadata(handle_.get(), topic.empty() ? 1 : 0, only.get(), &raw, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why_ = fmt::format("no list of partitions: {}{}{}", rd_kafka_err2str(error),
                       trouble_.empty() ? "" : "; ", trouble_);
    return std::nullopt;
  }
  Owner<rd_kafka_metadata_t const> const metadata(raw);
  std::vector<TopicPartition> found;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    rd_kafka_metadata_topic_t const& one = metadata->topics[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (topic.empty()) {
        continue;
      }  // a topic in the making; the next refresh has it
      why_ = fmt::format("{}: topic={}", rd_kafka_err2str(one.err), one.topic);
      note_missing(one.err);
      return std::nullopt;
    }
    for (int p = 0; p < one.partition_cnt; ++p) {
      found.push_back({one.topic, one.partitions[p].id});
    }
  }
  if (!topic.empty() && found.empty()) {
    why_ = fmt::format("a topic has no partitions yet: topic={}", topic);
    return std::nullopt;
  }
  std::sort(found.begin(), found.end());
  return found;
}

// One ListOffsets request per broker; offsets_for_times passes the special times -1 and -2 through,
// which is what query_watermark_offsets asks partition by partition.
std::vector<std::optional<std::int64_t>> Client::ask(
    std::vector<std::pair<TopicPartition, std::int64_t>> const& what, int timeout_ms) {
  std::vector<std::optional<std::int64_t>> offsets(what.size());
  if (what.empty()) {
    return offsets;
  }
  List const list = list_of(what);
  rd_kafka_resp_err_t const error =
      rd_kafka_offsets_for_times(handle_.get(), list.get(), timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why_ = fmt::format("no offsets: {}", rd_kafka_err2str(error));
    note_missing(error);
    return offsets;
  }
  for (std::size_t i = 0; i < what.size(); ++i) {
    rd_kafka_topic_partition_t const* const got = answer(list, what[i].first);
    if (got != nullptr && got->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      offsets[i] = got->offset;
    } else if (got != nullptr) {
      why_ = fmt::format("{}: topic={} partition={}", rd_kafka_err2str(got->err), got->topic,
                         got->partition);
      note_missing(got->err);
    }
  }
  return offsets;
}

std::optional<std::vector<std::int64_t>> Client::group_offsets(
    std::vector<TopicPartition> const& of, int timeout_ms) {
  std::vector<std::pair<TopicPartition, std::int64_t>> what;
  for (TopicPartition const& one : of) {
    what.emplace_back(one, RD_KAFKA_OFFSET_INVALID);
  }
  List const list = list_of(what);
  rd_kafka_resp_err_t const error = rd_kafka_committed(handle_.get(), list.get(), timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why_ = fmt::format("no group offsets: {}", rd_kafka_err2str(error));
    return std::nullopt;
  }
  std::vector<std::int64_t> offsets;
  for (TopicPartition const& one : of) {
    rd_kafka_topic_partition_t const* const got = answer(list, one);
    if (got == nullptr || got->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return std::nullopt;
    }
    offsets.push_back(got->offset);
  }
  return offsets;
}

// Incremental, since a whole assign() restarts every fetcher, and 2.0.2's batch calls may then
// return messages of before it.
void Client::assign(std::vector<std::pair<TopicPartition, std::int64_t>> const& from) {
  if (from.empty()) {
    return;
  }
  List const list = list_of(from);
  assigned_ = true;
  rd_kafka_error_t* const error = rd_kafka_incremental_assign(handle_.get(), list.get());
  if (error != nullptr) {
    std::string const text = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    throw EnvironmentError(fmt::format("kafka source: partitions cannot be assigned: {}", text),
                           70);
  }
}

std::vector<Message> Client::consume(std::size_t n, int timeout_ms) {
  constexpr std::size_t call_max = 4096;  // larger calls leave the cache (performance.md 2.3)
  rd_kafka_message_t* raw[call_max];
  ssize_t const got =
      rd_kafka_consume_batch_queue(queue_.get(), timeout_ms, raw, std::min(n, call_max));
  std::vector<Message> messages;
  if (got > 0) {
    messages.reserve(static_cast<std::size_t>(got));
  }
  for (ssize_t i = 0; i < got; ++i) {
    messages.emplace_back(raw[i]);
  }
  return messages;
}

void Client::commit(std::vector<std::pair<TopicPartition, std::int64_t>> const& offsets) {
  if (offsets.empty()) {
    return;
  }
  List const list = list_of(offsets);
  rd_kafka_resp_err_t const error = rd_kafka_commit(handle_.get(), list.get(), 1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why_ = fmt::format("group offsets not committed: {}", rd_kafka_err2str(error));
  }
}

std::string Client::fatal_error() const {
  char text[512];
  bool const fatal =
      rd_kafka_fatal_error(handle_.get(), text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR;
  return fatal ? text : "";
}

}  // namespace windrow::kafka
