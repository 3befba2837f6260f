// `windrow state ls`: owner, snapshots, plans, and what the next start would do.
#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "host/cli/json_text.hpp"
#include "host/cli/machine.hpp"
#include "host/cli/state.hpp"
#include "host/engine/state_listing.hpp"

namespace windrow::cli {
namespace {

std::string text_of(StateListing const& state) {
  Facts facts;
  if (!state.owner_fault.empty()) {
    facts.emplace_back("owner", state.owner_fault);
  } else if (!state.owner) {
    facts.emplace_back("owner", "no LOCK: whoever starts next");
  } else {
    facts.emplace_back("application_id", state.owner->application_id);
    facts.emplace_back("owner",
                       fmt::format("epoch={} writer={}", state.owner->epoch, state.owner->writer));
  }
  facts.emplace_back("held", state.held_by ? fmt::format("by process {}", *state.held_by)
                                           : "by no process of this machine");
  for (SnapshotFacts const& one : state.snapshots) {
    facts.emplace_back(
        fmt::format("snapshot {}", one.batch_no),
        one.fault.empty()
            ? fmt::format("bytes={} pane_version={} graph={:016x}{}; verifies", one.bytes,
                          one.head.pane_version, graph_hash(one.head.graph),
                          one.head.drained ? " drained" : "")
            : fmt::format("bytes={}; {}", one.bytes, one.fault));
  }
  std::string plans = state.plans.empty()
                          ? "none"
                          : fmt::format("{} to {}", state.plans.front(), state.plans.back());
  for (auto const& [first, last] : state.gaps) {
    fmt::format_to(std::back_inserter(plans), "; missing: {} to {}", first, last);
  }
  facts.emplace_back("plans", std::move(plans));
  facts.emplace_back("next start", state.next_exit == 0
                                       ? state.next_start
                                       : fmt::format("is refused with exit code {}: {}",
                                                     state.next_exit, state.next_start));
  return to_text(facts);
}

std::string json_of(StateListing const& state) {
  JsonText out;
  out.begin_object();
  if (state.owner) {
    out.put("application_id", state.owner->application_id);
    out.put("epoch", state.owner->epoch);
    out.put("writer", state.owner->writer);
  }
  if (!state.owner_fault.empty()) {
    out.put("owner_fault", state.owner_fault);
  }
  state.held_by ? out.put("held_by", *state.held_by) : out.put_null("held_by");
  out.begin_list("snapshots");
  for (SnapshotFacts const& one : state.snapshots) {
    out.begin_object();
    out.put("batch", one.batch_no);
    out.put("bytes", one.bytes);
    if (one.fault.empty()) {
      out.put("pane_version", one.head.pane_version);
      out.put("graph", fmt::format("{:016x}", graph_hash(one.head.graph)));
      out.put("drained", one.head.drained);
      out.put_null("fault");
    } else {
      out.put("fault", one.fault);
    }
    out.end_object();
  }
  out.end_list();
  out.begin_object("plans");
  out.put("count", std::uint64_t{state.plans.size()});
  if (!state.plans.empty()) {
    out.put("first", state.plans.front());
    out.put("last", state.plans.back());
  }
  out.begin_list("missing");
  for (auto const& [first, last] : state.gaps) {
    out.begin_object();
    out.put("first", first);
    out.put("last", last);
    out.end_object();
  }
  out.end_list();
  out.end_object();
  out.begin_object("next_start");
  out.put("exit_code", std::int64_t{state.next_exit});
  out.put("text", state.next_start);
  out.end_object();
  out.end_object();
  return out.text();
}

}  // namespace

std::string listing_of(std::filesystem::path const& directory, bool json) {
  StateListing const state = list_state(directory);
  return json ? json_of(state) : text_of(state);
}

}  // namespace windrow::cli
