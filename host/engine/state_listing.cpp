#include "host/engine/state_listing.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

namespace windrow {
namespace {

// The kernel's list says who has flock(2) on the directory without asking for it.
std::optional<std::int64_t> holder_of(std::filesystem::path const& directory) {
  struct ::stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    return std::nullopt;
  }
  std::string const file = fmt::format("{:02x}:{:02x}:{}", ::major(status.st_dev),
                                       ::minor(status.st_dev), status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, locked;
    std::int64_t process = 0;
    if (words >> number >> kind >> advisory >> access >> process >> locked && kind == "FLOCK" &&
        access == "WRITE" && locked == file) {
      return process;
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::int64_t, std::int64_t>> gaps_in(std::vector<std::int64_t> const& plans) {
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps;
  for (std::size_t i = 1; i < plans.size(); ++i) {
    if (plans[i] != plans[i - 1] + 1) {
      gaps.emplace_back(plans[i - 1] + 1, plans[i] - 1);
    }
  }
  return gaps;
}

SnapshotFacts facts_of(std::filesystem::path const& directory, std::int64_t batch_no) {
  SnapshotFacts facts;
  facts.batch_no = batch_no;
  std::error_code error;
  std::uintmax_t const bytes =
      std::filesystem::file_size(state_file(directory, "snapshot", batch_no), error);
  facts.bytes = error ? 0 : bytes;
  try {
    facts.head = open_snapshot(directory, batch_no)->head();
  } catch (EnvironmentError const& fault) {
    facts.fault = fault.what();
  }
  return facts;
}

std::string plans_text(std::size_t n) { return fmt::format("{} plan{}", n, n == 1 ? "" : "s"); }

void say_next_start(std::filesystem::path const& directory, StateListing& out) {
  try {
    Recovery const found = find_recovery(directory);
    std::size_t const plans = found.plans.size();
    if (found.snapshot) {
      out.next_start = fmt::format("goes on from snapshot {}", found.snapshot->head().batch_no) +
                       (plans == 0 ? "" : " and runs " + plans_text(plans) + " again");
    } else {
      out.next_start = plans == 0 ? "begins anew, at start_from"
                                  : "begins anew and runs " + plans_text(plans) + " again";
    }
  } catch (EnvironmentError const& error) {
    out.next_start = error.what();
    out.next_exit = error.exit_code();
  }
}

}  // namespace

void check_is_state(std::filesystem::path const& directory) {
  std::error_code error;
  auto const is = [&](char const* name) {
    bool const found = std::filesystem::exists(directory / name, error);
    if (error) {
      errno = error.value();
      throw_io_error("look into the directory", directory);
    }
    return found;
  };
  auto const refuse = [&](char const* what) {
    throw EnvironmentError(
        fmt::format("state: {}; what `windrow run` has as --state, or `state:` in its settings, "
                    "is one: directory={}",
                    what, directory.string()),
        74);
  };
  std::filesystem::file_status const status = std::filesystem::status(directory, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    refuse("there is no such directory");
  }
  if (error) {
    errno = error.value();
    throw_io_error("look into the directory", directory);
  }
  if (status.type() != std::filesystem::file_type::directory) {
    refuse("it is no directory");
  }
  if (!is("LOCK") && !(is("plan") && is("snapshot"))) {
    refuse("the directory holds no state, no LOCK, plan/ or snapshot/");
  }
}

StateListing list_state(std::filesystem::path const& directory) {
  check_is_state(directory);
  return undisturbed(directory, [&directory] {
    StateListing out;
    try {
      out.owner = read_owner(directory);
    } catch (EnvironmentError const& error) {
      out.owner_fault = error.what();
    }
    out.held_by = holder_of(directory);
    for (std::int64_t const batch_no : numbers_in(directory / "snapshot")) {
      out.snapshots.push_back(facts_of(directory, batch_no));
    }
    out.plans = numbers_in(directory / "plan");
    out.gaps = gaps_in(out.plans);
    if (out.owner_fault.empty()) {
      say_next_start(directory, out);
    } else {
      out.next_start = out.owner_fault;
      out.next_exit = 74;
    }
    return out;
  });
}

StateVerdict verify_state(std::filesystem::path const& directory) {
  check_is_state(directory);
  return undisturbed(directory, [&directory] {
    StateVerdict out;
    auto const look = [&out](auto const& read) {
      try {
        read();
      } catch (EnvironmentError const& fault) {
        out.faults.emplace_back(fault.what());
      }
    };
    look([&] { static_cast<void>(read_owner(directory)); });
    std::optional<SnapshotHead> newest;
    for (std::int64_t const batch_no : numbers_in(directory / "snapshot")) {
      ++out.snapshots;
      look([&] { newest = open_snapshot(directory, batch_no)->head(); });
    }
    std::vector<std::int64_t> const plans = numbers_in(directory / "plan");
    std::int64_t const from = newest ? newest->batch_no : 0;
    auto const missing = [&](std::int64_t first, std::int64_t last) {
      out.faults.push_back(fmt::format("state: plans are missing: directory={} first={} last={}",
                                       directory.string(), first, last));
    };
    if (!plans.empty() && plans.front() > from + 1) {
      missing(from + 1, plans.front() - 1);
    }
    for (auto const& [first, last] : gaps_in(plans)) {
      missing(first, last);
    }
    for (std::int64_t const batch_no : plans) {
      ++out.plans;
      look([&] {
        RecordedPlan const plan = open_plan(directory, batch_no);
        if (newest && batch_no > from && plan.graph_hash != graph_hash(newest->graph)) {
          throw DamageError(fmt::format(
              "plan: it is of another graph than the snapshot before it: path={} graph={:016x} "
              "snapshot={:016x}",
              state_file(directory, "plan", batch_no).string(), plan.graph_hash,
              graph_hash(newest->graph)));
        }
      });
    }
    return out;
  });
}

}  // namespace windrow
