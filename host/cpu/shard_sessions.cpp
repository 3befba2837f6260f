// Sessions of a shard: rows wait until the batch ends, then join and merge.  Rules: semantics.md
// R9, R21, R35, R36, R45, R61, R62.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "host/cpu/shard.hpp"
#include "host/model/portable.hpp"
#include "host/model/trigger_merge.hpp"

namespace windrow::cpu {
namespace {

// Keys lie at random: where the session of a key is, then it and its record are asked of the memory
// so many rows before their use.
constexpr std::uint32_t ahead = 8;

}  // namespace

void Shard::keep_row(KeyedBatchView const& in, std::uint32_t row, std::uint32_t batch_row,
                     std::uint64_t sequence, BatchTimes const& times) {
  KeyId const key = in.key[row];
  Window const proto = proto_window(spec_.windows, in.event_time[row]);
  ++rules_.stats.assigned;
  if (times.w >= expiry(proto.end, spec_.lateness)) {  // its own window, not the merged one (R21)
    drop(batch_row, key, DropReason::late, proto);
    return;
  }
  if (kept_key_.empty()) {
    kept_sequence_ = sequence;
  }
  kept_time_.push_back(in.event_time[row]);
  kept_key_.push_back(key);
  kept_batch_row_.push_back(batch_row);
  if (kept_values_.empty()) {
    for (ColumnView const& column : in.values) {
      kept_values_.emplace_back(column.type);
    }
  }
  for (std::size_t c = 0; c < in.values.size(); ++c) {
    kept_values_[c].append(in.values[c], row);
  }
}

void Shard::merge_sessions(BatchTimes const& times) {
  auto const rows = static_cast<std::uint32_t>(kept_key_.size());
  kept_next_.assign(rows, 0);
  kept_session_.assign(rows, none);
  for (std::uint32_t row = 0; row < rows; ++row) {
    std::size_t const i = dense_index(kept_key_[row]);
    if (i >= first_kept_.size()) {
      first_kept_.resize(std::max(i + 1, first_kept_.size() * 2));
      last_kept_.resize(first_kept_.size());
    }
    if (first_kept_[i] == 0) {
      first_kept_[i] = row + 1;
    } else {
      kept_next_[last_kept_[i] - 1] = row + 1;
    }
    last_kept_[i] = row + 1;
  }
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (row + 2 * ahead < rows) {
      __builtin_prefetch(sessions_.first_place(kept_key_[row + 2 * ahead]));
      if (std::uint32_t const link = sessions_.first_of(kept_key_[row + ahead]); link != 0) {
        __builtin_prefetch(&sessions_.at(link - 1), 1);
        __builtin_prefetch(sessions_.record(layout_, link - 1), 1);
        __builtin_prefetch(sessions_.record(layout_, link - 1) + cache_line, 1);
      }
    }
    KeyId const key = kept_key_[row];
    if (first_kept_[dense_index(key)] == row + 1) {
      merge_key(key, times);
    }
  }
  fold_kept_rows(times);
  kept_time_.clear();
  kept_key_.clear();
  kept_batch_row_.clear();
  for (Column& column : kept_values_) {
    column.clear();
  }
}

// Sorts the rows of one key with its sessions that they may reach, and merges what overlaps;
// touching is not overlap.  Sessions do not overlap each other, so that none beyond all rows takes
// part.
void Shard::merge_key(KeyId key, BatchTimes const& times) {
  spans_.clear();
  closed_.clear();
  std::uint32_t& first = first_kept_[dense_index(key)];
  Window reach{T_MAX, T_MIN};
  for (std::uint32_t link = first; link != 0; link = kept_next_[link - 1]) {
    Window const row = proto_window(spec_.windows, kept_time_[link - 1]);
    spans_.push_back({row, link - 1, none});
    reach = {std::min(reach.start, row.start), std::max(reach.end, row.end)};
  }
  first = 0;
  for (std::uint32_t link = sessions_.first_of(key); link != 0;
       link = sessions_.at(link - 1).next) {
    std::uint32_t const session = link - 1;
    Window const window = sessions_.at(session).window;
    if (window.end <= reach.start || window.start >= reach.end) {
      continue;
    }
    if (is_open(sessions_.record(layout_, session))) {
      spans_.push_back({window, none, session});
    } else {
      closed_.push_back(session);
    }
  }
  std::sort(spans_.begin(), spans_.end(), [](Span const& a, Span const& b) {
    return std::tie(a.window, a.row, a.session) < std::tie(b.window, b.row, b.session);
  });
  std::size_t begin = 0;
  EventTime end = spans_.front().window.end;
  for (std::size_t i = 1; i < spans_.size(); ++i) {
    if (spans_[i].window.start >= end) {
      merge_group(key, std::span(spans_).subspan(begin, i - begin), times);
      begin = i;
      end = spans_[i].window.end;
    }
    end = std::max(end, spans_[i].window.end);
  }
  merge_group(key, std::span(spans_).subspan(begin), times);
}

