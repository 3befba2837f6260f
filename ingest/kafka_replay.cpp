// The records of recorded plans again.  The client fetches further than one plan asks, and what it
// fetched cannot be given back, so that it waits here: at most what all plans name.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "host/model/portable.hpp"
#include "ingest/kafka_source_impl.hpp"

namespace windrow {
namespace {

using kafka::Ahead;
using kafka::ask_timeout_ms;
using kafka::Partition;

// The inverse of KafkaSource::partition_name.
TopicPartition parse_name(std::string_view name, std::vector<std::string> const& topics) {
  std::size_t const slash = name.rfind('/');
  TopicPartition out;
  out.topic = slash == std::string_view::npos ? topics.at(0) : std::string(name.substr(0, slash));
  std::string_view const number = slash == std::string_view::npos ? name : name.substr(slash + 1);
  std::from_chars(number.data(), number.data() + number.size(), out.partition);
  return out;
}

}  // namespace

void KafkaSource::Impl::begin_replay(std::span<Range const> whole) {
  auto const now = std::chrono::steady_clock::now();
  for (Range const& range : whole) {
    if (range.partition == partitions.size() && !range.name.empty()) {
      partitions.emplace_back().where = parse_name(range.name, options.topics);
    }
    if (range.partition < partitions.size()) {
      partitions[range.partition].position = range.from;
      partitions[range.partition].heard = now;
    }
  }
  replay = std::make_unique<std::vector<Ahead>>(partitions.size());
  renumber();
  missing = true;  // until the logs are known to be ours
  while (!check_logs()) {
    give_up(std::chrono::steady_clock::now());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  missing = false;
  std::vector<std::pair<TopicPartition, std::int64_t>> from;
  for (Range const& range : whole) {
    if (range.partition >= partitions.size() || range.from == range.to) {
      continue;
    }
    Partition& partition = partitions[range.partition];
    auto const end = client->ask({{partition.where, kafka::ask_end}}, ask_timeout_ms)[0];
    if (end && *end < range.to) {
      lost(partition, "the log ends below the offset that plans need", *end);
    }
    (*replay)[range.partition] = {{}, range.to, range.from};
    partition.assigned = true;
    from.emplace_back(partition.where,
                      partition.doubtful ? partition.last.offset : partition.position);
  }
  client->assign(from);
}

void KafkaSource::Impl::fetch_ahead() {
  std::vector<kafka::Message> messages = client->consume(4096, 0);
  if (messages.empty()) {
    messages = client->consume(1, 100);
  }
  for (kafka::Message& owner : messages) {
    rd_kafka_message_t const& message = *owner;
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      Partition& partition = partitions[index_of(message)];
      Ahead& ahead = (*replay)[index_of(message)];
      ahead.known = std::max(ahead.known, message.offset);
      partition.heard = std::chrono::steady_clock::now();
      partition.doubtful = false;
      continue;
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      event(message);
      continue;
    }
    Partition& partition = partitions[index_of(message)];
    Ahead& ahead = (*replay)[index_of(message)];
    partition.heard = std::chrono::steady_clock::now();
    if (partition.doubtful) {
      check_mark(partition, message);
    }
    ahead.known = std::max(ahead.known, message.offset + 1);
    if (partition.position <= message.offset && message.offset < ahead.wanted) {
      ahead.messages.push_back(std::move(owner));
    }
  }
  give_up(std::chrono::steady_clock::now());
}

void KafkaSource::begin_replay(std::span<Range const> whole) { impl_->begin_replay(whole); }

void KafkaSource::read(std::span<Range const> ranges, RawBatch& out) {
  Impl& self = *impl_;
  WINDROW_ASSERT(self.replay, "begin_replay comes before read");
  out = {};
  auto lease = std::make_unique<kafka::MessageLease>();
  for (Range const& range : ranges) {
    out.ranges.push_back(range);
    if (range.from == range.to) {
      continue;
    }
    Partition& partition = self.partitions.at(range.partition);
    Ahead& ahead = (*self.replay)[range.partition];
    WINDROW_ASSERT(partition.position == range.from, "plans are read in their order");
    while (ahead.known < range.to) {
      self.fetch_ahead();
    }
    std::size_t const before = out.records.size();
    while (!ahead.messages.empty() && ahead.messages.front()->offset < range.to) {
      rd_kafka_message_t const& message = *ahead.messages.front();
      out.records.push_back(kafka::record_of(message, range.partition));
      partition.last = kafka::mark_of(message);
      lease->messages.push_back(std::move(ahead.messages.front()));
      ahead.messages.pop_front();
    }
    self.gaps += static_cast<std::uint64_t>(range.to - range.from) - (out.records.size() - before);
    partition.position = range.to;
  }
  out.payloads = std::move(lease);
}

// What the client has fetched beyond is fetched again: it is of a replay's assignment.
void KafkaSource::Impl::end_replay() {
  if (!replay) {
    return;
  }
  replay.reset();
  connect();
  for (Partition& partition : partitions) {
    partition.assigned = partition.doubtful = false;
  }
  restored = !partitions.empty();
}

}  // namespace windrow
