// How the trigger states of merging windows become one.  Rules: semantics.md 9.1-9.3.
#pragma once
#include "host/model/trigger_eval.hpp"

namespace windrow {

// What a merge needs of its sources, gathered one by one, so that a source may also be the result.
struct TriggerSources {
  std::uint32_t count = 0, finished_any = 0, finished_all = UINT32_MAX;
  std::uint32_t counter[trigger_nodes_max] = {};
  std::int64_t deadline[trigger_nodes_max] = {};

  WINDROW_HOST_DEVICE constexpr void add(TriggerProgram const& program,
                                         TriggerStateRef source) noexcept {
    std::uint32_t const finished = needs_bits(program) ? *source.finished : 0;
    finished_any |= finished;
    finished_all &= finished;
    for (std::uint32_t i = 0; i < program.counters; ++i) {
      std::uint32_t const room = UINT32_MAX - counter[i];
      counter[i] += source.counter[i] > room ? room : source.counter[i];
    }
    for (std::uint32_t i = 0; i < program.deadlines; ++i) {
      std::int64_t const held = count == 0 ? no_deadline : deadline[i];
      deadline[i] = source.deadline[i] < held ? source.deadline[i] : held;
    }
    ++count;
  }
};

// The trigger state of a merge's result out of its sources, the active windows of the merge set.
// `result` holds what the interval already has: its own state if it is an active window, else
// `start`. Requires at least one source.  Arms the result.
WINDROW_HOST_DEVICE constexpr void on_merge(TriggerProgram const& program, TriggerStateRef result,
                                            TriggerSources const& sources,
                                            FiringClock const& now) noexcept {
  using namespace trigger_detail;
  std::uint32_t const bits_before = needs_bits(program) ? *result.finished : 0;
  std::uint32_t counter_before[trigger_nodes_max] = {};
  std::int64_t deadline_before[trigger_nodes_max] = {};
  for (std::uint32_t i = 0; i < program.counters; ++i) {
    counter_before[i] = result.counter[i];
  }
  for (std::uint32_t i = 0; i < program.deadlines; ++i) {
    deadline_before[i] = result.deadline[i];
  }
  std::uint32_t finished = bits_before;
  std::uint32_t unreached = 0;  // nodes that their parents do not merge
  // Up: every node merges as if its parent asked for it; a parent that does not ask undoes it.
  for (std::uint32_t i = 0; i < program.nodes; ++i) {
    TriggerNode const& node = program.node[i];
    std::uint32_t const self = bit(i);
    switch (node.op) {
      case TriggerOp::default_:
        break;
      case TriggerOp::element_count:
        if ((sources.finished_any & self) != 0) {
          finished |= self;
          result.counter[node.slot] = 0;
        } else {
          finished &= ~self;
          result.counter[node.slot] = sources.counter[node.slot];
        }
        break;
      case TriggerOp::after_processing_time:
      case TriggerOp::after_synchronized_processing_time:
        result.deadline[node.slot] =
            (bits_before & self) != 0 ? no_deadline : sources.deadline[node.slot];
        break;
      case TriggerOp::after_end_of_window: {
        if (!node.parts) {
          finished &= ~self;
          if ((sources.finished_all & self) != 0 && now.ended()) {
            finished |= self;
          }
          break;
        }
        std::uint32_t const early = first_child(node);
        if (!now.ended() || (sources.finished_all & bit(early)) == 0) {  // rewind (R61)
          finished &= ~bit(early);
          if (node.late) {
            finished &= ~subtree(program, second_child(node));
            clear(program, result, second_child(node));
          }
        } else {
          std::uint32_t const skipped = subtree(program, early);
          finished = (finished & ~skipped) | (bits_before & skipped) | bit(early);
          unreached |= skipped;
          for (std::uint32_t j = early + 1U - program.node[early].size; j <= early; ++j) {
            TriggerNode const& inner = program.node[j];
            if (inner.op == TriggerOp::element_count) {
              result.counter[inner.slot] = counter_before[inner.slot];
            }
            if (has_deadline(inner.op)) {
              result.deadline[inner.slot] = deadline_before[inner.slot];
            }
          }
        }
        break;
      }
      case TriggerOp::after_any:
      case TriggerOp::or_finally:
        finished = (finished & node.children) != 0 ? finished | self : finished & ~self;
        break;
      case TriggerOp::after_all:
        finished = (finished & node.children) == node.children ? finished | self : finished & ~self;
        break;
      case TriggerOp::after_each: {
        bool all_before_finished = true;
        for (std::uint32_t j = 0; j < i; ++j) {
          if ((node.children & bit(j)) == 0) {
            continue;
          }
          if (!all_before_finished) {
            std::uint32_t const rest = subtree(program, j);
            finished = (finished & ~rest) | (bits_before & rest);
            unreached |= rest;
            clear(program, result, j);
          }
          all_before_finished = all_before_finished && (finished & bit(j)) != 0;
        }
        finished = (finished & node.children) == node.children ? finished | self : finished & ~self;
        break;
      }
      case TriggerOp::repeat:
      case TriggerOp::never:
      case TriggerOp::always:
        break;
    }
  }
  if (needs_bits(program)) {
    *result.finished = finished;
  }
  for (std::uint32_t i = 0; i < program.nodes && !now.ended(); ++i) {
    bool const arms = program.node[i].op == TriggerOp::default_ ||
                      program.node[i].op == TriggerOp::after_end_of_window;
    if (arms && (unreached & bit(i)) == 0) {
      *result.flags |= flag_armed;
    }
  }
}

}  // namespace windrow
