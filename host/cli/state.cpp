// `windrow state`: what a state directory holds, whether a run has it or not.
#include "host/cli/state.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>

#include "host/cli/json_text.hpp"
#include "host/cli/log.hpp"
#include "host/cli/one_of.hpp"
#include "host/cli/verbs.hpp"
#include "host/engine/snapshot.hpp"
#include "host/engine/state_copy.hpp"
#include "host/engine/state_listing.hpp"

namespace windrow::cli {
namespace {

std::int64_t number_of(std::string const& word) {
  std::int64_t n = 0;
  auto const [end, fault] = std::from_chars(word.data(), word.data() + word.size(), n);
  if (fault != std::errc{} || end != word.data() + word.size() || n < 0) {
    throw EnvironmentError(
        fmt::format("state: show takes the number of a batch, is '{}'; `windrow state ls` lists "
                    "them",
                    word),
        exit_usage);
  }
  return n;
}

class State final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("state", "snapshots and plans of a state directory");
    verb->add_option("action", action_,
                     "ls: owner, snapshots, plans, what the next start does; show: one of them; "
                     "verify: all checksums; export: a copy to go on from")
        ->required()
        ->check(one_of({"ls", "show", "verify", "export"}));
    verb->add_option("directory", directory_, "what `run` has as --state")->required();
    verb->add_option("what", what_,
                     "show: a snapshot, by its number; without it the newest; export: "
                     "an empty directory");
    verb->add_option("--plan", plan_, "show: the plan of this batch")
        ->check(CLI::NonNegativeNumber);
    return verb;
  }

  int run(Invocation const& invocation) override {
    bool const show = action_ == "show", copy = action_ == "export";
    if (copy && what_.empty()) {
      throw EnvironmentError("state: export needs an empty directory for the copy", exit_usage);
    }
    if ((!what_.empty() && !show && !copy) || (plan_ && !show)) {
      throw EnvironmentError(fmt::format("state: {} takes {}", action_,
                                         copy ? "two directories only" : "the directory only"),
                             exit_usage);
    }
    if (!what_.empty() && plan_) {
      throw EnvironmentError("state: show takes a snapshot or --plan, not both", exit_usage);
    }
    if (action_ == "verify") {
      return verify(invocation.json);
    }
    if (copy) {
      return write_copy(invocation.json);
    }
    auto const snapshot = [this] {
      return what_.empty() ? std::nullopt : std::optional(number_of(what_));
    };
    fmt::print("{}", !show   ? listing_of(directory_, invocation.json)
                     : plan_ ? plan_shown(directory_, *plan_, invocation.json)
                             : snapshot_shown(directory_, snapshot(), invocation.json));
    return exit_ok;
  }

 private:
  [[nodiscard]] int verify(bool json) const {
    StateVerdict const verdict = verify_state(directory_);
    if (json) {
      JsonText out;
      out.begin_object();
      out.put("snapshots", std::uint64_t{verdict.snapshots});
      out.put("plans", std::uint64_t{verdict.plans});
      out.begin_list("faults");
      for (std::string const& fault : verdict.faults) {
        out.put(nullptr, fault);
      }
      out.end_list();
      out.end_object();
      fmt::print("{}", out.text());
    } else {
      for (std::string const& fault : verdict.faults) {
        fmt::print("{}\n", fault);
      }
      fmt::print(
          "snapshots={} plans={}: {}\n", verdict.snapshots, verdict.plans,
          verdict.faults.empty() ? "all verify" : fmt::format("faults={}", verdict.faults.size()));
    }
    return verdict.faults.empty() ? exit_ok : exit_state;
  }

  [[nodiscard]] int write_copy(bool json) const {
    StateCopy const copy = copy_state(directory_, what_);
    for (std::string const& fault : copy.damaged) {
      say("windrow: " + fault + "; the copy has an older snapshot", spdlog::level::warn);
    }
    if (json) {
      JsonText out;
      out.begin_object();
      copy.snapshot ? out.put("snapshot", *copy.snapshot) : out.put_null("snapshot");
      out.put("bytes", copy.bytes);
      out.put("plans", std::uint64_t{copy.plans});
      out.end_object();
      fmt::print("{}", out.text());
    } else {
      fmt::print(
          "copied: snapshot={} bytes={} plans={} directory={}; a run of it writes what the next "
          "start would: give it sinks of its own\n",
          copy.snapshot ? std::to_string(*copy.snapshot) : "none", copy.bytes, copy.plans, what_);
    }
    return exit_ok;
  }

  std::string action_, directory_, what_;
  std::optional<std::int64_t> plan_;
};

}  // namespace

std::unique_ptr<Verb> state_verb() { return std::make_unique<State>(); }

}  // namespace windrow::cli
