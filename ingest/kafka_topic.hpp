// A topic of a real Kafka broker that lives as long as its object: for demos and tests.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace windrow {

class KafkaTopic {
 public:
  // Makes the topic, replicated as the broker's default says, and waits until the controller has
  // spread it.  `settings`: of the topic, as Kafka names them.  EnvironmentError 69: no broker
  // answers, or it refuses.
  KafkaTopic(std::string const& bootstrap_servers, std::string name, std::uint32_t partitions,
             std::map<std::string, std::string> const& settings = {});
  // Deletes the topic if remove() has not; a broker that is gone keeps it.
  ~KafkaTopic();
  KafkaTopic(KafkaTopic const&) = delete;  // owns a topic
  KafkaTopic& operator=(KafkaTopic const&) = delete;
  void remove();  // deletes the topic; EnvironmentError 69

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
