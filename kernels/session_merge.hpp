// The proto-sessions of a batch meet the sessions there are: one thread per key, in order of time.
// Rules: semantics.md R9, R35, R36, R45, R61, R62.
#pragma once
#include "host/model/trigger_merge.hpp"
#include "kernels/session_rows.hpp"

namespace windrow::gpu {

// Of proto-sessions and sessions that overlap, all that the merge needs to know.
//   window          their span, the window of the result
//   protos          [first, end)
//   front, exact    first session; the one that has the window already; cell + 1, 0 = none
//   differs         not all windows are equal;  closed  the window is that of a closed session
struct MergeGroup {
  Window window;
  std::uint32_t first, end, front, exact;
  bool differs, closed;
};

struct MergeSessions {
  StateView state;
  StepView const* step;
  BatchTimes times;
  SortedRows sorted;
  Runs protos;
  std::uint32_t const *key_begin, *key_sum;
  std::uint32_t *touched, *buried;

  // i = key with rows
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const begin = key_begin[i];
    std::uint32_t const end =
        i + 1 < key_sum[sorted.n] ? protos.run_sum[key_begin[i + 1]] : protos.run_sum[sorted.n];
    std::uint32_t const key = sorted.key[begin];
    std::uint32_t* from = &state.first_of[key];  // sessions before end before all rows to come
    for (std::uint32_t proto = protos.run_sum[begin]; proto < end;) {
      MergeGroup const group = find_group(from, proto, end);
      merge(key, group);
      proto = group.end;
    }
  }

