// The exactly-once protocol of connectors.md 1 as a machine small enough to visit every state of.
//
// Two process slots, a state directory, one sink.  A source of two partitions; partition k holds
// the records of key k, whose row in the sink counts them (accumulating mode), so one number per
// partition is position, state and pane at once.  One action is one step that another process, a
// crash or the network can come before or after; what only reads or writes a process's own memory
// belongs to the action before it.  A zombie needs no action of its own: a process that is not
// scheduled is paused, wherever it stands.
//
//   action                  code                              connectors.md
//   start                   StateDirectory::StateDirectory    1.6, take-over 1.8
//   read LOCK, write LOCK   become_owner, write_lock          1.6, first step
//   remove temporaries      recover, remove_temporary_files   1.1, 1.6
//   load the snapshot       recover, open_snapshot            1.6, second step
//   load the plans          recover, open_plan                1.6, third step
//   sync the plans          recover, sync_directory           1.1, 1.4
//   plan: temporary         next_plan, DurableFile::complete  1.2, 1.3, 1.4
//   plan: read LOCK         record, check_owner               1.4, 1.8
//   plan: link, plan: sync  DurableFile::create               1.1
//   write a row             SinkWriter::write_rows            1.3, 1.10
//   snapshot: temporary     PipelineRun::snapshot, settle     1.5
//   snapshot: rename, sync  StateDirectory::publish           1.5, 1.8
//   prune                   StateDirectory::prune             1.5, 1.8
//   kill, power loss        anywhere, WINDROW_CRASH_POINT     1.12
//
// Around the protocol: a request may stay in the network and arrive at any later time; a sink may
// stop within a row, its version written and its value not (4.8); one published snapshot may be
// damaged; at a power loss every name in the directory that is not synced may be gone.  The clock
// gives any reading at any time, also an earlier one (--force of 1.7).
//
// Left out: LOCK is replaced and synced at once; names that a prune removed do not come back at a
// power loss (they are below what a start reads); plans are not damaged (a start stops at one).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace windrow::model {

inline constexpr std::size_t batches = 3, keys = 2, slots = 2;

// One flag per rule of the protocol; false is the seeded bug.
struct Rules {
  bool plan_before_effect = true;     // 1.4: rows leave once their plan is durable
  bool plan_synced = true;            // 1.1: which a name in an unsynced directory is not
  bool start_syncs = true;            // nor one that a process left which was killed at that moment
  bool create_exclusive = true;       // 1.1: else the link replaces
  bool create_reads_lock = true;      // 1.4
  bool start_removes = true;          // temporaries of others: else they can still get their name
  bool epoch_raised = true;           // 1.6
  bool lock_names_writer = true;      // 1.1: else a process knows its LOCK by the epoch alone
  bool version_recorded = true;       // 1.3: else replay takes it from the clock
  bool ranges_recorded = true;        // 1.2: else replay polls anew
  bool last_from_plans = true;        // 1.3: else a start takes `last` from its snapshot
  bool version_above_last = true;     // 1.3: else the clock alone
  bool guarded = true;                // 1.3: else the last write wins
  bool equal_replaces = true;         // 1.3: else the guard is >
  bool coalesced = true;              // 1.10: else a batch may write a row twice
  bool acked_before_publish = true;   // 1.5
  bool publish_reads_lock = true;     // 1.8
  bool publish_synced = true;         // 1.5: the final name is durable before the prune
  bool numbered_by_last_plan = true;  // 1.5: else a snapshot's number is one above it
  bool verified = true;               // 1.6: else a start takes the newest snapshot as it is
  bool keeps_two = true;              // 1.5: else one snapshot
  bool prunes_to_oldest = true;       // 1.5: else plans up to the newest snapshot go
  bool prune_reads_lock = true;       // 1.8
};

// How much happens in a run at most, beside `batches`.
struct Bounds {
  std::array<std::uint8_t, keys> records{2, 1};  // per partition, at most 3
  std::uint8_t clock = 3;                        // readings are 1 .. clock
  std::uint8_t crashes = 2, take_overs = 1, damages = 1, late_requests = 1, torn_rows = 1;
};

