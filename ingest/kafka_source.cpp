// Positions and ends of Kafka partitions; the client only fetches.
#include "ingest/kafka_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "host/model/portable.hpp"
#include "ingest/kafka_source_impl.hpp"

namespace windrow {
namespace {

using kafka::ask_timeout_ms;
using kafka::Instant;
using kafka::Partition;
using std::chrono::milliseconds;

constexpr int unavailable = 69, refused = 78;
constexpr std::size_t batch_bytes_max = 64U << 20U;
constexpr milliseconds ask_interval{1000};  // between two questions for ends

Duration since(Instant then, Instant now) {
  return {std::chrono::duration_cast<std::chrono::microseconds>(now - then).count()};
}

}  // namespace

// A null payload stays null.
RawRecord kafka::record_of(rd_kafka_message_t const& message, std::uint32_t partition) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  std::int64_t const ms = rd_kafka_message_timestamp(&message, &type);
  EventTime time{ms * 1000};
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
    time = T_MIN;
  } else if (ms >= floor_div(T_END.us, 1000) || ms < floor_div(T_MIN.us, 1000)) {
    time = T_MAX;  // one that no event can have stays invalid and is set aside by the decoder
  }
  return {static_cast<char const*>(message.payload), static_cast<std::uint32_t>(message.len),
          partition, message.offset, time};
}

void KafkaSource::Impl::connect() {
  client = std::make_unique<kafka::Client>(options.bootstrap_servers, options.consumer_config);
}

// With a new client: what the old one has fetched may be of another log.
void KafkaSource::Impl::begin_anew() {
  missing = true;
  connect();
  for (Partition& partition : partitions) {
    partition.assigned = partition.caught_up = false;
  }
  discover_at = {};
}

std::uint32_t KafkaSource::Impl::index_of(rd_kafka_message_t const& message) {
  std::string_view const topic = rd_kafka_topic_name(message.rkt);
  TopicPartition const& guess = partitions[last].where;
  if (guess.partition != message.partition || guess.topic != topic) {
    auto const found = numbers.find({topic, message.partition});
    WINDROW_ASSERT(found != numbers.end(), "messages come from assigned partitions");
    last = found->second;
  }
  return last;
}

void KafkaSource::Impl::consume(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) {
  auto lease = std::make_unique<kafka::MessageLease>();
  std::size_t bytes = 0;
  std::vector<rd_kafka_message_t const*> newest(partitions.size());
  Instant const now = std::chrono::steady_clock::now();
  auto wait = static_cast<int>(std::min<std::int64_t>((wait_us + 999) / 1000, 60'000));
  while (out.records.size() < rows_max && bytes < batch_bytes_max) {
    // A call waits until it is full, so that only one for a single message may wait.
    std::vector<kafka::Message> messages = client->consume(rows_max - out.records.size(), 0);
    if (messages.empty() && wait > 0) {
      messages = client->consume(1, wait);
    }
    if (messages.empty()) {
      break;
    }
    wait = 0;
    for (kafka::Message& owner : messages) {
      rd_kafka_message_t const& message = *owner;
      if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        event(message);
        continue;
      }
      std::uint32_t const number = index_of(message);
      Partition& partition = partitions[number];
      partition.heard = now;
      if (partition.doubtful) {
        check_mark(partition, message);
      }
      if (message.offset < partition.position) {
        continue;
      }  // the last one again, or of before the position was set
      gaps += static_cast<std::uint64_t>(message.offset - partition.position);
      partition.position = message.offset + 1;
      partition.caught_up = false;
      newest[number] = &message;
      bytes += message.len;
      out.records.push_back(kafka::record_of(message, number));
      lease->messages.push_back(std::move(owner));
    }
  }
  for (std::size_t i = 0; i < newest.size(); ++i) {
    if (newest[i] != nullptr) {
      partitions[i].last = kafka::mark_of(*newest[i]);
    }
  }
  order_by_partition(out.records);
  out.payloads = std::move(lease);
}

// What comes instead of a message: the end of a partition, or trouble.
void KafkaSource::Impl::event(rd_kafka_message_t const& message) {
  if (message.rkt == nullptr || message.partition < 0 || partitions.empty()) {
    return;
  }
  Partition& partition = partitions[index_of(message)];
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    // Behind the last message, control and aborted records count too.
    if (message.offset > partition.position) {
      gaps += static_cast<std::uint64_t>(message.offset - partition.position);
      partition.position = message.offset;
    }
    partition.heard = std::chrono::steady_clock::now();
    partition.doubtful = false;
    ask_at = std::min(ask_at, asked_at + ask_interval / 10);
    return;
  }
  bool const out_of_range = message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                            message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (!out_of_range) {
    return;
  }                          // the client tries again; why() and `heard` tell
  if (partition.doubtful) {  // it was there when the log was asked for its start
    throw EnvironmentError(
        fmt::format("kafka source: the last record read expired just now; start again: topic={} "
                    "partition={} offset={}",
                    partition.where.topic, partition.where.partition, partition.last.offset),
        unavailable);
  }
  for (std::int64_t const what : {kafka::ask_start, kafka::ask_end}) {
    auto const offset = client->ask({{partition.where, what}}, ask_timeout_ms)[0];
    if (what == kafka::ask_start && offset && *offset > partition.position) {
      lost(partition, "the log starts above the wanted offset", *offset);
    }
    if (what == kafka::ask_end) {
      lost(partition, "the wanted offset is not in the log",
           offset.value_or(RD_KAFKA_OFFSET_INVALID));
    }
  }
}