void Shard::merge_group(KeyId key, std::span<Span const> group, BatchTimes const& times) {
  Window result = group.front().window;
  bool merges = false, has_rows = false;
  sources_.clear();
  std::uint32_t target = none;
  for (Span const& span : group) {
    merges = merges || span.window != group.front().window;
    result.end = std::max(result.end, span.window.end);
    has_rows = has_rows || span.row != none;
    if (span.session != none) {
      sources_.push_back(span.session);
    }
  }
  if (!has_rows) {
    return;
  }
  for (std::uint32_t const session : sources_) {
    if (sessions_.at(session).window == result) {
      target = session;
    }
  }
  bool const is_closed = std::any_of(closed_.begin(), closed_.end(), [&](std::uint32_t session) {
    return sessions_.at(session).window == result;
  });
  if (is_closed) {
    bury(key, result, times);
    for (Span const& span : group) {
      if (span.row != none) {
        drop(kept_batch_row_[span.row], key, DropReason::closed, span.window);
      }
    }
    return;
  }
  if (target != none) {
    if (merges) {
      merge_into_existing(target, times);
    }
  } else if (sources_.empty()) {
    target = sessions_.create(layout_, key, result);
    start_cell(rules_.cells(), sessions_.record(layout_, target));
    count_window(key);
    queue_event(target, times.w);
  } else {
    target = merge_into_new(key, result, times);
  }
  for (Span const& span : group) {
    if (span.row != none) {
      kept_session_[span.row] = target;
    }
  }
}

// The interval is that of an active session, which is then the only source (9.1).
void Shard::merge_into_existing(std::uint32_t session, BatchTimes const& times) {
  std::byte* const record = sessions_.record(layout_, session);
  Window const window = sessions_.at(session).window;
  TriggerSources source;
  source.add(spec_.trigger, layout_.trigger(record));
  on_merge(spec_.trigger, layout_.trigger(record), source, {times.w.us, times.p_us, window.end.us});
  if (!layout_.stores_hold) {
    bool const holds = last_of(window) >= times.w_out && times.w < window.end;  // R45
    std::uint32_t& flags = RecordLayout::head(record).flags;
    flags = (flags & ~flag_held) | (holds ? flag_held : 0U);
  }
}

// The interval is new: the first source becomes it and takes in the others.
std::uint32_t Shard::merge_into_new(KeyId key, Window result, BatchTimes const& times) {
  std::uint32_t const target = sources_.front();
  std::byte* const record = sessions_.record(layout_, target);
  TriggerSources merged;
  bool emitted = false;
  std::int64_t hold = never;
  for (std::uint32_t const source : sources_) {
    std::byte* const from = sessions_.record(layout_, source);
    merged.add(spec_.trigger, layout_.trigger(from));
    Window const window = sessions_.at(source).window;
    emitted = emitted || ((RecordLayout::head(from).flags & flag_emitted) != 0 &&
                          window.start == result.start);
    std::int64_t const held = layout_.stores_hold ? hold_of(rules_.cells(), from, window) : never;
    bool const latest = spec_.timestamp_combiner == TimestampCombiner::latest;
    if (held != never && (hold == never || (latest ? held > hold : held < hold))) {
      hold = held;
    }
  }
  Pending pending;
  take_away(result, pending);
  for (std::uint32_t const source : std::span(sources_).subspan(1)) {
    merge_contents(layout_, rules_.boxes, record, sessions_.record(layout_, source));
    erase_session(source);
  }
  Session& session = sessions_.at(target);
  session.window = result;
  session.pending = std::move(pending);
  RecordHead& head = RecordLayout::head(record);
  head.pane = {};
  start_cell(rules_.cells(), record);
  if (emitted) {
    head.flags |= flag_emitted;
  }
  on_merge(spec_.trigger, layout_.trigger(record), merged, {times.w.us, times.p_us, result.end.us});
  if (!layout_.stores_hold && last_of(result) >= times.w_out && times.w < result.end) {
    hold = last_of(result).us;  // R45
  }
  if (hold != never) {
    combine_hold(rules_.cells(), record, hold);
  }
  WINDROW_ASSERT(head.key == key, "a merge stays within one key");
  queue_event(target, times.w);
  return target;
}

