#include "host/engine/sink_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <numeric>

#include "host/engine/crash_point.hpp"

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

// In the order of the batch: which row was refused first, the world decides.
RefusedRows refused_of(SinkBatch const& batch,
                       std::vector<std::pair<std::uint32_t, std::string>>& refused) {
  if (refused.empty()) {
    return {};
  }
  std::sort(refused.begin(), refused.end());
  RefusedRows out{batch.batch_no, batch.pane_version, {}, {}, {}};
  std::vector<std::uint32_t> rows;
  for (auto& [row, message] : refused) {
    rows.push_back(row);
    out.messages.push_back(std::move(message));
    if (!batch.origins.empty()) {
      out.origins.push_back(batch.origins[row]);
    }
  }
  out.columns = rows_of(batch.columns, rows);
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
  totals_.last_version = sink_->last_version().value_or(0);
  thread_ = std::thread([this] { work(); });
}

void SinkWriter::submit(SinkBatch batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || queue_.size() < retry_.queue_max; });
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  totals_.taken += batch.rows;
  totals_.queued += batch.rows;
  queue_.push_back(std::move(batch));
  changed_.notify_all();
}

bool SinkWriter::has_room() {
  std::lock_guard const lock(mutex_);
  return failure_ || queue_.size() < retry_.queue_max;
}

bool SinkWriter::settle(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  flush_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, at_most, [&] { return failure_ || !flush_; });
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return !flush_;
}

SinkProgress SinkWriter::progress() const {
  std::lock_guard const lock(mutex_);
  return totals_;
}

std::vector<RefusedRows> SinkWriter::take_refused(std::int64_t& acked_batch) {
  std::lock_guard const lock(mutex_);
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  acked_batch = totals_.acked_batch;
  auto const open = std::find_if(refused_.begin(), refused_.end(), [&](RefusedRows const& rows) {
    return rows.batch_no > acked_batch;  // parts of a batch whose last is still to come
  });
  std::vector<RefusedRows> out(std::move_iterator(refused_.begin()), std::move_iterator(open));
  refused_.erase(refused_.begin(), open);
  return out;
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
      Outcomes outcomes = write(batch);
      RefusedRows refused = refused_of(batch, outcomes.refused);
      lock.lock();
      if (stop_) {
        return;
      }
      count(batch, outcomes);
      if (!refused.messages.empty()) {
        if (totals_.refusal.empty()) {
          totals_.refusal = refused.messages.front();
        }
        refused_.push_back(std::move(refused));
      }
      queue_.pop_front();
      changed_.notify_all();
    }
  } catch (...) {  // told to the control thread, which ends the process with it
    std::lock_guard const lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

void SinkWriter::count(SinkBatch const& batch, Outcomes const& outcomes) {
  totals_.queued -= batch.rows;
  totals_.rows += outcomes.written;
  totals_.superseded += outcomes.superseded;
  totals_.dead_letters += outcomes.refused.size();
  totals_.tombstones += batch.tombstones;
  if (batch.is_last) {
    totals_.acked_batch = batch.batch_no;
  }
}

SinkWriter::Outcomes SinkWriter::write(SinkBatch const& batch) {
  Outcomes out;
  if (batch.rows > 0) {
    std::vector<std::uint32_t> rows(batch.rows);
    std::iota(rows.begin(), rows.end(), 0U);
    write_rows(batch, std::move(rows), batch.is_last, out);
  }
  return out;
}

// Writes the rows named until each is acknowledged, superseded or set aside.
bool SinkWriter::write_rows(SinkBatch const& batch, std::vector<std::uint32_t> rows, bool is_last,
                            Outcomes& out) {
  Duration waited;
  std::vector<Outcome> outcomes;
  std::vector<SinkFault> told;
  for (unsigned failures = 0; !rows.empty();) {
    bool const whole = rows.size() == batch.rows;
    std::vector<Column> const part = whole ? std::vector<Column>{} : rows_of(batch.columns, rows);
    std::vector<ColumnView> const columns = views_of(whole ? batch.columns : part);
    outcomes.assign(rows.size(), Outcome::ok);
    WINDROW_CRASH_POINT("sink.begin");
    sink_->write(
        {batch.batch_no, batch.pane_version, rows.size(), columns, batch.watermark, is_last},
        outcomes, told);
    WINDROW_CRASH_POINT("sink.acked");

    std::vector<std::uint32_t> again, split;
    std::string why_split;
    bool pause = false;
    auto const message_of = [&](std::size_t row) -> std::string {
      auto const at = std::lower_bound(
          told.begin(), told.end(), row,
          [](SinkFault const& fault, std::size_t wanted) { return fault.row < wanted; });
      if (at != told.end() && at->row == row) {
        return at->message;
      }
      return told.empty() ? "the sink gave no reason" : told.front().message;
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
      switch (outcomes[i]) {
        case Outcome::ok:
          ++out.written;
          break;
        case Outcome::superseded:
          ++out.superseded;
          break;
        case Outcome::dead_letter:
          out.refused.emplace_back(rows[i], message_of(i));
          break;
        case Outcome::split:
          why_split = split.empty() ? message_of(i) : why_split;
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
    if (split.size() == 1) {
      out.refused.emplace_back(split[0], std::move(why_split));
    } else if (!split.empty()) {
      auto const middle = split.begin() + static_cast<std::ptrdiff_t>(split.size() / 2);
      if (!write_rows(batch, {split.begin(), middle}, false, out) ||
          !write_rows(batch, {middle, split.end()}, is_last && again.empty(), out)) {
        return false;
      }
    }
    rows = std::move(again);
    if (rows.empty()) {
      break;
    }
    if (!wait_after_failure(message_of(0), pause, failures++, waited)) {
      return false;
    }
  }
  std::lock_guard const lock(mutex_);
  totals_.waiting.clear();
  return true;
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

}  // namespace windrow
