#include "sinks/kafka_sink.hpp"

#include <fmt/format.h>

#include "host/model/portable.hpp"

namespace windrow {

KafkaSink::KafkaSink(kafka::ProducerSettings settings, SinkSchema schema)
    : schema_(std::move(schema)), json_(schema_.columns), producer_(std::move(settings)) {}

void KafkaSink::open() { producer_.find_topic(); }

void KafkaSink::write(SinkRowsView const& rows, std::span<Outcome> out,
                      std::vector<SinkFault>& faults) {
  WINDROW_ASSERT(out.size() == rows.rows, "one outcome per row");
  faults.clear();
  KafkaRows const messages(json_, schema_, rows);
  producer_.start(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    producer_.send(row, messages.key(row), messages.value(row), messages.pane_version());
  }
  producer_.wait();
  bool told = false;  // one reason for all that is sent again
  for (std::size_t row = 0; row < rows.rows; ++row) {
    kafka::Verdict const verdict = producer_.verdict(row);
    out[row] = verdict.outcome;
    bool const of_row =
        verdict.outcome == Outcome::dead_letter || verdict.outcome == Outcome::split;
    if (of_row || (!verdict.ok() && !told)) {
      told = told || !of_row;
      faults.push_back({row, fmt::format("kafka sink: the row must be taken: topic={}: {}",
                                         producer_.settings().topic, verdict.why)});
    }
  }
}

}  // namespace windrow