// A merge into the interval of a closed session closes its sources with it (R62, J4).
void Shard::bury(KeyId key, Window result, BatchTimes const& times) {
  Pending pending;
  take_away(result, pending);
  rules_.send_pending(key, pending, result, times);
  for (std::uint32_t const source : sources_) {
    clear_contents(layout_, rules_.boxes, sessions_.record(layout_, source));
    erase_session(source);
  }
}

// Windows of the sources whose rows no pane of `result` replaces (R36), ascending.
void Shard::take_away(Window result, Pending& pending) {
  if (!spec_.tombstones) {
    return;
  }
  for (std::uint32_t const source : sources_) {
    Session const& session = sessions_.at(source);
    pending.insert(pending.end(), session.pending.begin(), session.pending.end());
    bool const emitted =
        (RecordLayout::head(sessions_.record(layout_, source)).flags & flag_emitted) != 0;
    if (emitted && session.window.start != result.start) {
      pending.push_back(session.window);
    }
  }
  std::sort(pending.begin(), pending.end());
}

// Gives memory back that a peak left behind, else memory_limit would count it for ever.  Between
// batches, when nobody knows a session by its number but the heaps.
void Shard::pack_sessions() {
  SessionPool packed;
  events_ = {};
  deadlines_ = {};
  holds_ = {};
  for (std::uint32_t const from : sessions_.in_order()) {
    Session& old = sessions_.at(from);
    std::byte const* const record = sessions_.record(layout_, from);
    KeyId const key = RecordLayout::head(sessions_.record(layout_, from)).key;
    std::uint32_t const to = packed.create(layout_, key, old.window);
    std::memcpy(packed.record(layout_, to), record, layout_.bytes);
    Session& now = packed.at(to);
    now.pending = std::move(old.pending);
    events_.lower(to, now.queued.event, old.queued.event);
    deadlines_.lower(to, now.queued.deadline, old.queued.deadline);
    holds_.lower(to, now.queued.hold, old.queued.hold);
  }
  sessions_ = std::move(packed);
}

void Shard::erase_session(std::uint32_t session) {
  forget_window(RecordLayout::head(sessions_.record(layout_, session)).key);
  sessions_.erase(layout_, session);
}

// Rows go into their sessions in the order in which they came.
void Shard::fold_kept_rows(BatchTimes const& times) {
  hit_row_.clear();
  hit_record_.clear();
  for (std::uint32_t row = 0; row < kept_session_.size(); ++row) {
    if (row + ahead < kept_session_.size() && kept_session_[row + ahead] != none) {
      __builtin_prefetch(&sessions_.at(kept_session_[row + ahead]));
      __builtin_prefetch(sessions_.record(layout_, kept_session_[row + ahead]), 1);
    }
    std::uint32_t const session = kept_session_[row];
    if (session == none) {
      continue;
    }
    std::byte* const record = sessions_.record(layout_, session);
    Window const window = sessions_.at(session).window;
    if (rules_.accept(record, window, kept_time_[row], times)) {
      touched_.push_back({session, 0});
    }
    hit_row_.push_back(row);
    hit_record_.push_back(record);
  }
  std::vector<ColumnView> values;
  for (Column const& column : kept_values_) {
    values.push_back(column.view());
  }
  fold(layout_, rules_.boxes, {hit_row_, hit_record_, kept_time_, values, {}, kept_sequence_});
  hit_row_.clear();
}

}  // namespace windrow::cpu
