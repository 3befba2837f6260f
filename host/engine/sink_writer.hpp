// One sink's own thread and its bounded queue: writes batches in order and treats the outcomes of
// connectors.md 3.1.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/engine/progress.hpp"
#include "host/engine/sink.hpp"
#include "host/engine/sink_rows.hpp"

namespace windrow {

// How patient a writer is.  The wait after the n-th failure of one batch in a row is drawn from the
// upper half of [0, first * 2^n], at most `longest`.
struct RetrySettings {
  Duration first{20'000}, longest{10'000'000};
  Duration give_up_after{600'000'000};
  std::size_t queue_max = 8;  // batches
};

// Rows of one SinkBatch that can never be written, in its order.
//   columns  as SinkSchema::columns;  origins  as SinkBatch::origins
struct RefusedRows {
  std::int64_t batch_no = 0, pane_version = 0;
  std::vector<std::string> messages;  // why, per row
  std::vector<Column> columns;
  std::vector<SinkRowOrigin> origins;
};

class SinkWriter {
 public:
  SinkWriter(std::size_t transform, std::string name, std::unique_ptr<Sink> sink, SinkSchema schema,
             RetrySettings const& retry);
  ~SinkWriter();  // stops after the write in hand; what is queued is not written
  SinkWriter(SinkWriter const&) = delete;  // owns a thread
  SinkWriter& operator=(SinkWriter const&) = delete;

  void open();  // opens the sink, on the caller's thread, and starts
  // Waits while the queue is full.  Throws what ended the thread, if anything did.
  void submit(SinkBatch batch);
  // Waits until all is acknowledged and the sink flushed, `at_most` so long: did it come so far?
  // Throws as `submit`.
  [[nodiscard]] bool settle(std::chrono::milliseconds at_most);
  [[nodiscard]] bool has_room();
  [[nodiscard]] SinkProgress progress() const;
  [[nodiscard]] SinkSchema const& schema() const { return schema_; }
  // Counters of an earlier run, before `open`.
  void restore(SinkProgress const& totals);
  // Of the batches acknowledged since the last call, all that was refused; and the last of them.
  // Throws as `submit`.
  [[nodiscard]] std::vector<RefusedRows> take_refused(std::int64_t& acked_batch);

 private:
  // What became of the rows of one SinkBatch; `refused`: which, and why.
  struct Outcomes {
    std::uint64_t written = 0, superseded = 0;
    std::vector<std::pair<std::uint32_t, std::string>> refused;
  };
  void work();
  [[nodiscard]] Outcomes write(SinkBatch const& batch);
  // `is_last`: no row of the batch is written after these.  False when the writer is to stop.
  bool write_rows(SinkBatch const& batch, std::vector<std::uint32_t> rows, bool is_last,
                  Outcomes& out);
  void count(SinkBatch const& batch, Outcomes const& outcomes);
  // False when the writer is to stop.
  bool wait_after_failure(std::string const& why, bool pause, unsigned failures, Duration& waited);

  std::unique_ptr<Sink> sink_;
  SinkSchema schema_;
  RetrySettings retry_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SinkBatch> queue_;  // the first is in hand
  SinkProgress totals_;
  std::vector<RefusedRows> refused_;
  std::exception_ptr failure_;
  bool stop_ = false, flush_ = false;
  std::uint64_t jitter_ = 1;
  std::thread thread_;
};

}  // namespace windrow
