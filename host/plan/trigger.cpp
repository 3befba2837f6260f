// Triggers as written: their compiled form, what flows on to the next step, and which of them
// finish.
#include <algorithm>
#include <utility>

#include "host/model/portable.hpp"
#include "host/plan/windowing.hpp"

namespace windrow {
namespace {

bool has_implied_never(Trigger const& trigger) {
  return trigger.op == TriggerOp::after_end_of_window && trigger.has_late && !trigger.has_early;
}

// Appends the nodes of one tree in post-order and hands out counters, deadlines and transforms.
class Compiler {
 public:
  explicit Compiler(TriggerProgram& program) : program_(program) {}

  // Returns the index of the tree's root.
  std::uint32_t add(Trigger const& trigger) {
    std::uint32_t const begin = program_.nodes;
    TriggerNode node;
    node.op = trigger.op;
    if (has_implied_never(trigger)) {
      node.children |= 1U << add(Trigger{TriggerOp::never});
    }
    for (Trigger const& child : trigger.children) {
      node.children |= 1U << add(child);
    }
    switch (trigger.op) {
      case TriggerOp::after_end_of_window:
        node.parts = trigger.has_early || trigger.has_late;
        node.late = trigger.has_late;
        break;
      case TriggerOp::element_count:
        node.count = trigger.count;
        node.slot = program_.counters++;
        break;
      case TriggerOp::after_processing_time:
        node.slot = program_.deadlines++;
        node.transform_begin = transforms_;
        for (TimeTransform const& transform : trigger.transforms) {
          WINDROW_ASSERT(transforms_ < trigger_nodes_max, "a trigger has at most 32 transforms");
          program_.transform[transforms_++] = transform;
        }
        node.transform_end = transforms_;
        break;
      case TriggerOp::after_synchronized_processing_time:
        node.slot = program_.deadlines++;
        break;
      default:
        break;
    }
    WINDROW_ASSERT(program_.nodes < trigger_nodes_max, "a trigger has at most 32 nodes");
    node.size = static_cast<std::uint8_t>(program_.nodes - begin + 1U);
    program_.node[program_.nodes] = node;
    return program_.nodes++;
  }

 private:
  TriggerProgram& program_;
  std::uint8_t transforms_ = 0;
};

}  // namespace

std::size_t node_count(Trigger const& trigger) {
  std::size_t nodes = has_implied_never(trigger) ? 2 : 1;
  for (Trigger const& child : trigger.children) {
    nodes += node_count(child);
  }
  return nodes;
}

std::size_t transform_count(Trigger const& trigger) {
  std::size_t transforms = trigger.transforms.size();
  for (Trigger const& child : trigger.children) {
    transforms += transform_count(child);
  }
  return transforms;
}

TriggerProgram compile(Trigger const& trigger, bool merging) {
  TriggerProgram program{};
  program.merging = merging;
  Compiler{program}.add(trigger);
  return program;
}

Trigger continuation(Trigger const& trigger) {
  Trigger out = trigger;
  for (Trigger& child : out.children) {
    child = continuation(child);
  }
  switch (trigger.op) {
    case TriggerOp::element_count:
      out.count = 1;
      return out;
    case TriggerOp::after_processing_time:
      return Trigger{TriggerOp::after_synchronized_processing_time};
    case TriggerOp::after_each:
      out.op = TriggerOp::after_any;
      return Trigger{.op = TriggerOp::repeat, .children = {std::move(out)}};
    case TriggerOp::or_finally:
      return Trigger{.op = TriggerOp::repeat, .children = {std::move(out)}};
    default:
      return out;
  }
}

bool may_finish(Trigger const& trigger) {
  switch (trigger.op) {
    case TriggerOp::default_:
    case TriggerOp::never:
    case TriggerOp::always:
    case TriggerOp::repeat:
      return false;
    case TriggerOp::after_end_of_window:
      return !trigger.has_late;
    case TriggerOp::after_each:
      return std::all_of(trigger.children.begin(), trigger.children.end(), may_finish);
    case TriggerOp::or_finally:
      return std::any_of(trigger.children.begin(), trigger.children.end(), may_finish);
    default:
      return true;
  }
}

bool is_safe(Trigger const& trigger, Duration lateness) {
  return !may_finish(trigger) || (trigger.op == TriggerOp::after_end_of_window && lateness.us == 0);
}

bool many_panes(Windowing const& windowing) {
  return windowing.trigger.op != TriggerOp::default_ ||
         (windowing.lateness.us > 0 && windowing.windows.kind != WindowKind::global);
}

}  // namespace windrow
