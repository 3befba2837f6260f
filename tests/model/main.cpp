// Checks the protocol of protocol.hpp, then that each rule of it is one: without it the search must
// find what breaks.  Takes some seconds of a processor; with `all`, everything at once, 73 million
// states, some minutes and up to 15 GB.  With `traces` it prints how each rule's lack comes out.
#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <vector>

#include "tests/model/search.hpp"

namespace {

using namespace windrow::model;

struct Bug {
  char const* name;
  std::vector<bool Rules::*> off;
  Bounds bounds;
};

//                      records  clock crashes take-overs damages late torn
constexpr Bounds two_writers{{1, 1}, 2, 1, 1, 0, 0, 0};
constexpr Bounds two_batches{{1, 1}, 2, 2, 1, 0, 0, 0};
constexpr Bounds one_writer{{2, 1}, 2, 2, 0, 0, 0, 0};
constexpr Bounds late_request{{2, 1}, 2, 1, 0, 0, 1, 0};
constexpr Bounds torn_row{{1, 1}, 2, 2, 0, 0, 0, 1};
constexpr Bounds damaged_file{{1, 1}, 2, 1, 0, 1, 0, 0};

// Each must be found.
std::vector<Bug> const bugs{
    {"rows leave before the plan is durable", {&Rules::plan_before_effect}, one_writer},
    {"the directory of plans is not synced", {&Rules::plan_synced}, one_writer},
    {"a start runs plans whose names are not synced", {&Rules::start_syncs}, one_writer},
    {"plan: LOCK is not read again", {&Rules::create_reads_lock}, two_writers},
    {"  and the create replaces",
     {&Rules::create_reads_lock, &Rules::create_exclusive},
     two_writers},
    {"a start leaves temporaries of others", {&Rules::start_removes}, two_writers},
    {"  and the create replaces", {&Rules::start_removes, &Rules::create_exclusive}, two_writers},
    {"a process knows its LOCK by the epoch", {&Rules::lock_names_writer}, two_writers},
    {"  and a start does not raise it",
     {&Rules::lock_names_writer, &Rules::epoch_raised},
     two_writers},
    {"replay takes versions from the clock", {&Rules::version_recorded}, one_writer},
    {"replay polls anew", {&Rules::ranges_recorded}, one_writer},
    {"a start takes `last` from the snapshot", {&Rules::last_from_plans}, one_writer},
    {"a version is the clock's reading", {&Rules::version_above_last}, one_writer},
    {"no guard: the last write wins", {&Rules::guarded}, late_request},
    {"the guard is >", {&Rules::equal_replaces}, torn_row},
    {"a batch writes a row twice", {&Rules::coalesced}, late_request},
    {"a snapshot is published before the acknowledgement",
     {&Rules::acked_before_publish},
     one_writer},
    {"a snapshot's number is above its last plan", {&Rules::numbered_by_last_plan}, one_writer},
    {"pruned before the snapshot's name is synced", {&Rules::publish_synced}, one_writer},
    {"a snapshot is not verified", {&Rules::verified}, damaged_file},
    {"one snapshot is kept", {&Rules::keeps_two}, damaged_file},
    {"plans up to the newest snapshot are pruned", {&Rules::prunes_to_oldest}, damaged_file},
};

// Where another rule covers for one: nothing must be found.  When one of these is, the protocol has
// come to need the rule: move it up.
std::vector<Bug> const covered{
    {"the create replaces", {&Rules::create_exclusive}, two_batches},
    {"a start does not raise the epoch", {&Rules::epoch_raised}, two_batches},
    {"snapshot, prune: LOCK is not read again",
     {&Rules::publish_reads_lock, &Rules::prune_reads_lock},
     two_batches},
};

void print(std::vector<Step> const& trace) {
  for (Step const& step : trace) {
    fmt::print("    {}\n", text_of(step));
  }
}

// A protocol that nothing breaks.
bool holds(char const* name, Rules const& rules, Bounds const& bounds, Result& result) {
  result = search(rules, bounds, false);
  fmt::print("{:<52} {:>9} states {:>10} transitions {:>7} complete {:6.1f} s\n", name,
             result.states, result.transitions, result.complete, result.seconds);
  if (result.broken != Broken::none) {
    fmt::print("BROKEN: {}\n", broken_names[static_cast<std::size_t>(result.broken)]);
    print(result.trace);
  }
  std::fflush(stdout);
  return result.broken == Broken::none && result.complete > 0;
}

// What a search must have seen, and what no order of steps reaches.
bool reaches(Result const& result) {
  bool right = true;
  for (char const* const what :
       {"LOCK names another: exit", "plan: the temporary is gone: exit",
        "snapshot: the temporary is gone: exit", "prune a plan", "prune a snapshot",
        "power loss, unsynced names are gone", "the request arrives"}) {
    right = right && result.taken.contains(what);
    fmt::print("  {:>9} times: {}\n", result.taken.contains(what) ? result.taken.at(what) : 0,
               what);
  }
  for (char const* const what :
       {"plan: made by another: start anew", "plan: made under a higher epoch: exit"}) {
    right = right && !result.taken.contains(what);
    fmt::print("      never: {}\n", what);
  }
  return right;
}

bool is_found(Bug const& bug, bool with_trace) {
  constexpr std::size_t reader_max = 100'000;  // states to what a reader of the sink sees
  Rules rules;
  for (auto const rule : bug.off) {
    rules.*rule = false;
  }
  Result const result = search(rules, bug.bounds, false);
  Result const seen = search(rules, bug.bounds, true, reader_max);
  fmt::print("{:<52} {:>3} steps, {:>6} states: {}\n", bug.name, result.trace.size(), result.states,
             result.broken == Broken::none ? "NOT FOUND"
                                           : broken_names[static_cast<std::size_t>(result.broken)]);
  if (seen.broken != Broken::none && seen.broken != result.broken) {
    fmt::print("{:<52} {:>3} steps, {:>6} states: {}\n", "", seen.trace.size(), seen.states,
               broken_names[static_cast<std::size_t>(seen.broken)]);
  }
  if (with_trace) {
    print(result.trace);
  }
  std::fflush(stdout);
  return result.broken != Broken::none;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view const wanted = argc > 1 ? argv[1] : "";
  Result result;
  if (wanted == "all") {
    return holds("everything at once", {}, {{2, 1}, 2, 2, 1, 1, 1, 0}, result) ? 0 : 1;
  }
  bool right = true;
  if (wanted != "traces") {
    right = holds("two writers, three batches", {}, {{2, 1}, 2, 2, 1, 0, 0, 0}, result) && right;
    right =
        holds("two writers, a damaged snapshot", {}, {{1, 1}, 2, 2, 1, 1, 0, 0}, result) && right;
    right = holds("one writer, all that the world does", {}, {{2, 1}, 2, 2, 0, 1, 1, 1}, result) &&
            right;
    right = holds("two writers, a late request", {}, {{1, 1}, 2, 2, 1, 0, 1, 0}, result) && right;
    right = reaches(result) && right;
  }
  fmt::print("\nwithout a rule, the shortest trace to what breaks; then to what a reader sees\n");
  for (Bug const& bug : bugs) {
    right = is_found(bug, wanted == "traces") && right;
  }
  fmt::print("\nwithout a rule that another one covers\n");
  for (Bug const& bug : covered) {
    if (wanted == "traces") {
      break;
    }
    Rules rules;
    for (auto const rule : bug.off) {
      rules.*rule = false;
    }
    right = holds(bug.name, rules, bug.bounds, result) && right;
  }
  fmt::print("{}\n", right ? "passed" : "FAILED");
  return right ? 0 : 1;
}
