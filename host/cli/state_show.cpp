// `windrow state show`: the components of a snapshot, or the fields of a plan.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "host/cli/json_text.hpp"
#include "host/cli/machine.hpp"
#include "host/cli/state.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/state_listing.hpp"

namespace windrow::cli {
namespace {

// Counts what passes.
class CountingReader final : public SnapshotReader {
 public:
  explicit CountingReader(SnapshotReader& from) : from_(from) {}
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (!from_.next(name, shard, bytes)) {
      return false;
    }
    ++pieces;
    size += bytes.size();
    return true;
  }
  std::uint64_t pieces = 0, size = 0;

 private:
  SnapshotReader& from_;
};

//   keys  live ones, of a dictionary of keys
struct Component {
  std::string name;
  std::uint64_t pieces = 0, bytes = 0;
  std::optional<std::uint64_t> keys;
};

std::vector<Component> components_of(SnapshotFileReader& snapshot) {
  std::vector<Component> out;
  while (auto const name = snapshot.next_name()) {
    CountingReader reader(snapshot.component(*name));
    Component one;
    one.name = *name;
    if (name->starts_with("keys: ")) {
      KeyDictionary keys;
      keys.restore(reader);
      one.keys = keys.size();
    } else {
      std::string_view piece, bytes;
      std::uint32_t shard = 0;
      while (reader.next(piece, shard, bytes)) {
      }
    }
    one.pieces = reader.pieces;
    one.bytes = reader.size;
    out.push_back(std::move(one));
  }
  return out;
}

std::string snapshot_text(SnapshotFileReader const& snapshot,
                          std::vector<Component> const& components) {
  SnapshotHead const& head = snapshot.head();
  Facts facts{{"batch", std::to_string(head.batch_no)},
              {"pane_version", std::to_string(head.pane_version)},
              {"graph", fmt::format("{:016x}", graph_hash(head.graph))},
              {"drained", head.drained ? "yes" : "no"},
              {"bytes", std::to_string(snapshot.bytes())}};
  for (Component const& one : components) {
    facts.emplace_back(one.name, fmt::format("bytes={} pieces={}{}", one.bytes, one.pieces,
                                             one.keys ? fmt::format(" keys={}", *one.keys) : ""));
  }
  return to_text(facts);
}

std::string snapshot_json(SnapshotFileReader const& snapshot,
                          std::vector<Component> const& components) {
  SnapshotHead const& head = snapshot.head();
  JsonText out;
  out.begin_object();
  out.put("batch", head.batch_no);
  out.put("pane_version", head.pane_version);
  out.put("graph", fmt::format("{:016x}", graph_hash(head.graph)));
  out.put("drained", head.drained);
  out.put("bytes", snapshot.bytes());
  out.begin_list("components");
  for (Component const& one : components) {
    out.begin_object();
    out.put("name", one.name);
    out.put("bytes", one.bytes);
    out.put("pieces", one.pieces);
    if (one.keys) {
      out.put("keys", *one.keys);
    }
    out.end_object();
  }
  out.end_list();
  out.end_object();
  return out.text();
}

std::string time_text(std::int64_t us) {
  return us == T_MIN.us ? "-inf" : us == T_MAX.us ? "+inf" : std::to_string(us);
}

std::string plan_text(RecordedPlan const& recorded) {
  BatchPlan const& plan = recorded.plan;
  Facts facts{{"batch", std::to_string(plan.batch_no)},
              {"pane_version", std::to_string(plan.pane_version)},
              {"processing_time", std::to_string(plan.processing_time.us)},
              {"drain", plan.drain ? "yes" : "no"},
              {"refuse_new_keys", plan.refuse_new_keys ? "yes" : "no"},
              {"graph", fmt::format("{:016x}", recorded.graph_hash)},
              {"epoch", std::to_string(recorded.epoch)},
              {"writer", recorded.writer}};
  for (Watermark const w : plan.watermark_in) {
    facts.emplace_back("watermark_in", time_text(w.us));
  }
  for (std::size_t source = 0; source < plan.ranges.size(); ++source) {
    for (Range const& range : plan.ranges[source]) {
      facts.emplace_back(
          fmt::format("source {} range", source),
          fmt::format(
              "partition={}{} from={} to={}{}{}{}", range.partition,
              range.name.empty() ? "" : " name=" + range.name, range.from, range.to,
              range.caught_up ? " caught_up" : "", range.ended ? " ended" : "",
              range.own_watermark ? " watermark=" + time_text(range.own_watermark->us) : ""));
    }
  }
  return to_text(facts);
}

std::string plan_json(RecordedPlan const& recorded) {
  BatchPlan const& plan = recorded.plan;
  JsonText out;
  out.begin_object();
  out.put("batch", plan.batch_no);
  out.put("pane_version", plan.pane_version);
  out.put("processing_time", plan.processing_time.us);
  out.put("drain", plan.drain);
  out.put("refuse_new_keys", plan.refuse_new_keys);
  out.put("graph", fmt::format("{:016x}", recorded.graph_hash));
  out.put("epoch", recorded.epoch);
  out.put("writer", recorded.writer);
  out.begin_list("watermark_in");
  for (Watermark const w : plan.watermark_in) {
    out.put(nullptr, w.us);
  }
  out.end_list();
  out.begin_list("ranges");
  for (std::size_t source = 0; source < plan.ranges.size(); ++source) {
    for (Range const& range : plan.ranges[source]) {
      out.begin_object();
      out.put("source", std::uint64_t{source});
      out.put("partition", std::uint64_t{range.partition});
      if (!range.name.empty()) {
        out.put("name", range.name);
      }
      out.put("from", range.from);
      out.put("to", range.to);
      out.put("caught_up", range.caught_up);
      out.put("ended", range.ended);
      if (range.own_watermark) {
        out.put("own_watermark", range.own_watermark->us);
      }
      out.end_object();
    }
  }
  out.end_list();
  out.end_object();
  return out.text();
}

// The ones that there are, where the one that is asked for is not.
void check_is_there(std::filesystem::path const& directory, char const* kind,
                    std::int64_t batch_no) {
  std::vector<std::int64_t> const numbers = numbers_in(directory / kind);
  if (std::find(numbers.begin(), numbers.end(), batch_no) != numbers.end()) {
    return;
  }
  throw EnvironmentError(
      fmt::format(
          "state: there is no {} {}; `windrow state ls` lists what is there: {}", kind, batch_no,
          numbers.empty() ? "none" : fmt::format("{} to {}", numbers.front(), numbers.back())),
      74);
}

}  // namespace

std::string snapshot_shown(std::filesystem::path const& directory,
                           std::optional<std::int64_t> batch_no, bool json) {
  check_is_state(directory);
  return undisturbed(directory, [&] {
    std::unique_ptr<SnapshotFileReader> snapshot;
    if (batch_no) {
      check_is_there(directory, "snapshot", *batch_no);
      snapshot = open_snapshot(directory, *batch_no);
    } else {
      snapshot = newest_snapshot(directory);
    }
    std::vector<Component> const components = components_of(*snapshot);
    return json ? snapshot_json(*snapshot, components) : snapshot_text(*snapshot, components);
  });
}

std::string plan_shown(std::filesystem::path const& directory, std::int64_t batch_no, bool json) {
  check_is_state(directory);
  check_is_there(directory, "plan", batch_no);
  RecordedPlan const plan = open_plan(directory, batch_no);
  return json ? plan_json(plan) : plan_text(plan);
}

}  // namespace windrow::cli
