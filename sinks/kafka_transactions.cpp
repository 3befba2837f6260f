// Transactions of a Kafka producer: a batch's number is committed with its rows.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "host/engine/snapshot.hpp"
#include "sinks/kafka_producer.hpp"

namespace windrow::kafka {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds call_for{10'000};
constexpr int poll_ms = 100;

// The group has no members: all of its offsets are ours.  The topic's first partition is there
// whenever the topic is.
constexpr std::int32_t control = 0;

// The only answer of a request for one partition; else why there is none.
rd_kafka_topic_partition_t const* only(rd_kafka_event_t* event, std::string& why) {
  if (event == nullptr || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why = event == nullptr ? "no answer" : rd_kafka_event_error_string(event);
    return nullptr;
  }
  std::size_t groups = 0;
  auto const* const* const results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event), &groups);
  if (groups != 1) {
    why = "no answer";
    return nullptr;
  }
  if (rd_kafka_error_t const* const error = rd_kafka_group_result_error(results[0])) {
    why = rd_kafka_error_string(error);
    return nullptr;
  }
  rd_kafka_topic_partition_list_t const* const list = rd_kafka_group_result_partitions(results[0]);
  if (list == nullptr || list->cnt != 1 || list->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why = list == nullptr || list->cnt != 1 ? "no answer" : rd_kafka_err2str(list->elems[0].err);
    return nullptr;
  }
  return list->elems;
}

std::string to_text(CommittedBatch const& batch) {
  return fmt::format("{} {}", batch.batch_no, batch.pane_version);
}

// Nothing where `to_text` did not make it.
std::optional<CommittedBatch> batch_of(std::string_view text) {
  CommittedBatch batch;
  std::size_t const space = text.find(' ');
  if (space != std::string_view::npos) {
    std::from_chars(text.data(), text.data() + space, batch.batch_no);
    std::from_chars(text.data() + space + 1, text.data() + text.size(), batch.pane_version);
  }
  return to_text(batch) == text ? std::optional(batch) : std::nullopt;
}

}  // namespace

void Producer::init_transactions() {
  Verdict const done = verdict_of(Owner<rd_kafka_error_t>(
      rd_kafka_init_transactions(handle_.get(), static_cast<int>(settings_.open_for.count()))));
  if (!done.ok()) {
    throw EnvironmentError(
        fmt::format("kafka sink: transactions must be open to it: servers={} transactional_id={}: "
                    "{}",
                    settings_.bootstrap_servers, settings_.transactional_id, done.why),
        69);
  }
}

Owner<rd_kafka_topic_partition_list_t> Producer::control_partition() const {
  Owner<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(), control);
  return list;
}

// By the admin call, which the producer can make itself: a consumer would be a second client.
std::optional<CommittedBatch> Producer::committed() {
  std::string const& group = settings_.transactional_id;
  Owner<rd_kafka_queue_t> const queue(rd_kafka_queue_new(handle_.get()));
  Owner<rd_kafka_AdminOptions_t> const options(
      rd_kafka_AdminOptions_new(handle_.get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS));
  // The transaction that init_transactions ended may be told to the group a moment later.
  static_cast<void>(
      Owner<rd_kafka_error_t>(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1)));
  for (auto const begin = steady_clock::now(); true;) {
    Owner<rd_kafka_topic_partition_list_t> const asked = control_partition();
    Owner<rd_kafka_ListConsumerGroupOffsets_t> const request(
        rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), asked.get()));
    rd_kafka_ListConsumerGroupOffsets_t* requests[] = {request.get()};
    rd_kafka_ListConsumerGroupOffsets(handle_.get(), requests, 1, options.get(), queue.get());
    Owner<rd_kafka_event_t> const event(rd_kafka_queue_poll(queue.get(), call_ms()));
    std::string said;
    if (rd_kafka_topic_partition_t const* const found = only(event.get(), said)) {
      if (found->offset < 0) {
        return std::nullopt;
      }
      std::string_view const text(static_cast<char const*>(found->metadata), found->metadata_size);
      auto const batch = batch_of(text);
      if (!batch || batch->batch_no != found->offset) {
        throw EnvironmentError(
            fmt::format("kafka sink: the group's offset must be a batch of ours; give a "
                        "transactional_id_prefix of its own: group={} topic={} offset={} "
                        "metadata='{}'",
                        group, settings_.topic, found->offset, text),
            74);
      }
      return batch;
    }
    if (steady_clock::now() - begin > settings_.open_for) {
      throw EnvironmentError(
          fmt::format("kafka sink: the last batch must be known: group={} servers={}: {}", group,
                      settings_.bootstrap_servers, said),
          69);
    }
    rd_kafka_poll(handle_.get(), poll_ms);
  }
}

int Producer::call_ms() const {
  return static_cast<int>(std::min(call_for, settings_.open_for).count());
}

Verdict Producer::begin_transaction() {
  return verdict_of(Owner<rd_kafka_error_t>(rd_kafka_begin_transaction(handle_.get())));
}

Verdict Producer::send_batch(CommittedBatch const& batch) {
  Owner<rd_kafka_topic_partition_list_t> const list = control_partition();
  std::string metadata = to_text(batch);
  rd_kafka_topic_partition_t& entry = list->elems[0];
  entry.offset = batch.batch_no;
  entry.metadata = metadata.data();
  entry.metadata_size = metadata.size();
  Owner<rd_kafka_consumer_group_metadata_t> const group(
      rd_kafka_consumer_group_metadata_new(settings_.transactional_id.c_str()));
  Verdict out = verdict_of(Owner<rd_kafka_error_t>(
      rd_kafka_send_offsets_to_transaction(handle_.get(), list.get(), group.get(), call_ms())));
  entry.metadata = nullptr;  // not the list's
  entry.metadata_size = 0;
  return out;
}

Verdict Producer::commit_transaction() {
  return verdict_of(Owner<rd_kafka_error_t>(rd_kafka_commit_transaction(handle_.get(), call_ms())));
}

Verdict Producer::abort_transaction() {
  return verdict_of(Owner<rd_kafka_error_t>(rd_kafka_abort_transaction(handle_.get(), call_ms())));
}

}  // namespace windrow::kafka
