// What a process does, one durable step at a time.
#include <algorithm>

#include "tests/model/steps.hpp"

namespace windrow::model {
namespace {

std::size_t lowest(std::uint8_t bits) { return static_cast<std::size_t>(__builtin_ctz(bits)); }
std::size_t highest(std::uint8_t bits) {
  return static_cast<std::size_t>(31 - __builtin_clz(bits));
}
void add(Cut& cut, int a, int b) {
  cut.read0 = static_cast<std::uint8_t>(cut.read0 + a) & 3U;
  cut.read1 = static_cast<std::uint8_t>(cut.read1 + b) & 3U;
}

class Control : Steps {
 public:
  using Steps::Steps;

  // One action of the loop's thread.
  void step() {
    switch (me().at) {
      case At::off:
        return start();
      case At::read_lock: {
        State& n = next("read LOCK").state;
        me(n).epoch = n.lock_epoch;
        me(n).at = At::write_lock;
        return;
      }
      case At::write_lock: {
        State& n = next("write LOCK").state;
        me(n).epoch = static_cast<std::uint8_t>(me().epoch + (rules_.epoch_raised ? 1 : 0));
        n.lock_epoch = me(n).epoch;
        n.lock_writer = static_cast<std::uint8_t>(p_ + 1);
        me(n).at = rules_.start_removes ? At::remove_temporaries : At::load_snapshot;
        return;
      }
      case At::remove_temporaries: {
        State& n = next("remove temporaries").state;
        for (Process& process : n.process) {
          process.temporary = 0;
        }
        me(n).at = At::load_snapshot;
        return;
      }
      case At::load_snapshot:
        return load_snapshot();
      case At::load_plans:
        return load_plans();
      case At::sync_loaded: {
        State& n = next("sync the plans' directory").state;
        sync_plans(n);
        go_on(n);
        return;
      }
      case At::loop:
        plan();
        return snapshot();
      case At::plan_read_lock:
        return check("plan: read LOCK", At::plan_link);
      case At::plan_link:
        return link();
      case At::plan_sync: {
        State& n = next("plan: sync", plan_no()).state;
        sync_plans(n);
        planned_durably(n);
        return;
      }
      case At::snapshot_read_lock:
        return check("snapshot: read LOCK", At::snapshot_rename);
      case At::snapshot_rename:
        return rename();
      case At::snapshot_sync: {
        State& n = next("snapshot: sync").state;
        for (File& file : n.snapshot) {
          file.synced = file.there;
        }
        published(n);
        return;
      }
      case At::prune_read_lock:
        return check("prune: read LOCK", At::prune);
      case At::prune:
        return prune();
    }
  }

 private:
  [[nodiscard]] bool owns() const {
    return rules_.lock_names_writer ? s_.lock_writer == p_ + 1 : s_.lock_epoch == me().epoch;
  }

  void start() {
    bool const alone = s_.process[1 - p_].at == At::off;
    if (!alone && s_.take_overs == 0) {
      return;
    }
    State& n = next(alone ? "start" : "start, take over").state;
    n.take_overs = static_cast<std::uint8_t>(n.take_overs - (alone ? 0 : 1));
    me(n).at = At::read_lock;
  }

  void check(char const* what, At then) {
    if (owns()) {
      State& n = next(what).state;
      me(n).at = then;
      pass_prune(n);
    } else {
      end(next("LOCK names another: exit").state);
    }
  }

  // ---- start

  void load_snapshot() {
    std::optional<std::size_t> const found = newest_snapshot(s_, rules_);
    std::size_t const number = found.value_or(0);
    State& n = next(found ? "load the snapshot" : "no snapshot to load", number).state;
    Process& process = me(n);
    process.done = process.acked = static_cast<std::uint8_t>(number);
    process.kept = found ? bit(number) : std::uint8_t{0};
    process.cut[number] = found ? content(s_.snapshot[number]) : Cut{};
    process.last = process.cut[number].version;
    process.at = At::load_plans;
  }