// The state after a batch: records read per partition, and the batch's version.
struct Cut {
  std::uint8_t read0 : 2 = 0, read1 : 2 = 0, version : 4 = 0;
  [[nodiscard]] constexpr int read(std::size_t key) const { return key == 0 ? read0 : read1; }
  bool operator==(Cut const&) const = default;
};
struct Row {
  std::uint8_t count : 4 = 0, version : 4 = 0;
  bool operator==(Row const&) const = default;
};
// A plan or a snapshot under its name.
struct File {
  std::uint8_t there : 1 = 0, synced : 1 = 0, damaged : 1 = 0, unused : 1 = 0, epoch : 4 = 0;
  Cut cut;
};
// What nobody can see: what the first plan of a number said, whether it was ever synced, and
// whether something of its batch has left a process.
struct Fact {
  std::uint8_t planned : 1 = 0, durable : 1 = 0, effect : 1 = 0, unused : 5 = 0;
  Cut cut;
};

// The action that a process does next.
enum class At : std::uint8_t {
  off,
  read_lock,
  write_lock,
  remove_temporaries,
  load_snapshot,
  load_plans,
  sync_loaded,
  loop,  // from here on the thread of the sink runs beside
  plan_read_lock,
  plan_link,
  plan_sync,
  snapshot_read_lock,
  snapshot_rename,
  snapshot_sync,
  prune_read_lock,
  prune
};

struct Process {
  At at = At::off;
  std::uint8_t epoch = 0;
  std::uint8_t done = 0, acked = 0;  // batches; those between wait for the sink
  std::uint8_t sent = 0;             // bits: rows of batch acked + 1 that are acknowledged
  std::uint8_t last = 0;             // version
  std::uint8_t kept = 0;             // bits: snapshots
  std::uint8_t temporary = 0;        // a plan or snapshot without its name, its content in `next`
  Cut next;
  std::array<Cut, batches + 1> cut;  // from acked to done; else zero
};

struct State {
  std::array<Fact, batches + 1> fact;      // [0] unused
  std::array<File, batches + 1> plan;      // [0] unused
  std::array<File, batches + 1> snapshot;  // by number
  std::array<Row, keys> row;
  std::uint8_t late_key = 0;  // 1 + key of the request in the network, 0: none
  Row late;
  std::uint8_t lock_epoch = 0, lock_writer = 0;  // 1 + slot, 0: a process that is no more
  std::uint8_t crashes = 0, take_overs = 0, damages = 0, late_requests = 0, torn_rows = 0;  // left
  std::array<Process, slots> process;
};
static_assert(sizeof(State) < 80 && std::has_unique_object_representations_v<State>);

// The invariants.  The first three are the promise of connectors.md 1, what a reader of the sink
// sees; the others say how it is kept.
enum class Broken : std::uint8_t {
  none,
  version_back,
  count_back,
  wrong_rows,
  effect_without_plan,
  planned_twice,
  plan_missing,
  wrong_snapshot,
  fenced_goes_on
};
inline constexpr std::array<char const*, 9> broken_names{
    "",
    "a row goes back in version",
    "a row goes back in count",
    "acknowledged rows are not those of the plans",
    "an effect without its durable plan",
    "a batch is planned twice",
    "a start would miss a plan",
    "a start would load a wrong snapshot",
    "a process that was taken over goes on"};
[[nodiscard]] constexpr bool is_promise(Broken broken) { return broken <= Broken::wrong_rows; }

struct Step {
  char const* what = "";
  std::int8_t process = -1, key = -1;
  std::uint8_t batch = 0, version = 0;
};
struct Next {
  State state;
  Step step;
  Broken broken = Broken::none;  // by this step
};

// What can happen in `state`, whoever does it.  `out` is cleared first.
void successors(State const& state, Rules const& rules, Bounds const& bounds,
                std::vector<Next>& out);
// What is wrong with a state, however it was reached.
[[nodiscard]] Broken look(State const& state, Rules const& rules, bool promise_only);
[[nodiscard]] State first_state(Bounds const& bounds);
// All records that a run of `batches` can read are read and acknowledged by the owner.
[[nodiscard]] bool is_complete(State const& state, Bounds const& bounds);

}  // namespace windrow::model
