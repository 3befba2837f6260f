// What the steps of the protocol are made of: the state before, and the states that may follow.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/model/protocol.hpp"

namespace windrow::model {

constexpr std::uint8_t bit(std::size_t i) { return static_cast<std::uint8_t>(1U << i); }
constexpr bool has(std::uint8_t bits, std::size_t i) { return (bits >> i & 1U) != 0; }
constexpr bool touches(Cut before, Cut after, std::size_t key) {
  return before.read(key) != after.read(key);
}

// The newest that is there and, by the rules, verifies.
[[nodiscard]] std::optional<std::size_t> newest_snapshot(State const& state, Rules const& rules);
[[nodiscard]] inline Cut content(File const& snapshot) {
  return snapshot.damaged != 0 ? Cut{} : snapshot.cut;
}

//   s_    before the step
//   p_    the slot that takes it; `slots`: none
//   out_  one entry per step and outcome
class Steps {
 public:
  Steps(State const& state, Rules const& rules, Bounds const& bounds, std::size_t slot,
        std::vector<Next>& out)
      : s_(state), rules_(rules), bounds_(bounds), p_(slot), out_(out) {}

 protected:
  Next& next(char const* what, std::size_t batch = 0) {
    out_.push_back(
        {s_, {what, static_cast<std::int8_t>(p_), -1, static_cast<std::uint8_t>(batch), 0}});
    return out_.back();
  }
  Process& me(State& n) const { return n.process[p_]; }
  [[nodiscard]] Process const& me() const { return s_.process[p_]; }
  void end(State& n) const {
    me(n) = {};
    if (n.lock_writer == p_ + 1) {
      n.lock_writer = 0;
    }
  }
  // On to the next batch that has rows to send.
  static void pass_empty(Process& process) {
    while (process.acked < process.done) {
      for (std::size_t key = 0; key < keys; ++key) {
        if (touches(process.cut[process.acked], process.cut[process.acked + 1U], key) &&
            !has(process.sent, key)) {
          return;
        }
      }
      process.cut[process.acked] = {};
      ++process.acked;
      process.sent = 0;
    }
  }
  static void sync_plans(State& n) {
    for (std::size_t b = 1; b <= batches; ++b) {
      n.plan[b].synced = n.plan[b].there;
      n.fact[b].durable = n.fact[b].durable | n.plan[b].there;
    }
  }

  State const& s_;
  Rules const& rules_;
  Bounds const& bounds_;
  std::size_t p_;
  std::vector<Next>& out_;
};

// The loop of a process: its next action.
void control(State const& state, Rules const& rules, Bounds const& bounds, std::size_t slot,
             std::vector<Next>& out);

}  // namespace windrow::model