// Asks for the ends of the partitions that were quiet (R82: librdkafka's cached ends may be stale).
void KafkaSource::Impl::ask_ends(std::span<Range const> polled, Instant now) {
  if (now < ask_at) {
    return;
  }
  std::vector<std::pair<TopicPartition, std::int64_t>> questions;
  std::vector<std::size_t> quiet;
  for (Range const& range : polled) {
    Partition const& partition = partitions[range.partition];
    if (partition.position != range.from) {
      continue;
    }
    questions.emplace_back(partition.where, kafka::ask_end);
    quiet.push_back(range.partition);
  }
  if (quiet.empty()) {
    return;
  }
  asked_at = now;
  ask_at = now + ask_interval;
  auto const ends = client->ask(questions, ask_timeout_ms);
  bool all = true;
  for (std::size_t i = 0; i < quiet.size(); ++i) {
    Partition& partition = partitions[quiet[i]];
    partition.caught_up = ends[i] && *ends[i] <= partition.position && !partition.doubtful;
    all = all && ends[i];
    if (!ends[i]) {
      continue;
    }
    partition.heard = now;
    if (*ends[i] < partition.position) {
      lost(partition, "the log ends below our position", *ends[i]);
    }
  }
  if (all) {
    client->clear_why();
  }
}

void KafkaSource::Impl::give_up(Instant now) const {
  std::string const fatal = client->fatal_error();
  if (!fatal.empty()) {
    throw EnvironmentError(fmt::format("kafka source: the client gave up: {}", fatal), unavailable);
  }
  auto const over = [&](Instant heard) { return since(heard, now) > options.give_up_after; };
  if (first && over(opened)) {
    throw EnvironmentError(
        fmt::format("kafka source: partitions were not found for {} s: {}: servers={} topics={}",
                    floor_div(options.give_up_after.us, 1'000'000), client->why(),
                    options.bootstrap_servers, title),
        unavailable);
  }
  for (Partition const& partition : partitions) {
    if ((partition.assigned || missing) && over(partition.heard)) {
      throw EnvironmentError(
          fmt::format("kafka source: a partition was not reachable for {} s: {}: servers={} "
                      "topic={} partition={}",
                      floor_div(options.give_up_after.us, 1'000'000), client->why(),
                      options.bootstrap_servers, partition.where.topic, partition.where.partition),
          unavailable);
    }
  }
}

KafkaSource::KafkaSource(KafkaSourceOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {
  Impl& self = *impl_;
  WINDROW_ASSERT(self.options.topics.empty() != self.options.topic_pattern.empty(),
                 "topics or a pattern");
  self.title = self.options.topic_pattern.empty()
                   ? fmt::format("{}", fmt::join(self.options.topics, ","))
                   : self.options.topic_pattern;
}
KafkaSource::~KafkaSource() = default;

void KafkaSource::open() {
  try {
    impl_->pattern = impl_->options.topic_pattern;
  } catch (std::regex_error const& error) {
    throw EnvironmentError(
        fmt::format("kafka source: topic_pattern is no regular expression: {}: pattern={}",
                    error.what(), impl_->options.topic_pattern),
        refused);
  }
  impl_->connect();
  impl_->opened = std::chrono::steady_clock::now();
}

bool KafkaSource::poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) {
  Impl& self = *impl_;
  WINDROW_ASSERT(self.client, "open comes before poll");
  out = {};
  self.end_replay();
  Instant const start = std::chrono::steady_clock::now();
  self.ended = self.ended || (self.options.max_read_time &&
                              since(self.opened, start) >= *self.options.max_read_time);
  if (!self.ended) {
    if (self.client->take_missing()) {
      self.begin_anew();
    }
    self.discover(start);
  }
  for (std::size_t i = 0; i < self.partitions.size(); ++i) {
    out.ranges.push_back(
        {static_cast<std::uint32_t>(i), self.partitions[i].position, 0, false, self.ended, {}});
  }
  if (!self.ended) {
    if (self.missing) {  // what comes may be of another log
      std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
    } else {
      // Without partitions there is nothing to wait for but the next try.
      self.consume(out, rows_max, wait_us);
      self.ask_ends(out.ranges, std::chrono::steady_clock::now());
    }
    self.give_up(std::chrono::steady_clock::now());
  }
  for (Range& range : out.ranges) {
    Partition const& partition = self.partitions[range.partition];
    range.to = partition.position;
    range.caught_up = partition.caught_up;
  }
  return !self.ended;
}

bool KafkaSource::bounded() const { return impl_->options.max_read_time.has_value(); }
std::string_view KafkaSource::name() const { return impl_->title; }
std::string KafkaSource::partition_name(std::uint32_t partition) const {
  Impl const& self = *impl_;
  TopicPartition const& where = self.partitions[partition].where;
  bool const one_topic = self.options.topics.size() == 1;
  return one_topic ? std::to_string(where.partition)
                   : fmt::format("{}/{}", where.topic, where.partition);
}
std::string_view KafkaSource::path_of(std::uint32_t partition, std::int64_t /*offset*/) const {
  return impl_->partitions[partition].where.topic;
}
std::string KafkaSource::status() const {
  return impl_->client ? impl_->client->why() : std::string();
}
std::uint64_t KafkaSource::offset_gaps() const { return impl_->gaps; }

}  // namespace windrow
