// Writes lines to partitions of a Kafka topic, in order: the sending side of demos and tests.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace windrow {

// A partition holds its lines in the order of the calls: one request in flight, and a line that
// could not be delivered ends everything (EnvironmentError 69, from any later call).
class KafkaLineProducer {
 public:
  KafkaLineProducer(std::string const& bootstrap_servers, std::string topic);
  ~KafkaLineProducer();
  KafkaLineProducer(KafkaLineProducer const&) = delete;  // owns a connection
  KafkaLineProducer& operator=(KafkaLineProducer const&) = delete;
  void send(std::uint32_t partition, std::string_view line, std::int64_t time_ms);
  void flush();  // all lines are in the log when it returns; EnvironmentError 69 after 30 s

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
