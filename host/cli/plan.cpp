// `windrow plan diff`: what a changed pipeline file means for a state, before a restart.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>

#include "host/cli/json_text.hpp"
#include "host/cli/log.hpp"
#include "host/cli/machine.hpp"
#include "host/cli/one_of.hpp"
#include "host/cli/pipeline_file.hpp"
#include "host/cli/verbs.hpp"
#include "host/engine/graph_hash.hpp"
#include "host/engine/state_listing.hpp"

namespace windrow::cli {
namespace {

// One side.  A state has what the run was that made its newest snapshot.
struct Side {
  GraphParts graph;
  std::string application_id;
};

Side side_of_state(std::filesystem::path const& directory) {
  check_is_state(directory);
  return undisturbed(directory, [&directory] {
    std::optional<StateOwner> const owner = read_owner(directory);
    return Side{newest_snapshot(directory)->head().graph, owner ? owner->application_id : ""};
  });
}

//   application_id  the state's and the file's, where a start would refuse
struct Diff {
  std::vector<TransformChange> changes;
  bool same_order = true;
  std::optional<std::pair<std::string, std::string>> application_id;

  [[nodiscard]] bool kept() const {
    return same_order && !application_id &&
           std::all_of(changes.begin(), changes.end(), [](TransformChange const& change) {
             return change.kind == TransformChange::Kind::kept;
           });
  }
};

Diff diff_of(Side const& before, Side const& now) {
  Diff diff;
  diff.changes = compare(before.graph, now.graph);
  diff.same_order = before.graph == now.graph ||
                    std::any_of(diff.changes.begin(), diff.changes.end(), [](auto const& change) {
                      return change.kind != TransformChange::Kind::kept;
                    });
  return diff;
}

char const* name_of(TransformChange::Kind kind) {
  switch (kind) {
    case TransformChange::Kind::kept:
      return "kept";
    case TransformChange::Kind::added:
    case TransformChange::Kind::gone:
      return "reset";
    case TransformChange::Kind::incompatible:
      break;
  }
  return "incompatible";
}

std::vector<std::string> reasons_of(TransformChange const& change) {
  if (change.kind == TransformChange::Kind::added) {
    return {"is new, and would begin empty"};
  }
  if (change.kind == TransformChange::Kind::gone) {
    return {"is gone, and its state would be dropped"};
  }
  std::vector<std::string> reasons = change.parts;
  for (std::string const& input : change.reads) {
    reasons.push_back("reads " + input);
  }
  return reasons;
}

std::string text_of(Diff const& diff) {
  Facts facts;
  for (TransformChange const& change : diff.changes) {
    std::string value = name_of(change.kind);
    if (change.kind != TransformChange::Kind::kept) {
      fmt::format_to(std::back_inserter(value), ": {}", fmt::join(reasons_of(change), ", "));
    }
    facts.emplace_back(change.name, std::move(value));
  }
  std::string out = to_text(facts);
  if (!diff.same_order) {
    out += "incompatible: the order of the transforms\n";
  }
  if (diff.application_id) {
    fmt::format_to(std::back_inserter(out),
                   "incompatible: application_id: the state is of {}, the file says {}\n",
                   diff.application_id->first, diff.application_id->second);
  }
  return out + (diff.kept() ? "a run of NEW goes on from the state of OLD\n"
                            : "a run of NEW refuses the state of OLD, which belongs to one graph "
                              "as a whole: keep the old file, or give the new one another "
                              "application_id and an empty directory\n");
}

std::string json_of(Diff const& diff) {
  JsonText out;
  out.begin_object();
  out.put("kept", diff.kept());
  out.begin_list("transforms");
  for (TransformChange const& change : diff.changes) {
    out.begin_object();
    out.put("name", change.name);
    out.put("change", name_of(change.kind));
    out.begin_list("reasons");
    if (change.kind != TransformChange::Kind::kept) {
      for (std::string const& reason : reasons_of(change)) {
        out.put(nullptr, reason);
      }
    }
    out.end_list();
    out.end_object();
  }
  out.end_list();
  out.put("same_order", diff.same_order);
  if (diff.application_id) {
    out.begin_object("application_id");
    out.put("state", diff.application_id->first);
    out.put("file", diff.application_id->second);
    out.end_object();
  }
  out.end_object();
  return out.text();
}

class Plan final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb =
        app.add_subcommand("plan", "what a changed pipeline file means for a state");
    verb->add_option("action", action_, "diff: per transform kept, reset or incompatible, and why")
        ->required()
        ->check(one_of({"diff"}));
    verb->add_option("old", old_, "a state directory, or a pipeline file")->required();
    verb->add_option("new", new_, "pipeline file, or - for stdin")->required();
    return verb;
  }

  int run(Invocation const& invocation) override {
    std::optional<Side> const now = side_of_file(new_, invocation);
    bool const state = std::filesystem::is_directory(old_);
    std::optional<Side> const before =
        state ? std::optional(side_of_state(old_)) : side_of_file(old_, invocation);
    if (!before || !now) {
      return exit_invalid;
    }
    Diff diff = diff_of(*before, *now);
    if (state && !before->application_id.empty() && before->application_id != now->application_id) {
      diff.application_id.emplace(before->application_id, now->application_id);
    }
    fmt::print("{}", invocation.json ? json_of(diff) : text_of(diff));
    return diff.kept() ? exit_ok : exit_invalid;
  }
  [[nodiscard]] bool reads_pipelines() const override { return true; }

 private:
  static std::optional<Side> side_of_file(std::string const& file, Invocation const& invocation) {
    LoadResult const loaded = load_file(file, invocation, LoadOptions::Purpose::check);
    print_findings(loaded.findings, invocation);
    if (!loaded.ok()) {
      return std::nullopt;
    }
    return Side{graph_parts(loaded.graph), loaded.graph.settings.application_id};
  }

  std::string action_, old_, new_;
};

}  // namespace

std::unique_ptr<Verb> plan_verb() { return std::make_unique<Plan>(); }

}  // namespace windrow::cli