  void load_plans() {
    Process process = me();
    std::size_t above = process.done;
    for (std::size_t b = process.done + 1U; b <= batches; ++b) {
      above = s_.plan[b].there != 0 ? b : above;
    }
    for (std::size_t b = process.done + 1U; b <= above; ++b) {
      if (s_.plan[b].there == 0) {
        Next& n = next("a plan is missing: stop", b);
        n.broken = s_.lock_writer == p_ + 1 ? Broken::plan_missing : Broken::none;
        end(n.state);
        return;
      }
      process.cut[b] = s_.plan[b].cut;
    }
    std::size_t const first = process.done + 1U;
    process.done = static_cast<std::uint8_t>(above);
    if (rules_.last_from_plans && above >= first) {
      process.last = process.cut[above].version;
    }
    process.at = rules_.start_syncs && above >= first ? At::sync_loaded : At::loop;
    if (above < first || (rules_.version_recorded && rules_.ranges_recorded)) {
      return loaded(process);
    }
    if (!rules_.version_recorded) {
      for (std::uint8_t now = 1; now <= bounds_.clock; ++now) {
        Process other = process;
        other.last = other.cut[first - 1].version;
        for (std::size_t b = first; b <= above; ++b) {
          other.last = std::max<std::uint8_t>(static_cast<std::uint8_t>(other.last + 1), now);
          other.cut[b].version = other.last & 15U;
        }
        loaded(other);
      }
    }
    if (!rules_.ranges_recorded) {  // all that the first poll gives; the next ones find nothing
      polls(process.cut[first - 1], [&](int a, int b) {
        Process other = process;
        Cut cut = process.cut[first - 1];
        add(cut, a, b);
        for (std::size_t i = first; i <= above; ++i) {
          cut.version = process.cut[i].version;
          other.cut[i] = cut;
        }
        loaded(other);
      });
    }
  }
  void loaded(Process const& process) {
    State& n = next("load the plans", process.done).state;
    me(n) = process;
    if (process.at == At::loop) {
      go_on(n);
    }
  }
  // At the very beginning the first snapshot is made before the first plan.
  void go_on(State& n) const {
    Process& process = me(n);
    process.at = At::loop;
    pass_empty(process);
    if (process.kept == 0 && process.done == 0) {
      process.temporary = 1;
      process.next = process.cut[0];
      process.at = rules_.publish_reads_lock ? At::snapshot_read_lock : At::snapshot_rename;
    }
  }

  // ---- plans

  // Calls `take(a, b)` for every non-empty number of records that a poll may give.
  template <class Take>
  void polls(Cut from, Take const& take) const {
    for (int a = 0; a <= bounds_.records[0] - from.read0; ++a) {
      for (int b = a == 0 ? 1 : 0; b <= bounds_.records[1] - from.read1; ++b) {
        take(a, b);
      }
    }
  }
  // The number of the plan that is being made.
  [[nodiscard]] std::size_t plan_no() const {
    return me().done + (rules_.plan_before_effect ? 1U : 0U);
  }

  void plan() {
    if (me().done == batches) {
      return;
    }
    polls(me().cut[me().done], [&](int a, int b) {
      std::uint8_t before = 0;
      for (std::uint8_t now = 1; now <= bounds_.clock; ++now) {
        std::uint8_t const version = rules_.version_above_last
                                         ? std::max(static_cast<std::uint8_t>(me().last + 1), now)
                                         : now;
        if (version == before) {
          continue;
        }
        before = version;
        Next& n = next("plan: temporary", me().done + 1U);
        n.step.version = version;
        Process& process = me(n.state);
        process.next = me().cut[me().done];
        add(process.next, a, b);
        process.next.version = version & 15U;
        process.temporary = 1;
        process.at = rules_.create_reads_lock ? At::plan_read_lock : At::plan_link;
        if (!rules_.plan_before_effect) {
          run(process);
        }
      }
    });
  }
  // The plan is run: its rows wait for the sink.
  static void run(Process& process) {
    ++process.done;
    process.cut[process.done] = process.next;
    process.last = process.next.version;
  }

