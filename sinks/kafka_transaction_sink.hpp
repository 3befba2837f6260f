// Rows as messages of a Kafka topic, a transaction per batch (connectors.md 4.1, `exactly_once`).
//
// Idempotence: the number and the version of the last batch are committed with its rows, as the
// offset of a consumer group of this sink alone.  A batch that is there already is skipped.  The
// transactional id ends whatever an older process of this sink left open and keeps it out for good.
// So readers of committed records see each row once, and batches whole and in order.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/engine/sink.hpp"
#include "sinks/kafka_producer.hpp"
#include "sinks/kafka_rows.hpp"

namespace windrow {

class KafkaTransactionSink final : public Sink {
 public:
  // `settings` has a transactional id.
  KafkaTransactionSink(kafka::ProducerSettings settings, SinkSchema schema);
  ~KafkaTransactionSink() override;
  KafkaTransactionSink(KafkaTransactionSink const&) = delete;  // owns a transaction
  KafkaTransactionSink& operator=(KafkaTransactionSink const&) = delete;
  void open() override;
  [[nodiscard]] std::optional<std::int64_t> last_version() override;
  // The last part of a batch commits it.  Rows of a batch that is there are superseded.
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override;

 private:
  //   refused  rows that the topic does not take, and why
  //   alone    rows of requests that it did not take: each is sent alone, to see which it was
  struct Part {
    KafkaRows rows;
    std::map<std::size_t, std::string> refused{};
    std::set<std::size_t> alone{};
  };
  enum class Stage : std::uint8_t {
    none,        // no transaction
    open,        // `sent_` parts are in it
    batch_sent,  // the batch's number too; it may be committed already
    broken       // it has to be aborted
  };
  // Does what is left to be done for the parts taken, and says how far it came.
  [[nodiscard]] kafka::Verdict advance(kafka::CommittedBatch const& batch, bool is_last);
  [[nodiscard]] kafka::Verdict send(Part& part, bool told);

  SinkSchema schema_;
  JsonRow json_;
  kafka::Producer producer_;
  std::optional<kafka::CommittedBatch> committed_;
  // Of the batch in hand.  A transaction that is aborted takes all of its parts with it, so they
  // are kept until it is committed.
  Stage stage_ = Stage::none;
  std::vector<Part> parts_;
  std::size_t sent_ = 0;
  bool again_ = false;  // the last part was not taken and comes again
};

}  // namespace windrow
