// What the clocks do to a shard: which windows end, expire or pass a deadline, and what holds
// W_out. Rules: semantics.md R17, R25, R28, R40-R43.
#include <algorithm>

#include "host/cpu/shard.hpp"

namespace windrow::cpu {

void Shard::run_phase_a(BatchTimes const& times) {
  if (sessions_step_) {
    merge_sessions(times);
  }
  constexpr std::size_t ahead = 16;
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (i + ahead < touched_.size()) {
      __builtin_prefetch(record_of(touched_[i + ahead].place, touched_[i + ahead].record), 1);
    }
    Touched const touched = touched_[i];
    std::byte* const record = record_of(touched.place, touched.record);
    rules_.settle(record, window_of(touched.place), pending_of(touched.place), times);
    note(touched.place, touched.record, times.p_before_us);
  }
  touched_.clear();
}

// A place that is due is out of the heap that says so, until it has run.
void Shard::begin_phase_b(BatchTimes const& times, bool in_order) {
  reach_ = {};
  due_.clear();
  next_due_ = 0;
  auto const event = [this](std::uint32_t place) -> std::int64_t& { return queued(place).event; };
  while (events_.top(event) <= times.w.us) {
    due_.push_back(events_.take(event));
  }
  auto const deadline = [this](std::uint32_t place) -> std::int64_t& {
    return queued(place).deadline;
  };
  while (deadlines_.top(deadline) < times.p_us) {  // strict (R52)
    std::uint32_t const place = deadlines_.take(deadline);
    if (queued(place).event != never) {
      due_.push_back(place);
    }
  }
  if (in_order) {
    std::sort(due_.begin(), due_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return window_of(a).end < window_of(b).end;
    });
  }
}

EventTime Shard::end_of_next(std::size_t cells, Watermark w) {
  std::size_t sum = 0;
  auto running = running_.begin();
  for (std::size_t i = next_due_;;) {
    EventTime const due_end = i < due_.size() ? window_of(due_[i]).end : T_MAX;
    EventTime running_end =
        running != running_.end() ? window_at(spec_.windows, running->first).end : T_MAX;
    running_end = running_end <= w ? running_end : T_MAX;
    EventTime const end = std::min(due_end, running_end);
    if (end == T_MAX) {
      return T_MAX;
    }
    sum += due_end <= running_end ? records_of(due_[i++]) : (running++)->second;
    if (sum >= cells) {
      return end;
    }
  }
}

void Shard::run_phase_b(BatchTimes const& times, EventTime end) {
  end_running(std::min(times.w, end));
  for (; next_due_ < due_.size(); ++next_due_) {
    std::uint32_t const place = due_[next_due_];
    Window const window = window_of(place);
    if (window.end > end) {
      return;
    }
    if (times.w >= expiry(window.end, spec_.lateness)) {
      expire(place, times);
      continue;
    }
    if (queued(place).event == never) {
      if (times.w_before < window.end && window.end <= times.w) {
        ask_at_end(place, times);
      }
      queue_event(place, times.w);
    }
    if (spec_.trigger.deadlines > 0 && queued(place).deadline == never) {
      ask_at_deadline(place, times);
      deadlines_.lower(place, queued(place).deadline, exact_deadline(place, times.p_us));
    }
  }
  if (end == T_MAX) {
    report_freed();
    if (sessions_step_ && sessions_.is_sparse()) {
      pack_sessions();
    }
  }
}

void Shard::expire(std::uint32_t place, BatchTimes const& times) {
  Window const window = window_of(place);
  for (std::uint32_t i = 0; i < records_of(place); ++i) {
    std::byte* const record = record_of(place, i);
    rules_.expire(record, window, pending_of(place), times);
    if (!sessions_step_) {
      end_record(record, window);
    }
  }
  if (sessions_step_) {
    std::byte* const record = sessions_.record(layout_, place);
    KeyId const key = RecordLayout::head(record).key;
    bool shares_row_id = false;  // an unsafe trigger may leave two windows with one start (R62)
    for (std::uint32_t link = sessions_.first_of(key); link != 0;
         link = sessions_.at(link - 1).next) {
      shares_row_id = shares_row_id ||
                      (link - 1 != place && sessions_.at(link - 1).window.start == window.start);
    }
    if (shares_row_id) {
      forget_window(key);
    } else {
      end_record(record, window);
    }
    sessions_.erase(layout_, place);
  } else {
    slabs_.drop(place);
  }
}

// The record is gone; its row id has ended if its row is out.
void Shard::end_record(std::byte* record, Window window) {
  RecordHead const& head = RecordLayout::head(record);
  if (spec_.report_ended && (head.flags & flag_emitted) != 0) {
    rules_.output.ended.push_back({head.key, window});
  }
  forget_window(head.key);
}

void Shard::ask_at_end(std::uint32_t place, BatchTimes const& times) {
  Window const window = window_of(place);
  std::uint32_t const asked = flag_open | flag_armed;
  for (std::uint32_t i = 0; i < records_of(place); ++i) {
    std::byte* const record = record_of(place, i);
    if ((RecordLayout::head(record).flags & asked) == asked) {
      rules_.ask(record, window, pending_of(place), times);
    }
  }
}

