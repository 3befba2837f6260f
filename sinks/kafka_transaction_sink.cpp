#include "sinks/kafka_transaction_sink.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/engine/crash_point.hpp"
#include "host/model/portable.hpp"

namespace windrow {

KafkaTransactionSink::KafkaTransactionSink(kafka::ProducerSettings settings, SinkSchema schema)
    : schema_(std::move(schema)), json_(schema_.columns), producer_(std::move(settings)) {
  WINDROW_ASSERT(!producer_.settings().transactional_id.empty(), "transactions have an id");
}

// Readers of committed records wait for an open transaction until it times out.
KafkaTransactionSink::~KafkaTransactionSink() {
  if (stage_ == Stage::open || stage_ == Stage::broken) {
    static_cast<void>(producer_.abort_transaction());
  }
}

void KafkaTransactionSink::open() {
  producer_.find_topic();
  producer_.init_transactions();  // first: an open transaction would hide the group's offset
  committed_ = producer_.committed();
}

std::optional<std::int64_t> KafkaTransactionSink::last_version() {
  return committed_ ? std::optional(committed_->pane_version) : std::nullopt;
}

void KafkaTransactionSink::write(SinkRowsView const& rows, std::span<Outcome> out,
                                 std::vector<SinkFault>& faults) {
  WINDROW_ASSERT(out.size() == rows.rows && rows.rows > 0, "one outcome per row, and a row");
  faults.clear();
  kafka::CommittedBatch const batch{rows.batch_no, rows.pane_version};
  kafka::ProducerSettings const& settings = producer_.settings();
  if (committed_ && (batch.batch_no <= committed_->batch_no) !=
                        (batch.pane_version <= committed_->pane_version)) {
    std::fill(out.begin(), out.end(), Outcome::fatal);
    faults.push_back(
        {0, fmt::format("kafka sink: the topic's last batch must be of this state: topic={} "
                        "group={} there: batch={} pane_version={} now: batch={} pane_version={}; "
                        "go on with its state directory, or give a new transactional_id_prefix",
                        settings.topic, settings.transactional_id, committed_->batch_no,
                        committed_->pane_version, batch.batch_no, batch.pane_version)});
    return;
  }
  if (committed_ && batch.batch_no <= committed_->batch_no) {
    std::fill(out.begin(), out.end(), Outcome::superseded);
    return;
  }
  if (!again_) {
    parts_.push_back({KafkaRows(json_, schema_, rows)});
  }
  kafka::Verdict const done = advance(batch, rows.is_last);
  again_ = !done.ok();
  if (again_) {
    std::fill(out.begin(), out.end(), done.outcome);
    faults.push_back({0, fmt::format("kafka sink: the batch must be written: topic={} "
                                     "transactional_id={}: {}",
                                     settings.topic, settings.transactional_id, done.why)});
    return;
  }
  std::fill(out.begin(), out.end(), Outcome::ok);
  for (auto& [row, why] : parts_.back().refused) {
    out[row] = Outcome::dead_letter;
    faults.push_back(
        {row, fmt::format("kafka sink: the row must be taken: topic={}: {}", settings.topic, why)});
  }
  if (rows.is_last) {
    committed_ = batch;
    parts_.clear();
    sent_ = 0;
  }
}

// One step after the other; what fails is left to be done.
kafka::Verdict KafkaTransactionSink::advance(kafka::CommittedBatch const& batch, bool is_last) {
  while (true) {
    kafka::Verdict step;
    if (stage_ == Stage::broken) {
      step = producer_.abort_transaction();
      step.aborts = !step.ok();
      sent_ = 0;
      stage_ = step.ok() ? Stage::none : stage_;
    } else if (stage_ == Stage::none) {
      step = producer_.begin_transaction();
      stage_ = step.ok() ? Stage::open : stage_;
      WINDROW_CRASH_POINT("kafka.txn.begun");
    } else if (sent_ < parts_.size()) {
      step = send(parts_[sent_], sent_ + 1 < parts_.size());
      sent_ += step.ok() ? 1 : 0;
    } else if (!is_last) {
      return {};
    } else if (stage_ == Stage::open) {
      step = producer_.send_batch(batch);
      stage_ = step.ok() ? Stage::batch_sent : stage_;
      WINDROW_CRASH_POINT("kafka.txn.offsets_sent");
    } else {
      step = producer_.commit_transaction();
      if (step.ok()) {
        stage_ = Stage::none;
        WINDROW_CRASH_POINT("kafka.txn.committed");
        return {};
      }
    }
    if (step.ok()) {
      continue;
    }
    bool const was_broken = stage_ == Stage::broken;
    stage_ = step.aborts ? Stage::broken : stage_;
    if (step.outcome == Outcome::split) {
      continue;  // sent otherwise
    }
    // Readers wait for an open transaction, we for the world: it ends first, if it can.
    if (step.aborts && !was_broken && step.outcome != Outcome::fatal) {
      kafka::Verdict const ended = producer_.abort_transaction();
      if (ended.ok()) {
        stage_ = Stage::none;
        sent_ = 0;
      } else if (ended.outcome == Outcome::fatal) {
        return ended;
      }
    }
    return step;
  }
}

// `told`: the engine knows already what became of its rows.
kafka::Verdict KafkaTransactionSink::send(Part& part, bool told) {
  producer_.start(part.rows.size());
  for (std::size_t row = 0; row < part.rows.size(); ++row) {
    if (part.refused.contains(row)) {
      continue;
    }
    bool const alone = part.alone.contains(row);
    if (alone) {
      producer_.wait();
    }
    producer_.send(row, part.rows.key(row), part.rows.value(row), part.rows.pane_version());
    if (alone) {
      producer_.wait();
    }
  }
  producer_.wait();

  kafka::Verdict out;
  std::vector<std::size_t> suspects;  // of requests that were refused
  std::string why;
  for (std::size_t row = 0; row < part.rows.size(); ++row) {
    kafka::Verdict verdict = producer_.verdict(row);
    if (verdict.outcome == Outcome::dead_letter && !told) {
      part.refused.emplace(row, std::move(verdict.why));  // it was never in the transaction
    } else if (verdict.outcome == Outcome::split && !told) {
      suspects.push_back(row);
      why = std::move(verdict.why);
    } else if (!verdict.ok() && out.ok()) {
      out = std::move(verdict);
    }
  }
  for (std::size_t const row : suspects) {
    if (suspects.size() == 1 || part.alone.contains(row)) {
      part.refused.emplace(row, why);
    } else {
      part.alone.insert(row);
    }
  }
  if (!suspects.empty()) {
    out = {Outcome::split, std::move(why), true};
  } else if (!out.ok()) {
    out.aborts = true;
    if (out.outcome == Outcome::dead_letter || out.outcome == Outcome::split) {
      out.outcome = Outcome::pause;  // a row was taken before and is not now: a setting changed
    }
  }
  return out;
}

}  // namespace windrow
