// A librdkafka producer of one topic: rows with their delivery reports, and transactions.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/sink.hpp"
#include "host/net/kafka_handles.hpp"
#include "host/net/kafka_settings.hpp"

namespace windrow::kafka {

//   transactional_id  empty: a producer without transactions
//   config            settings of librdkafka (kafka_settings.hpp)
//   open_for          how long a broker is waited for at the start, and for the end of a
//   transaction
//                     10 s of it
struct ProducerSettings {
  std::string bootstrap_servers, topic, transactional_id;
  Config config;
  std::chrono::milliseconds open_for{30'000};  // the first transaction of a broker takes seconds
};

// What became of a row or of a call, and why it is not `ok`.
//   split   (a row) the broker refused the request that it was in, for the size or content of a row
//   aborts  (a call) the transaction cannot go on and has to be aborted
struct Verdict {
  Outcome outcome = Outcome::ok;
  std::string why;
  bool aborts = false;
  [[nodiscard]] bool ok() const { return outcome == Outcome::ok; }
};

// The last batch that is committed with its transaction.
struct CommittedBatch {
  std::int64_t batch_no = 0, pane_version = 0;
};

class Producer {
 public:
  explicit Producer(ProducerSettings settings);  // EnvironmentError 78
  Producer(Producer const&) = delete;            // callbacks hold its address
  Producer& operator=(Producer const&) = delete;

  // Waits for a broker that knows the topic, or makes it.  EnvironmentError 69.
  void find_topic();

  // Rows are numbered from 0; their verdicts hold until the next `start`.
  void start(std::size_t rows);
  // Waits while the client's queue is full.
  void send(std::size_t row, std::optional<std::string_view> key, std::string_view value,
            std::string_view pane_version);
  void wait();  // until every row sent has its report
  [[nodiscard]] Verdict verdict(std::size_t row) const;

  // Transactions, one after the other.  A `retry` without `aborts`: the same call again.
  // Fences every other producer of the id and ends what it left open.  EnvironmentError 69.
  void init_transactions();
  // Of the group of the transactional id.  EnvironmentError 69, or 74 where it is not ours.
  [[nodiscard]] std::optional<CommittedBatch> committed();
  [[nodiscard]] Verdict begin_transaction();
  [[nodiscard]] Verdict send_batch(CommittedBatch const& batch);
  [[nodiscard]] Verdict commit_transaction();
  [[nodiscard]] Verdict abort_transaction();

  [[nodiscard]] ProducerSettings const& settings() const { return settings_; }

 private:
  struct Report {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    bool refused = false;  // by the client: it was never sent
  };
  [[nodiscard]] rd_kafka_resp_err_t topic_error();
  void delivered(rd_kafka_message_t const& message);
  [[nodiscard]] Outcome outcome_of(rd_kafka_resp_err_t error) const;
  [[nodiscard]] std::string why(char const* text) const;
  [[nodiscard]] Verdict verdict_of(Owner<rd_kafka_error_t> error) const;
  [[nodiscard]] int call_ms() const;
  [[nodiscard]] Owner<rd_kafka_topic_partition_list_t> control_partition() const;

  ProducerSettings settings_;
  std::vector<Report> reports_;
  std::size_t outstanding_ = 0;
  bool ask_again_ = false;   // what the topic's state is, before more is sent
  std::uint32_t round_ = 0;  // of `start`: reports of an earlier one are not for these rows
  rd_kafka_resp_err_t trouble_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // last thing said of the brokers
  std::string trouble_text_;
  Owner<rd_kafka_t> handle_;
};

}  // namespace windrow::kafka