void Shard::ask_at_deadline(std::uint32_t place, BatchTimes const& times) {
  Window const window = window_of(place);
  bool const has_ended = times.w_before < window.end && window.end <= times.w;
  std::uint32_t const records = records_of(place);
  for (std::uint32_t begin = 0; begin < records; begin += records_per_block) {
    if (!sessions_step_ &&
        slabs_.at(place).deadline_bound[begin / records_per_block] >= times.p_us) {
      continue;
    }
    for (std::uint32_t i = begin; i < std::min(records, begin + records_per_block); ++i) {
      std::byte* const record = record_of(place, i);
      if (deadline_of(rules_.cells(), record, times.p_before_us) >= times.p_us) {
        continue;
      }
      bool const was_asked = has_ended && (RecordLayout::head(record).flags & flag_armed) != 0;
      if (!was_asked) {
        rules_.ask(record, window, pending_of(place), times);
      }
    }
  }
}

std::int64_t Shard::next_event(Window window, Watermark w) const {
  return w < window.end ? window.end.us : expiry(window.end, spec_.lateness).us;
}

void Shard::queue_event(std::uint32_t place, Watermark w) {
  events_.lower(place, queued(place).event, next_event(window_of(place), w));
}

// Lowers the bounds of a place to what one of its records now has.
void Shard::note(std::uint32_t place, std::uint32_t record, std::int64_t from_us) {
  std::byte* const state = record_of(place, record);
  std::uint32_t const block = record / records_per_block;
  if (spec_.trigger.deadlines > 0) {
    std::int64_t const deadline = deadline_of(rules_.cells(), state, from_us);
    if (!sessions_step_) {
      std::vector<std::int64_t>& bound = slabs_.at(place).deadline_bound;
      if (block >= bound.size()) {
        bound.resize(block + 1, never);
      }
      bound[block] = std::min(bound[block], deadline);
    }
    deadlines_.lower(place, queued(place).deadline, deadline);
  }
  if (tracks_holds_) {
    std::int64_t const hold = hold_of(rules_.cells(), state, window_of(place));
    if (!sessions_step_) {
      std::vector<std::int64_t>& bound = slabs_.at(place).hold_bound;
      if (block >= bound.size()) {
        bound.resize(block + 1, never);
      }
      bound[block] = std::min(bound[block], hold);
    }
    holds_.lower(place, queued(place).hold, hold);
  }
}

namespace {

// Raises the lowest bounds to what their blocks have until the lowest is true.
template <class ExactOf>
std::int64_t exact_of(std::vector<std::int64_t>& bound, ExactOf&& exact_of_block) {
  if (bound.empty()) {
    return never;
  }
  while (true) {
    auto const lowest = std::min_element(bound.begin(), bound.end());
    if (*lowest == never) {
      return never;
    }
    std::int64_t const exact =
        exact_of_block(static_cast<std::uint32_t>(lowest - bound.begin()) * records_per_block);
    if (exact == *lowest) {
      return exact;
    }
    *lowest = exact;
  }
}

}  // namespace

std::int64_t Shard::exact_deadline(std::uint32_t place, std::int64_t from_us) {
  if (sessions_step_) {
    return deadline_of(rules_.cells(), sessions_.record(layout_, place), from_us);
  }
  Slab& slab = slabs_.at(place);
  return exact_of(slab.deadline_bound, [&](std::uint32_t begin) {
    std::int64_t earliest = never;
    for (std::uint32_t i = begin; i < std::min(slab.size(), begin + records_per_block); ++i) {
      earliest = std::min(earliest, deadline_of(rules_.cells(), slab.record(layout_, i), from_us));
    }
    return earliest;
  });
}

std::int64_t Shard::exact_hold(std::uint32_t place) {
  if (sessions_step_) {
    return hold_of(rules_.cells(), sessions_.record(layout_, place), sessions_.at(place).window);
  }
  Slab& slab = slabs_.at(place);
  return exact_of(slab.hold_bound, [&](std::uint32_t begin) {
    std::int64_t earliest = never;
    for (std::uint32_t i = begin; i < std::min(slab.size(), begin + records_per_block); ++i) {
      earliest =
          std::min(earliest, hold_of(rules_.cells(), slab.record(layout_, i), slab.window()));
    }
    return earliest;
  });
}

std::int64_t Shard::earliest_hold() {
  return holds_.earliest(
      [this](std::uint32_t place) -> std::int64_t& { return queued(place).hold; },
      [this](std::uint32_t place) { return exact_hold(place); });
}

std::int64_t Shard::earliest_event(Watermark w) {
  std::int64_t const of_places =
      events_.earliest([this](std::uint32_t place) -> std::int64_t& { return queued(place).event; },
                       [&](std::uint32_t place) { return next_event(window_of(place), w); });
  return running_.empty()
             ? of_places
             : std::min(of_places, window_at(spec_.windows, running_.begin()->first).end.us);
}

std::int64_t Shard::earliest_deadline(std::int64_t p_us) {
  return deadlines_.earliest(
      [this](std::uint32_t place) -> std::int64_t& { return queued(place).deadline; },
      [&](std::uint32_t place) { return exact_deadline(place, p_us); });
}

}  // namespace windrow::cpu
