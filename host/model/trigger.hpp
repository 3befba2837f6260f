// A compiled trigger: at most 32 nodes in post-order, shared by every backend.  Rules:
// semantics.md 9.
#pragma once
#include <cstdint>

#include "host/model/time.hpp"

namespace windrow {

// Beam's twelve triggers, under their proto names.
enum class TriggerOp : std::uint8_t {
  after_all,
  after_any,
  after_each,
  after_end_of_window,
  after_processing_time,
  after_synchronized_processing_time,
  default_,
  element_count,
  never,
  or_finally,
  repeat,
  always
};

// One node.  Children stand before their parent; the subtree of node i is [i - size + 1, i].
//   parts     after_end_of_window only: the form with early and late parts (first child early; a
//             missing early part is compiled to `never` when a late part is given)
//   late      it has a late part
//   children  bit j = node j is a child, in order of j
//   slot      element_count: index of its counter; processing-time nodes: index of its deadline
//   count     element_count: n
//   transform_begin, transform_end  after_processing_time: its time transforms
struct TriggerNode {
  TriggerOp op = TriggerOp::default_;
  std::uint8_t size = 1;
  bool parts = false, late = false;
  std::uint32_t children = 0;
  std::uint8_t slot = 0;
  std::uint32_t count = 0;
  std::uint8_t transform_begin = 0, transform_end = 0;
  bool operator==(TriggerNode const&) const = default;
};

// Applied in order to the P of a pane's first row: + delay, or (period > 0) up to the next time
// that is offset (mod period), unchanged if already there.
struct TimeTransform {
  std::int64_t delay_us = 0, period_us = 0, offset_us = 0;
  bool operator==(TimeTransform const&) const = default;
};

inline constexpr std::uint32_t trigger_nodes_max = 32;
inline constexpr std::int64_t no_deadline = INT64_MAX;

// `merging`: the windows are sessions, or were before a later step (9.3).
struct TriggerProgram {
  TriggerNode node[trigger_nodes_max];
  std::uint8_t nodes = 0, counters = 0, deadlines = 0;
  bool merging = false;
  TimeTransform transform[trigger_nodes_max];
  bool operator==(TriggerProgram const&) const = default;
};

}  // namespace windrow
