#include "host/engine/sink_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

namespace windrow {
namespace {

std::vector<ColumnView> views_of(std::vector<Column> const& columns) {
  std::vector<ColumnView> views;
  for (Column const& column : columns) {
    views.push_back(column.view());
  }
  return views;
}

std::vector<Column> rows_of(std::vector<Column> const& columns,
                            std::vector<std::uint32_t> const& rows) {
  std::vector<Column> out;
  for (Column const& from : columns) {
    Column& to = out.emplace_back(from.type());
    ColumnView const view = from.view();
    for (std::uint32_t const row : rows) {
      to.append(view, row);
    }
  }
  return out;
}

}  // namespace

SinkWriter::SinkWriter(std::size_t transform, std::string name, std::unique_ptr<Sink> sink,
                       SinkSchema schema, RetrySettings const& retry)
    : sink_(std::move(sink)), schema_(std::move(schema)), retry_(retry) {
  totals_.transform = transform;
  totals_.name = std::move(name);
  jitter_ = transform + 1;  // apart from the other sinks
}

SinkWriter::~SinkWriter() {
  {
    std::lock_guard const lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void SinkWriter::restore(SinkProgress const& totals) {
  std::string name = std::move(totals_.name);
  totals_ = totals;
  totals_.name = std::move(name);
}

void SinkWriter::open() {
  sink_->open();
  thread_ = std::thread([this] { work(); });
}

void SinkWriter::submit(SinkBatch batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || queue_.size() < retry_.queue_max; });
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  queue_.push_back(std::move(batch));
  changed_.notify_all();
}

bool SinkWriter::has_room() {
  std::lock_guard const lock(mutex_);
  return failure_ || queue_.size() < retry_.queue_max;
}

void SinkWriter::settle() {
  std::unique_lock lock(mutex_);
  flush_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return failure_ || !flush_; });
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

SinkProgress SinkWriter::progress() const {
  std::lock_guard const lock(mutex_);
  return totals_;
}

std::vector<SinkReject> SinkWriter::take_rejects() {
  std::lock_guard const lock(mutex_);
  return std::exchange(rejects_, {});
}

void SinkWriter::work() {
  try {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stop_ || flush_ || !queue_.empty(); });
      if (stop_) {
        return;
      }
      if (queue_.empty()) {
        lock.unlock();
        sink_->flush();
        lock.lock();
        flush_ = false;
        changed_.notify_all();
        continue;
      }
      SinkBatch const& batch = queue_.front();  // a deque: its address stays while others come
      lock.unlock();
      write(batch);
      lock.lock();
      if (stop_) {
        return;
      }
      if (batch.is_last) {
        totals_.acked_batch = batch.batch_no;
      }
      totals_.tombstones += batch.tombstones;
      queue_.pop_front();
      changed_.notify_all();
    }
  } catch (...) {  // told to the control thread, which ends the process with it
    std::lock_guard const lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

void SinkWriter::write(SinkBatch const& batch) {
  if (batch.rows > 0) {
    std::vector<std::uint32_t> rows(batch.rows);
    std::iota(rows.begin(), rows.end(), 0U);
    write_rows(batch, std::move(rows));
  }
}

// Writes the rows named until each is acknowledged, superseded or set aside.
void SinkWriter::write_rows(SinkBatch const& batch, std::vector<std::uint32_t> rows) {
  Duration waited;
  std::vector<Outcome> outcomes;
  std::vector<SinkFault> told;
  for (unsigned failures = 0; !rows.empty();) {
    bool const whole = rows.size() == batch.rows;
    std::vector<Column> const part = whole ? std::vector<Column>{} : rows_of(batch.columns, rows);
    std::vector<ColumnView> const columns = views_of(whole ? batch.columns : part);
    outcomes.assign(rows.size(), Outcome::ok);
    sink_->write(
        {batch.batch_no, batch.pane_version, rows.size(), columns, batch.watermark, batch.is_last},
        outcomes, told);

    std::vector<std::uint32_t> again, split;
    bool pause = false;
    std::uint64_t written = 0, superseded = 0;
    auto const message_of = [&](std::size_t row) -> std::string {
      for (SinkFault const& fault : told) {
        if (fault.row == row) {
          return fault.message;
        }
      }
      return told.empty() ? "the sink gave no reason" : told.front().message;
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
      switch (outcomes[i]) {
        case Outcome::ok:
          ++written;
          break;
        case Outcome::superseded:
          ++superseded;
          break;
        case Outcome::dead_letter:
          reject(batch, rows[i], message_of(i));
          break;
        case Outcome::split:
          split.push_back(rows[i]);
          break;
        case Outcome::pause:
          pause = true;
          [[fallthrough]];
        case Outcome::retry:
          again.push_back(rows[i]);
          break;
        case Outcome::fatal:
          throw EnvironmentError(fmt::format("sink: {}: sink={}", message_of(i), totals_.name), 76);
      }
    }
    {
      std::lock_guard const lock(mutex_);
      totals_.rows += written;
      totals_.superseded += superseded;
    }
    if (split.size() == 1) {
      reject(batch, split[0], message_of(0));
    } else if (!split.empty()) {
      auto const middle = split.begin() + static_cast<std::ptrdiff_t>(split.size() / 2);
      write_rows(batch, {split.begin(), middle});
      write_rows(batch, {middle, split.end()});
    }
    rows = std::move(again);
    if (rows.empty()) {
      break;
    }
    if (!wait_after_failure(message_of(0), pause, failures++, waited)) {
      return;
    }
  }
  std::lock_guard const lock(mutex_);
  totals_.waiting.clear();
}

bool SinkWriter::wait_after_failure(std::string const& why, bool pause, unsigned failures,
                                    Duration& waited) {
  if (waited >= retry_.give_up_after) {
    throw EnvironmentError(fmt::format("sink: gave up after {} s: {}: sink={}",
                                       floor_div(waited.us, 1'000'000), why, totals_.name),
                           69);
  }
  std::int64_t const most =
      pause ? retry_.longest.us  // nothing will change by itself soon
            : std::min(retry_.longest.us, retry_.first.us << std::min(failures, 30U));
  jitter_ = jitter_ * 6364136223846793005U + 1442695040888963407U;
  Duration wait{most / 2 + static_cast<std::int64_t>((jitter_ >> 33U) %
                                                     static_cast<std::uint64_t>(most / 2 + 1))};
  wait = std::min(wait, Duration{std::max<std::int64_t>(1, retry_.give_up_after.us - waited.us)});
  waited.us += wait.us;
  std::unique_lock lock(mutex_);
  ++totals_.retries;
  totals_.waiting = why;
  changed_.wait_for(lock, std::chrono::microseconds(wait.us), [&] { return stop_; });
  return !stop_;
}

void SinkWriter::reject(SinkBatch const& batch, std::uint32_t row, std::string message) {
  std::vector<Column> columns = rows_of(batch.columns, {row});
  std::lock_guard const lock(mutex_);
  ++totals_.dead_letters;
  rejects_.push_back({std::move(message), std::move(columns)});
}

}  // namespace windrow
