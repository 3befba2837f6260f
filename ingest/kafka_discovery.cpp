// Which partitions there are, and where each begins.
#include <algorithm>

#include "ingest/kafka_source_impl.hpp"

namespace windrow {
namespace {

using kafka::ask_timeout_ms;
using kafka::Instant;
using kafka::Partition;

constexpr std::chrono::milliseconds retry_interval{500};  // while it fails

}  // namespace

// The partitions that should be read, or nothing while a topic is not there or brokers do not
// answer.
std::optional<std::vector<TopicPartition>> KafkaSource::Impl::find() {
  if (options.topic_pattern.empty()) {
    std::vector<TopicPartition> found;
    for (std::string const& topic : options.topics) {
      auto const some = client->partitions(topic, ask_timeout_ms);
      if (!some) {
        return std::nullopt;
      }
      found.insert(found.end(), some->begin(), some->end());
    }
    return found;
  }
  auto found = client->partitions("", ask_timeout_ms);
  if (found) {
    std::erase_if(*found,
                  [&](TopicPartition const& one) { return !std::regex_match(one.topic, pattern); });
  }
  return found;
}

std::optional<std::vector<std::int64_t>> KafkaSource::Impl::asked(
    std::vector<TopicPartition> const& of, std::int64_t what) {
  std::vector<std::pair<TopicPartition, std::int64_t>> questions;
  for (TopicPartition const& one : of) {
    questions.emplace_back(one, what);
  }
  std::vector<std::int64_t> offsets;
  for (auto const& offset : client->ask(questions, ask_timeout_ms)) {
    if (!offset) {
      return std::nullopt;
    }
    offsets.push_back(*offset);
  }
  return offsets;
}

// Where these new partitions begin; nothing while the broker does not say.
std::optional<std::vector<std::int64_t>> KafkaSource::Impl::starts(
    std::vector<TopicPartition> const& of) {
  auto const begin = [&](KafkaSourceOptions::Start start) {
    return asked(of,
                 start == KafkaSourceOptions::Start::earliest ? kafka::ask_start : kafka::ask_end);
  };
  if (!first || restored) {
    return begin(KafkaSourceOptions::Start::earliest);
  }
  std::optional<std::vector<std::int64_t>> offsets, otherwise;
  switch (options.start) {
    case KafkaSourceOptions::Start::earliest:
    case KafkaSourceOptions::Start::latest:
      return begin(options.start);
    case KafkaSourceOptions::Start::group_offsets:
      offsets = client->group_offsets(of, ask_timeout_ms);
      otherwise = begin(options.otherwise);
      break;
    case KafkaSourceOptions::Start::timestamp:
      // The first record at or after the time, which has full milliseconds; none yet: the end.
      offsets = asked(of, -floor_div(-options.start_timestamp.us, 1000));
      otherwise = begin(KafkaSourceOptions::Start::latest);
      break;
  }
  if (!offsets || !otherwise) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < of.size(); ++i) {
    if ((*offsets)[i] < 0) {
      (*offsets)[i] = (*otherwise)[i];
    }
  }
  return offsets;
}

// After `partitions` has changed, into which these are views.
void KafkaSource::Impl::renumber() {
  numbers.clear();
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    TopicPartition const& where = partitions[i].where;
    numbers[{where.topic, where.partition}] = static_cast<std::uint32_t>(i);
  }
}

// Finds partitions and assigns those that are new, all or none of them, so that numbers do not
// depend on which answers were late.
void KafkaSource::Impl::discover(Instant now) {
  if (now < discover_at) {
    return;
  }
  discover_at = now + retry_interval;
  auto const found = find();
  if (!found) {
    return;
  }
  std::vector<TopicPartition> fresh;
  for (TopicPartition const& one : *found) {
    if (!numbers.contains({one.topic, one.partition})) {
      fresh.push_back(one);
    }
  }
  auto const offsets = starts(fresh);
  if (!offsets) {
    return;
  }
  if ((restored || missing) && !check_logs()) {
    return;
  }
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    partitions.push_back({.where = fresh[i], .position = (*offsets)[i], .last = {}, .heard = now});
  }
  renumber();
  std::vector<std::pair<TopicPartition, std::int64_t>> from;
  for (Partition& partition : partitions) {
    if (partition.assigned) {
      continue;
    }
    partition.assigned = true;
    partition.heard = now;
    from.emplace_back(partition.where,
                      partition.doubtful ? partition.last.offset : partition.position);
  }
  client->assign(from);
  client->clear_why();
  first = false;
  restored = missing = false;
  discover_at = now + std::chrono::microseconds(options.discovery_interval.us);
}

}  // namespace windrow
