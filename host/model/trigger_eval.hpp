// How a trigger program runs on the state of one (key, window): rows reach it, it is asked, it
// fires (states merge in trigger_merge.hpp).  Asking never changes state.  Rules: semantics.md
// 9.1-9.3.
#pragma once
#include <cstdint>

#include "host/model/trigger.hpp"

namespace windrow {

// W, P and the window's end, as of the phase; in a merge `window_end_us` is the result's end.
struct FiringClock {
  std::int64_t watermark_us, processing_time_us, window_end_us;
  [[nodiscard]] WINDROW_HOST_DEVICE constexpr bool ended() const noexcept {
    return watermark_us >= window_end_us;
  }
};

// Bits of `TriggerStateRef::flags`.
//   open     the trigger has not finished
//   armed    a row or a merge reached an end-of-window node while W < e (R17)
//   emitted  a row with the window's start is out (R36)
//   fresh    a row came since the previous pane
//   held     there is an element hold (R40)
//   exists   there is such a (key, window): of backends whose records lie ready
inline constexpr std::uint32_t flag_open = 1, flag_armed = 2, flag_emitted = 4, flag_fresh = 8,
                               flag_held = 16, flag_exists = 32;

// Borrows the trigger state of one (key, window).
//   finished  bit i = node i has finished; null in a program that needs no bits
//   counter   [program.counters], saturating;  deadline  [program.deadlines], none = no_deadline
struct TriggerStateRef {
  std::uint32_t* finished;
  std::uint32_t* flags;
  std::uint32_t* counter;
  std::int64_t* deadline;
};

// A plain `default` keeps nothing but its flags.
WINDROW_HOST_DEVICE constexpr bool needs_bits(TriggerProgram const& program) noexcept {
  return program.nodes > 1 || program.node[0].op != TriggerOp::default_;
}
WINDROW_HOST_DEVICE constexpr bool has_finished(TriggerProgram const& program,
                                                TriggerStateRef state) noexcept {
  return needs_bits(program) && ((*state.finished >> (program.nodes - 1U)) & 1U) != 0;
}

// Next time that is offset (mod period), `us` itself if it is one already; delay added, saturating.
WINDROW_HOST_DEVICE constexpr std::int64_t apply(TimeTransform const& transform,
                                                 std::int64_t us) noexcept {
  if (transform.period_us <= 0) {
    return saturating_add(us, transform.delay_us);
  }
  std::int64_t const period = transform.period_us;
  std::int64_t const behind =
      floor_mod(floor_mod(transform.offset_us, period) - floor_mod(us, period), period);
  return saturating_add(us, behind);
}

WINDROW_HOST_DEVICE constexpr std::int64_t deadline_from(TriggerProgram const& program,
                                                         TriggerNode const& node,
                                                         std::int64_t now_us) noexcept {
  for (std::uint32_t i = node.transform_begin; i < node.transform_end; ++i) {
    now_us = apply(program.transform[i], now_us);
  }
  return now_us == no_deadline ? no_deadline - 1 : now_us;
}

namespace trigger_detail {

WINDROW_HOST_DEVICE constexpr std::uint32_t subtree(TriggerProgram const& program,
                                                    std::uint32_t i) noexcept {
  std::uint32_t const below = i + 1U >= 32U ? UINT32_MAX : (1U << (i + 1U)) - 1U;
  return below & ~((1U << (i + 1U - program.node[i].size)) - 1U);
}
WINDROW_HOST_DEVICE constexpr std::uint32_t bit(std::uint32_t i) noexcept { return 1U << i; }
WINDROW_HOST_DEVICE constexpr std::uint32_t lowest(std::uint32_t mask) noexcept {
  std::uint32_t i = 0;
  while (((mask >> i) & 1U) == 0) {
    ++i;
  }
  return i;
}
// First (early) and second (late, finally) child of a node that has them.
WINDROW_HOST_DEVICE constexpr std::uint32_t first_child(TriggerNode const& node) noexcept {
  return lowest(node.children);
}
WINDROW_HOST_DEVICE constexpr std::uint32_t second_child(TriggerNode const& node) noexcept {
  return lowest(node.children & (node.children - 1U));
}
WINDROW_HOST_DEVICE constexpr bool has_deadline(TriggerOp op) noexcept {
  return op == TriggerOp::after_processing_time ||
         op == TriggerOp::after_synchronized_processing_time;
}
// Counters 0 and deadlines none in the subtree of node i; bits stay.
WINDROW_HOST_DEVICE constexpr void clear(TriggerProgram const& program, TriggerStateRef state,
                                         std::uint32_t i) noexcept {
  for (std::uint32_t j = i + 1U - program.node[i].size; j <= i; ++j) {
    TriggerNode const& node = program.node[j];
    if (node.op == TriggerOp::element_count) {
      state.counter[node.slot] = 0;
    }
    if (has_deadline(node.op)) {
      state.deadline[node.slot] = no_deadline;
    }
  }
}
WINDROW_HOST_DEVICE constexpr void reset(TriggerProgram const& program, TriggerStateRef state,
                                         std::uint32_t i) noexcept {
  clear(program, state, i);
  *state.finished &= ~subtree(program, i);
}
// A part that has finished starts over, one that has not keeps its bits (R50, X50).
WINDROW_HOST_DEVICE constexpr void again(TriggerProgram const& program, TriggerStateRef state,
                                         std::uint32_t i) noexcept {
  if ((*state.finished & bit(i)) != 0) {
    *state.finished &= ~subtree(program, i);
  }
  clear(program, state, i);
}

}  // namespace trigger_detail

// The state of a (key, window) that no row has reached.
WINDROW_HOST_DEVICE constexpr void start(TriggerProgram const& program,
                                         TriggerStateRef state) noexcept {
  *state.flags = flag_open;
  if (needs_bits(program)) {
    *state.finished = 0;
  }
  for (std::uint32_t i = 0; i < program.counters; ++i) {
    state.counter[i] = 0;
  }
  for (std::uint32_t i = 0; i < program.deadlines; ++i) {
    state.deadline[i] = no_deadline;
  }
}

// `rows` accepted rows reach the trigger; equals as many calls with one row.  Requires it to be
// open.
WINDROW_HOST_DEVICE constexpr void on_elements(TriggerProgram const& program, TriggerStateRef state,
                                               FiringClock const& now,
                                               std::uint32_t rows) noexcept {
  using namespace trigger_detail;
  if (rows == 0) {
    return;
  }
  std::uint32_t const finished = needs_bits(program) ? *state.finished : 0;
  std::uint32_t reached = bit(program.nodes - 1U);
  for (std::uint32_t i = program.nodes; i-- > 0;) {  // parents before children
    if ((reached & bit(i)) == 0) {
      continue;
    }
    TriggerNode const& node = program.node[i];
    switch (node.op) {
      case TriggerOp::default_:
      case TriggerOp::after_end_of_window:
        if (!now.ended()) {
          *state.flags |= flag_armed;
        }
        if (node.parts && program.merging) {
          reached |= node.children;
        }
        if (node.parts && !program.merging) {
          std::uint32_t const early = first_child(node);
          if ((finished & bit(early)) == 0) {
            reached |= bit(early);
          } else if (node.late) {
            reached |= bit(second_child(node));
          }
        }
        break;
      case TriggerOp::element_count: {
        std::uint32_t& counter = state.counter[node.slot];
        counter = counter > UINT32_MAX - rows ? UINT32_MAX : counter + rows;
        break;
      }
      case TriggerOp::after_processing_time:
      case TriggerOp::after_synchronized_processing_time:
        if (state.deadline[node.slot] == no_deadline) {
          state.deadline[node.slot] = deadline_from(program, node, now.processing_time_us);
        }
        break;
      case TriggerOp::after_all:
        reached |= node.children & ~finished;
        break;
      case TriggerOp::after_each: {
        std::uint32_t const left = node.children & ~finished;
        if (program.merging) {
          reached |= node.children;
        } else if (left != 0) {
          reached |= bit(lowest(left));
        }
        break;
      }
      case TriggerOp::after_any:
      case TriggerOp::or_finally:
      case TriggerOp::repeat:
        reached |= node.children;
        break;
      case TriggerOp::never:
      case TriggerOp::always:
        break;
    }
  }
}

// Would this node fire now?  `ready` holds the answers of the nodes before it.
[[nodiscard]] WINDROW_HOST_DEVICE constexpr bool is_ready(TriggerNode const& node,
                                                          TriggerStateRef state,
                                                          FiringClock const& now,
                                                          std::uint32_t finished,
                                                          std::uint32_t ready) noexcept {
  using namespace trigger_detail;
  switch (node.op) {
    case TriggerOp::default_:
      return now.ended();
    case TriggerOp::after_end_of_window: {
      if (!node.parts) {
        return now.ended();
      }
      std::uint32_t const early = bit(first_child(node));
      if ((finished & early) == 0) {
        return (ready & early) != 0 || now.ended();
      }
      return node.late && (ready & bit(second_child(node))) != 0;
    }
    case TriggerOp::element_count:
      return state.counter[node.slot] >= node.count;
    case TriggerOp::after_processing_time:  // Strict, as in Beam's Java; no deadline is INT64_MAX.
      return now.processing_time_us > state.deadline[node.slot];
    case TriggerOp::after_synchronized_processing_time:
      return state.deadline[node.slot] != no_deadline;
    case TriggerOp::after_any:
      return ((ready | finished) & node.children) != 0;
    case TriggerOp::after_all:
      return ((ready | finished) & node.children) == node.children;
    case TriggerOp::after_each: {
      std::uint32_t const left = node.children & ~finished;
      return left != 0 && (ready & bit(lowest(left))) != 0;
    }
    case TriggerOp::or_finally:
    case TriggerOp::repeat:
      return (ready & node.children) != 0;
    case TriggerOp::never:
      return false;
    case TriggerOp::always:
      return true;
  }
  return false;
}

// Which nodes would fire now?  Children are answered before their parent; the root is the last
// node.
[[nodiscard]] WINDROW_HOST_DEVICE constexpr std::uint32_t ready_nodes(
    TriggerProgram const& program, TriggerStateRef state, FiringClock const& now) noexcept {
  std::uint32_t const finished = needs_bits(program) ? *state.finished : 0;
  std::uint32_t ready = 0;
  for (std::uint32_t i = 0; i < program.nodes; ++i) {
    if (is_ready(program.node[i], state, now, finished, ready)) {
      ready |= 1U << i;
    }
  }
  return ready;
}
WINDROW_HOST_DEVICE constexpr bool root_is_ready(TriggerProgram const& program,
                                                 std::uint32_t ready) noexcept {
  return ((ready >> (program.nodes - 1U)) & 1U) != 0;
}

// The trigger fires: changes state, once, with the mask that said yes.
WINDROW_HOST_DEVICE constexpr void on_fire(TriggerProgram const& program, TriggerStateRef state,
                                           FiringClock const& now, std::uint32_t ready) noexcept {
  using namespace trigger_detail;
  if (!needs_bits(program)) {
    return;
  }
  std::uint32_t const before = *state.finished;
  std::uint32_t fired = bit(program.nodes - 1U);
  for (std::uint32_t i = program.nodes; i-- > 0;) {  // down: who fires, who is cleared
    if ((fired & bit(i)) == 0) {
      continue;
    }
    TriggerNode const& node = program.node[i];
    switch (node.op) {
      case TriggerOp::after_end_of_window:
        if (!node.parts) {
          break;
        }
        if ((before & bit(first_child(node))) != 0) {
          fired |= bit(second_child(node));
        } else if (!now.ended() || (ready & bit(first_child(node))) != 0) {
          fired |= bit(first_child(node));
        }
        break;
      case TriggerOp::after_any:
        fired |= node.children & ready;
        for (std::uint32_t j = 0; j < i; ++j) {
          if ((node.children & ~ready & bit(j)) != 0) {
            clear(program, state, j);
          }
        }
        break;
      case TriggerOp::after_all:
        fired |= node.children & ~before;
        break;
      case TriggerOp::after_each:
        fired |= bit(lowest(node.children & ~before));
        break;
      case TriggerOp::or_finally:
        if ((ready & bit(second_child(node))) != 0) {
          fired |= bit(second_child(node));
          clear(program, state, first_child(node));
        } else {
          fired |= bit(first_child(node));
        }
        break;
      case TriggerOp::repeat:
        fired |= node.children;
        break;
      default:
        break;
    }
  }
  for (std::uint32_t i = 0; i < program.nodes; ++i) {  // up: who has finished
    if ((fired & bit(i)) == 0) {
      continue;
    }
    TriggerNode const& node = program.node[i];
    std::uint32_t& finished = *state.finished;
    switch (node.op) {
      case TriggerOp::element_count:
        state.counter[node.slot] = 0;
        finished |= bit(i);
        break;
      case TriggerOp::after_processing_time:
      case TriggerOp::after_synchronized_processing_time:
        state.deadline[node.slot] = no_deadline;
        finished |= bit(i);
        break;
      case TriggerOp::after_end_of_window: {
        if (!node.parts) {
          finished |= bit(i);
          break;
        }
        std::uint32_t const early = first_child(node);
        if ((before & bit(early)) != 0) {
          again(program, state, second_child(node));
        } else {
          again(program, state, early);
          if (now.ended()) {
            finished |= bit(early);
            if (node.late) {
              clear(program, state, second_child(node));
            } else {
              finished |= bit(i);
            }
          }
        }
        break;
      }
      case TriggerOp::after_any:
      case TriggerOp::after_all:
        finished |= bit(i);
        break;
      case TriggerOp::after_each:
        if (program.merging) {
          clear(program, state, i);
        }
        if ((node.children & ~finished) == 0) {
          finished |= bit(i);
        }
        break;
      case TriggerOp::or_finally:
        if ((node.children & finished) != 0) {
          finished |= bit(i);
        }
        break;
      case TriggerOp::repeat:
        if ((node.children & finished) != 0) {
          reset(program, state, first_child(node));
        }
        break;
      default:
        break;
    }
  }
}

}  // namespace windrow