  void link() {
    std::size_t const b = plan_no();
    if (me().temporary == 0) {
      end(next("plan: the temporary is gone: exit", b).state);
      return;
    }
    File const& there = s_.plan[b];
    if (there.there != 0 && rules_.create_exclusive) {
      if (there.epoch > me().epoch) {
        end(next("plan: made under a higher epoch: exit", b).state);
        return;
      }
      Next& n = next("plan: made by another: start anew", b);
      n.broken = s_.lock_writer == p_ + 1 ? Broken::none : Broken::fenced_goes_on;
      end(n.state);
      me(n.state).at = At::read_lock;
      return;
    }
    Next& n = next("plan: link", b);
    n.step.version = me().next.version;
    n.state.plan[b] = {1, 0, 0, 0, static_cast<std::uint8_t>(me().epoch & 15U), me().next};
    Fact& fact = n.state.fact[b];
    if (fact.planned != 0) {
      n.broken = Broken::planned_twice;
    } else {
      fact = {1, 0, fact.effect, 0, me().next};
    }
    me(n.state).temporary = 0;
    me(n.state).at = At::plan_sync;
    if (!rules_.plan_synced) {
      planned_durably(n.state);
    }
  }
  void planned_durably(State& n) const {
    Process& process = me(n);
    process.at = At::loop;
    if (rules_.plan_before_effect) {
      run(process);
    }
    process.next = {};
  }

  // ---- snapshots

  void snapshot() {
    Process const& process = me();
    bool const news = process.kept == 0 || highest(process.kept) != process.done;
    if (!news || (process.acked < process.done && rules_.acked_before_publish)) {
      return;
    }
    State& n = next("snapshot: temporary", process.done).state;
    me(n).temporary = 1;
    me(n).next = process.cut[process.done];
    me(n).at = rules_.publish_reads_lock ? At::snapshot_read_lock : At::snapshot_rename;
  }
  [[nodiscard]] std::size_t snapshot_no() const {
    return std::min<std::size_t>(me().done + (rules_.numbered_by_last_plan ? 0U : 1U), batches);
  }
  void rename() {
    if (me().temporary == 0) {
      end(next("snapshot: the temporary is gone: exit").state);
      return;
    }
    State& n = next("snapshot: rename", snapshot_no()).state;
    n.snapshot[snapshot_no()] = {1, 0, 0, 0, 0, me().next};
    me(n).temporary = 0;
    me(n).next = {};
    me(n).at = At::snapshot_sync;
    if (!rules_.publish_synced) {
      published(n);
    }
  }
  void published(State& n) const {
    Process& process = me(n);
    std::size_t const kept_max = rules_.keeps_two ? 2 : 1;
    process.kept = process.kept | bit(snapshot_no());
    while (static_cast<std::size_t>(__builtin_popcount(process.kept)) > kept_max) {
      process.kept = static_cast<std::uint8_t>(process.kept & (process.kept - 1));
    }
    bool const full = static_cast<std::size_t>(__builtin_popcount(process.kept)) == kept_max;
    process.at = !full ? At::loop : rules_.prune_reads_lock ? At::prune_read_lock : At::prune;
    pass_prune(n);
  }

  [[nodiscard]] File* to_prune(State& n, std::size_t& number) const {
    std::uint8_t const kept = me(n).kept;
    for (number = 0; number < highest(kept); ++number) {
      if (n.snapshot[number].there != 0 && !has(kept, number)) {
        return &n.snapshot[number];
      }
    }
    std::size_t const up_to = rules_.prunes_to_oldest ? lowest(kept) : highest(kept);
    for (number = 1; number <= up_to; ++number) {
      if (n.plan[number].there != 0) {
        return &n.plan[number];
      }
    }
    return nullptr;
  }
  void pass_prune(State& n) const {
    std::size_t number = 0;
    if (me(n).at == At::prune && to_prune(n, number) == nullptr) {
      me(n).at = At::loop;
    }
  }
  void prune() {
    Next& n = next("prune");
    std::size_t number = 0;
    if (File* const file = to_prune(n.state, number)) {
      n.step.what = file >= n.state.snapshot.data() ? "prune a snapshot" : "prune a plan";
      n.step.batch = static_cast<std::uint8_t>(number);
      *file = {};
    }
    pass_prune(n.state);
  }
};

}  // namespace

void control(State const& state, Rules const& rules, Bounds const& bounds, std::size_t slot,
             std::vector<Next>& out) {
  Control(state, rules, bounds, slot, out).step();
}

}  // namespace windrow::model
