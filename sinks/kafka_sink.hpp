// Rows as messages of a compacted Kafka topic (connectors.md 4.1, `upsert`).
//
// Idempotence: the key is the row's id, the value the row as JSON with its `deleted`, never null;
// the header pane_version is the guard of readers.  A batch that is sent again writes its rows
// again: at least once.  Compaction keeps the message of the highest offset of an id, so that a row
// of before a crash may be seen until the batches after it are sent again.  Within a session the
// producer is idempotent: neither twice nor out of order.
#pragma once
#include "host/engine/sink.hpp"
#include "sinks/kafka_producer.hpp"
#include "sinks/kafka_rows.hpp"

namespace windrow {

class KafkaSink final : public Sink {
 public:
  KafkaSink(kafka::ProducerSettings settings, SinkSchema schema);
  void open() override;
  // All rows are delivered, or not, when it returns.
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override;

 private:
  SinkSchema schema_;
  JsonRow json_;
  kafka::Producer producer_;
};

}  // namespace windrow