 private:
  [[nodiscard]] WINDROW_HOST_DEVICE std::byte* record(std::uint32_t link) const {
    return state.record(link - 1U);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE RecordHead& head(std::uint32_t link) const {
    return RecordShape::head(record(link));
  }
  [[nodiscard]] WINDROW_HOST_DEVICE SessionLink& link_of(std::uint32_t link) const {
    return state.link(link - 1U);
  }
  [[nodiscard]] WINDROW_HOST_DEVICE static bool overlap(Window a, Window b) {
    return a.start < b.end && b.start < a.end;
  }
  // Rows of a proto-session: [begin, end) in sorted order.
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t rows_begin(std::uint32_t proto) const {
    return protos.run_begin[proto];
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t rows_end(std::uint32_t proto) const {
    return proto + 1 < protos.run_sum[sorted.n] ? protos.run_begin[proto + 1]
                                                : state.counters->live;
  }
  [[nodiscard]] WINDROW_HOST_DEVICE Window window_of_proto(std::uint32_t proto) const {
    EventTime const last = sorted.time(rows_end(proto) - 1U);
    return {sorted.time(rows_begin(proto)), proto_window(step->windows, last).end};
  }

  // The group that begins with `proto`.  Open sessions do not overlap each other.
  [[nodiscard]] WINDROW_HOST_DEVICE MergeGroup find_group(std::uint32_t*& from, std::uint32_t proto,
                                                          std::uint32_t protos_end) const {
    Window const first = window_of_proto(proto);
    MergeGroup group{first, proto, proto + 1, 0, 0, false, false};
    while (*from != 0 && link_of(*from).window.end <= first.start) {
      from = &link_of(*from).next;
    }
    for (bool grows = true; grows;) {
      grows = false;
      while (group.end < protos_end && window_of_proto(group.end).start < group.window.end) {
        group.window.end = max_of(group.window.end, window_of_proto(group.end).end);
        ++group.end;
      }
      for (std::uint32_t at = *from; at != 0; at = link_of(at).next) {
        Window const window = link_of(at).window;
        if (is_open(record(at)) && overlap(window, group.window)) {
          grows = grows || window.end > group.window.end;
          group.window.start =
              window.start < group.window.start ? window.start : group.window.start;
          group.window.end = max_of(group.window.end, window.end);
        }
      }
    }
    group.differs = group.end > proto + 1 || sorted.time(rows_end(proto) - 1U) != first.start;
    for (std::uint32_t at = *from; at != 0; at = link_of(at).next) {
      Window const window = link_of(at).window;
      if (!is_open(record(at))) {
        group.closed = group.closed || window == group.window;
      } else if (overlap(window, group.window)) {
        group.front = group.front == 0 ? at : group.front;
        group.exact = window == group.window ? at : group.exact;
        group.differs = group.differs || window != first;
      }
    }
    return group;
  }
  [[nodiscard]] WINDROW_HOST_DEVICE static EventTime max_of(EventTime a, EventTime b) {
    return a < b ? b : a;
  }

  WINDROW_HOST_DEVICE void merge(std::uint32_t key, MergeGroup const& group) const {
    if (group.closed) {
      bury(key, group);
      return;
    }
    std::uint32_t target = group.exact;
    if (target != 0) {
      if (group.differs) {
        merge_into_existing(target, group.window);
      }
    } else if (group.front == 0) {
      target = create(key, group.window);
    } else {
      target = merge_into_new(key, group);
    }
    for (std::uint32_t proto = group.first; proto < group.end; ++proto) {
      take_rows(target, group.window, proto);
    }
    touched[atomic_count(state.counters->touched)] = target - 1U;
  }

  // A cell that no session has, as none of its rows had come.
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t take_cell(std::uint32_t key,
                                                            Window window) const {
    std::uint32_t const cell = state.free_cell[atomic_add(state.counters->free_cells, none) - 1U];
    RecordShape::head(state.record(cell)).key = key;
    state.link(cell) = {window, 0, 0};
    return cell + 1U;
  }
  WINDROW_HOST_DEVICE void insert(std::uint32_t key, std::uint32_t link) const {
    std::uint32_t* at = &state.first_of[key];
    while (*at != 0 && link_of(*at).window < link_of(link).window) {
      at = &link_of(*at).next;
    }
    link_of(link).next = *at;
    *at = link;
  }
  WINDROW_HOST_DEVICE void unlink(std::uint32_t key, std::uint32_t link) const {
    std::uint32_t* at = &state.first_of[key];
    while (*at != link) {
      at = &link_of(*at).next;
    }
    *at = link_of(link).next;
  }
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t create(std::uint32_t key, Window window) const {
    std::uint32_t const link = take_cell(key, window);
    head(link).flags = flag_exists | flag_open;
    state.count_window(key);
    insert(key, link);
    return link;
  }

  // The rows of a proto-session go into a session: fresh, counted, held (R40, R41).
  WINDROW_HOST_DEVICE void take_rows(std::uint32_t target, Window window,
                                     std::uint32_t proto) const {
    std::uint32_t const begin = rows_begin(proto), end = rows_end(proto);
    protos.merge_into(step->cells.shape, record(target), proto, sorted.n);
    head(target).new_rows += end - begin;
    head(target).flags |= flag_fresh;
    atomic_add(state.counters->aggregated, std::uint64_t{end - begin});
    // Times ascend: the first that holds is the earliest, the last the latest.
    bool const latest = step->cells.stamp == TimestampCombiner::latest;
    for (std::uint32_t i = 0; i < end - begin; ++i) {
      EventTime const time = sorted.time(latest ? end - 1U - i : begin + i);
      if (holds(step->cells, window, time, times)) {
        combine_hold(step->cells, record(target),
                     step->cells.shape.stores_hold ? time.us : last_of(window).us);
        break;
      }
      if (latest || !step->cells.shape.stores_hold) {
        break;  // no other row does, either
      }
    }
  }

  // The interval is that of an active session, which is then the only source (9.1).
  WINDROW_HOST_DEVICE void merge_into_existing(std::uint32_t target, Window window) const {
    TriggerStateRef const trigger = step->cells.shape.trigger(record(target));
    TriggerSources source;
    source.add(step->cells.trigger, trigger);
    on_merge(step->cells.trigger, trigger, source, {times.w.us, times.p_us, window.end.us});
    if (!step->cells.shape.stores_hold) {
      std::uint32_t const held =
          last_of(window) >= times.w_out && times.w < window.end ? flag_held : 0U;  // R45
      head(target).flags = (head(target).flags & ~flag_held) | held;
    }
  }

  // The interval is new: the sources become it.
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t merge_into_new(std::uint32_t key,
                                                                 MergeGroup const& group) const {
    CellSpec const& cells = step->cells;
    TriggerSources merged;
    bool emitted = false;
    std::int64_t hold = no_hold(cells.stamp);
    bool held = false;
    for (std::uint32_t at = group.front; at != 0; at = link_of(at).next) {
      Window const window = link_of(at).window;
      if (!is_open(record(at)) || !overlap(window, group.window)) {
        continue;
      }
      merged.add(cells.trigger, cells.shape.trigger(record(at)));
      emitted =
          emitted || ((head(at).flags & flag_emitted) != 0 && window.start == group.window.start);
      std::int64_t const own = cells.shape.stores_hold ? hold_of(cells, record(at), window) : never;
      if (own != never) {
        bool const wins = cells.stamp == TimestampCombiner::latest ? own > hold : own < hold;
        hold = wins ? own : hold;
        held = true;
      }
    }
    std::uint32_t const target = create_from(key, group);
    head(target).pane = {};
    start_cell(cells, record(target));
    head(target).flags |= flag_exists | (emitted ? flag_emitted : 0U);
    on_merge(cells.trigger, cells.shape.trigger(record(target)), merged,
             {times.w.us, times.p_us, group.window.end.us});
    if (!cells.shape.stores_hold && last_of(group.window) >= times.w_out &&
        times.w < group.window.end) {  // R45
      hold = last_of(group.window).us;
      held = true;
    }
    if (held) {
      combine_hold(cells, record(target), hold);
    }
    return target;
  }

  // A session of the result's window with all that its sources had in their accumulators, and the
  // tombstones that are owed for them.
  [[nodiscard]] WINDROW_HOST_DEVICE std::uint32_t create_from(std::uint32_t key,
                                                              MergeGroup const& group) const {
    std::uint32_t const target = take_cell(key, group.window);
    state.count_window(key);
    for (std::uint32_t at = group.front, next = 0; at != 0; at = next) {
      next = link_of(at).next;
      if (is_open(record(at)) && overlap(link_of(at).window, group.window)) {
        merge_contents(step->cells.shape, record(target), record(at));
        take_away(key, at, target);
      }
    }
    insert(key, target);
    return target;
  }

  // Ends a session that is merged into `target`: its cell is free, or owes the tombstone of its
  // window, whose row no pane of the target replaces (R36).
  WINDROW_HOST_DEVICE void take_away(std::uint32_t key, std::uint32_t link,
                                     std::uint32_t target) const {
    unlink(key, link);
    state.forget_window(key);
    for (std::uint32_t node = link_of(link).pending, next = 0; node != 0; node = next) {
      next = link_of(node).next;
      owe(node, target);
    }
    bool const owed = step->tombstones && (head(link).flags & flag_emitted) != 0 &&
                      link_of(link).window.start != link_of(target).window.start;
    head(link).flags = 0;
    link_of(link).pending = 0;
    state.dirty[(link - 1U) / page_records] = 1;
    if (owed) {
      owe(link, target);
    } else {
      state.erased[atomic_count(state.counters->erased)] = link - 1U;
    }
  }
  WINDROW_HOST_DEVICE void owe(std::uint32_t node, std::uint32_t target) const {
    std::uint32_t* at = &link_of(target).pending;
    while (*at != 0 && link_of(*at).window < link_of(node).window) {
      at = &link_of(*at).next;
    }
    link_of(node).next = *at;
    *at = node;
  }

  // A merge into the interval of a closed session closes its sources with it (R62, J4).
  WINDROW_HOST_DEVICE void bury(std::uint32_t key, MergeGroup const& group) const {
    for (std::uint32_t proto = group.first; proto < group.end; ++proto) {
      buried[proto] = 1;
    }
    std::uint32_t const carrier = take_cell(key, group.window);
    head(carrier).flags = flag_buried;
    for (std::uint32_t at = group.front, next = 0; at != 0; at = next) {
      next = link_of(at).next;
      if (is_open(record(at)) && overlap(link_of(at).window, group.window)) {
        take_away(key, at, carrier);
      }
    }
    touched[atomic_count(state.counters->touched)] = carrier - 1U;
  }
};

}  // namespace windrow::gpu
