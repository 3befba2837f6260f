// What reaches the sink, and what the world does to it, to files and to processes.
#include "tests/model/steps.hpp"

namespace windrow::model {
namespace {

class World : Steps {
 public:
  using Steps::Steps;

  void kill() {
    State& n = next("kill").state;
    --n.crashes;
    end(n);
  }
  // The thread of the sink, one row.
  void write() {
    std::size_t const b = me().acked + 1U;
    if (b > me().done) {
      return;
    }
    Cut const before = me().cut[b - 1];
    Cut const after = me().cut[b];
    for (std::size_t key = 0; key < keys; ++key) {
      if (!touches(before, after, key) || has(me().sent, key)) {
        continue;
      }
      auto const count = static_cast<std::uint8_t>(after.read(key));
      Row const row{static_cast<std::uint8_t>(count & 15U), after.version};
      {
        Next& n = leave("write a row", b, key);
        arrive(n, key, row);
        Process& process = me(n.state);
        process.sent = process.sent | bit(key);
        pass_empty(process);
      }
      arrive(leave("write a row, the answer is lost", b, key), key, row);
      if (s_.torn_rows > 0) {
        Next& n = leave("the sink stops within a row", b, key);
        --n.state.torn_rows;
        if (accepts(n.state.row[key], row)) {
          n.state.row[key].version = row.version;
        }
      }
      if (s_.late_requests > 0) {
        stay(leave("a request stays in the network", b, key), key, row);
      }
      if (!rules_.coalesced && count > before.read(key) + 1) {
        Row const earlier{static_cast<std::uint8_t>((count - 1) & 15U), after.version};
        arrive(leave("write an earlier pane of the row", b, key), key, earlier);
        if (s_.late_requests > 0) {
          stay(leave("the earlier pane stays in the network", b, key), key, earlier);
        }
      }
    }
  }
  // What no process does.
  void happen() {
    if (s_.late_key > 0) {
      Next& n = next("the request arrives");
      n.step.key = static_cast<std::int8_t>(s_.late_key - 1);
      n.step.version = s_.late.version;
      arrive(n, s_.late_key - 1U, s_.late);
      n.state.late_key = 0;
      n.state.late = {};
    }
    for (std::size_t number = 0; s_.damages > 0 && number <= batches; ++number) {
      if (s_.snapshot[number].there != 0) {
        State& n = next("damage a snapshot", number).state;
        n.snapshot[number].damaged = 1;
        --n.damages;
      }
    }
    if (s_.crashes > 0 && (s_.process[0].at != At::off || s_.process[1].at != At::off)) {
      power_loss();
    }
  }

 private:
  // Something of a batch leaves the process.
  Next& leave(char const* what, std::size_t b, std::size_t key) {
    Next& n = next(what, b);
    n.step.key = static_cast<std::int8_t>(key);
    n.step.version = me().cut[b].version;
    Fact& fact = n.state.fact[b];
    if (fact.planned == 0 || fact.durable == 0 || fact.cut != me().cut[b]) {
      n.broken = Broken::effect_without_plan;
    }
    fact.effect = 1;
    return n;
  }
  static void stay(Next& n, std::size_t key, Row row) {
    --n.state.late_requests;
    n.state.late_key = static_cast<std::uint8_t>(key + 1);
    n.state.late = row;
  }
  [[nodiscard]] bool accepts(Row stored, Row row) const {
    return !rules_.guarded || row.version > stored.version ||
           (row.version == stored.version && rules_.equal_replaces);
  }
  void arrive(Next& n, std::size_t key, Row row) const {
    Row& stored = n.state.row[key];
    if (!accepts(stored, row)) {
      return;  // superseded: a success
    }
    if (row.version < stored.version) {
      n.broken = Broken::version_back;
    } else if (row.count < stored.count) {
      n.broken = Broken::count_back;
    }
    stored = row;
  }
  // Every set of the names that are not synced may be gone.
  void power_loss() {
    std::uint8_t loose = 0;
    for (std::size_t i = 0; i <= batches; ++i) {
      bool const plan = s_.plan[i].there != 0 && s_.plan[i].synced == 0;
      bool const snapshot = s_.snapshot[i].there != 0 && s_.snapshot[i].synced == 0;
      loose = static_cast<std::uint8_t>(loose | (plan ? bit(i) : 0) |
                                        (snapshot ? bit(i + batches + 1) : 0));
    }
    for (std::uint8_t gone = loose;; gone = static_cast<std::uint8_t>((gone - 1) & loose)) {
      State& n = next(gone != 0 ? "power loss, unsynced names are gone" : "power loss").state;
      --n.crashes;
      n.process = {};
      n.lock_writer = 0;
      for (std::size_t i = 0; i <= batches; ++i) {
        if (has(gone, i)) {
          n.plan[i] = {};
          n.fact[i] = n.fact[i].effect != 0 ? n.fact[i] : Fact{};
        }
        if (has(gone, i + batches + 1)) {
          n.snapshot[i] = {};
        }
        n.snapshot[i].synced = n.snapshot[i].there;
      }
      sync_plans(n);
      if (gone == 0) {
        return;
      }
    }
  }
};

}  // namespace

void successors(State const& state, Rules const& rules, Bounds const& bounds,
                std::vector<Next>& out) {
  out.clear();
  for (std::size_t slot = 0; slot < slots; ++slot) {
    control(state, rules, bounds, slot, out);
    World world(state, rules, bounds, slot, out);
    if (state.process[slot].at >= At::loop) {
      world.write();
    }
    if (state.process[slot].at != At::off && state.crashes > 0) {
      world.kill();
    }
  }
  World(state, rules, bounds, slots, out).happen();
}

}  // namespace windrow::model
