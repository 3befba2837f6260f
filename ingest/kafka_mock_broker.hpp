// librdkafka's mock cluster: a broker on this machine for demos and tests.  Its limits:
// performance.md 2.4 (5 MiB per partition, no transactions, no admin calls).
#pragma once
#include <memory>
#include <string>

namespace windrow {

class KafkaMockBroker {
 public:
  KafkaMockBroker();  // one broker on a free port of the loopback; EnvironmentError 69
  ~KafkaMockBroker();
  KafkaMockBroker(KafkaMockBroker const&) = delete;  // owns a listener
  KafkaMockBroker& operator=(KafkaMockBroker const&) = delete;
  void create_topic(std::string const& topic, int partitions);  // EnvironmentError 69
  [[nodiscard]] std::string bootstrap_servers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
