// Rows of a sessions step until they meet sessions: judged by their own windows, sorted by key and
// time, and cut where the gap opens.  What lies between two cuts is a *proto-session*.  Rules:
// semantics.md R9, R21.
#pragma once
#include "kernels/fold_runs.hpp"
#include "kernels/judge.hpp"

namespace windrow::gpu {

// Late rows are dropped; time, from the earliest of the batch on, is what all are sorted by first.
struct JudgeSessionRow {
  StateView state;
  StepView const* step;
  RowsView rows;
  BatchTimes times;
  EventTime earliest;
  Drop* drops;
  std::uint64_t* since;
  std::uint32_t* order;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    auto const row = static_cast<std::uint32_t>(i);
    Counters& counters = *state.counters;
    EventTime const time = rows.time[row];
    since[row] = static_cast<std::uint64_t>(time.us) - static_cast<std::uint64_t>(earliest.us);
    order[row] = row;
    if (time < times.w) {
      atomic_count(counters.late);
    }
    atomic_count(counters.assigned);
    Window const window = proto_window(step->windows, time);
    if (times.w >= expiry(window.end, step->cells.lateness)) {
      atomic_count(counters.dropped_late);
      drops[atomic_count(counters.drops)] = {rows.first_row + row, 0, window, 1};
      state.may_be_freed(rows.key[row]);
    } else {
      atomic_count(counters.live);
    }
  }
};

// The key that each row in order of time is sorted by next; late rows go last.
struct TakeKeys {
  StepView const* step;
  RowsView rows;
  Watermark w;
  std::uint32_t const* order;
  std::uint32_t no_key;
  std::uint32_t* key;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const row = order[i];
    Window const window = proto_window(step->windows, rows.time[row]);
    key[i] = w >= expiry(window.end, step->cells.lateness) ? no_key : rows.key[row];
  }
};

// Rows in order of (key, time, arrival).
//   key   [n] `no_key` last
struct SortedRows {
  RowsView rows;
  std::uint32_t const *key, *order;
  std::uint32_t no_key, n;
  [[nodiscard]] WINDROW_HOST_DEVICE EventTime time(std::uint32_t i) const noexcept {
    return rows.time[order[i]];
  }
  [[nodiscard]] WINDROW_HOST_DEVICE bool begins_key(std::uint32_t i) const noexcept {
    return key[i] != no_key && (i == 0 || key[i] != key[i - 1]);
  }
};

struct FlagKeys {
  SortedRows sorted;
  std::uint32_t* flag;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    flag[i] = sorted.begins_key(static_cast<std::uint32_t>(i)) ? 1 : 0;
  }
};
// 1 where a proto-session begins: touching is not overlap.
struct FlagProtos {
  SortedRows sorted;
  StepView const* step;
  std::uint32_t* flag;
  WINDROW_HOST_DEVICE void operator()(std::size_t at) const {
    auto const i = static_cast<std::uint32_t>(at);
    flag[i] = sorted.begins_key(i) ||
                      (sorted.key[i] != sorted.no_key &&
                       proto_window(step->windows, sorted.time(i - 1)).end <= sorted.time(i))
                  ? 1
                  : 0;
  }
};
// The number of its proto-session to every row, as the cell it is folded into.
struct NumberProtos {
  SortedRows sorted;
  std::uint32_t const* proto_sum;
  std::uint32_t* proto;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    proto[i] = sorted.key[i] == sorted.no_key ? none : proto_sum[i + 1] - 1U;
  }
};

// Rows whose merge led into a closed session.
struct DropBuried {
  StateView state;
  StepView const* step;
  SortedRows sorted;
  std::uint32_t const *proto, *buried;
  Drop* drops;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    if (proto[i] == none || buried[proto[i]] == 0) {
      return;
    }
    std::uint32_t const row = sorted.order[i];
    atomic_count(state.counters->dropped_closed);
    drops[atomic_count(state.counters->drops)] = {
        sorted.rows.first_row + row, 1, proto_window(step->windows, sorted.rows.time[row]), 1};
    state.may_be_freed(sorted.key[i]);
  }
};

}  // namespace windrow::gpu
