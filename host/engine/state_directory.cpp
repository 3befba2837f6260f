// LOCK and its epoch, plans and snapshots.
#include "host/engine/state_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <system_error>
#include <utility>

#include "host/engine/crash_point.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::size_t kept_max = 2;  // snapshots

// 128 random bits that name this process start.
std::string new_writer() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

// What processes that were killed left half-written; and what one that was taken over had not named
// yet.  That one cannot name it now: else, once its number is pruned, its plan would be a second
// one.
void remove_temporary_files(std::filesystem::path const& directory) {
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().filename().string().find(".tmp.") != std::string::npos) {
      std::filesystem::remove(entry.path(), error);
    }
    if (error) {
      break;
    }
  }
  if (error) {  // of a paused process: it must not be able to link its plan any more
    errno = error.value();
    throw_io_error("remove temporary files", directory);
  }
}

EnvironmentError fenced(std::filesystem::path const& directory, std::uint64_t epoch) {
  return EnvironmentError(
      fmt::format("state: a newer process has taken it over, this one ends: directory={} epoch={}",
                  directory.string(), epoch),
      76);
}

}  // namespace

StateDirectory::StateDirectory(std::filesystem::path directory, std::string application_id,
                               GraphParts graph, bool take_over)
    : directory_(std::move(directory)), graph_(std::move(graph)), graph_hash_(graph_hash(graph_)) {
  WINDROW_ASSERT(application_id.find('\n') == std::string::npos, "an application id is one line");
  make_directories(directory_ / "snapshot");
  make_directories(directory_ / "plan");
  // On the directory and not on LOCK, which is replaced as a whole.
  descriptor_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) {
    throw_io_error("open the directory", directory_);
  }
  try {
    if (!hold() && !take_over) {
      throw EnvironmentError(
          fmt::format("state: one process at a time: another one holds it; --take-over ends that "
                      "one at its next batch: directory={}",
                      directory_.string()),
          75);
    }
    owner_.application_id = std::move(application_id);
    become_owner();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

StateDirectory::~StateDirectory() { ::close(descriptor_); }

bool StateDirectory::hold() {
  held_ = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  if (!held_ && errno != EWOULDBLOCK) {
    throw_io_error("lock the directory", directory_);
  }
  return held_;
}

// 1.6, first step: one epoch above all before it.  A LOCK that is missing has left its epoch in the
// plans.
void StateDirectory::become_owner() {
  if (auto const before = read_owner(directory_)) {
    if (before->application_id != owner_.application_id) {
      throw EnvironmentError(
          fmt::format(
              "state: it belongs to another application; give each its own directory: directory={} "
              "has={} application_id={}",
              directory_.string(), before->application_id, owner_.application_id),
          78);
    }
    owner_.epoch = before->epoch;
  } else {
    for (std::int64_t const batch_no : numbers_in(directory_ / "plan")) {
      owner_.epoch = std::max(owner_.epoch, open_plan(directory_, batch_no).epoch);
    }
  }
  ++owner_.epoch;
  owner_.writer = new_writer();
  write_owner(directory_, owner_);
  WINDROW_CRASH_POINT("restart.locked");
}

void StateDirectory::check_owner() const {
  auto const now = read_owner(directory_);
  if (!now || now->writer != owner_.writer) {
    throw fenced(directory_, now ? now->epoch : 0);
  }
}

Recovery StateDirectory::recover() {
  for (char const* const kind : {"", "plan", "snapshot"}) {
    remove_temporary_files(directory_ / kind);
  }
  Recovery out;
  try {
    out = find_recovery(directory_);
  } catch (EnvironmentError const&) {
    check_owner();  // a newer one may have pruned meanwhile
    throw;
  }
  auto const refuse = [this](std::string const& difference) {
    throw EnvironmentError(
        fmt::format("state: the graph has changed in what decides results; keep the old file, or "
                    "give the new one another application id and directory: directory={} "
                    "differs={}",
                    directory_.string(), difference),
        78);
  };
  if (out.snapshot) {
    if (out.snapshot->head().graph != graph_) {
      refuse(differences(out.snapshot->head().graph, graph_));
    }
    kept_.assign(1, out.snapshot->head().batch_no);
  }
  for (RecordedPlan const& plan : out.plans) {
    if (plan.graph_hash != graph_hash_) {
      refuse(fmt::format("plan {}", plan.plan.batch_no));
    }
  }
  if (!out.plans.empty()) {  // who made the last one may have ended before its name was durable
    sync_directory(directory_ / "plan");
  }
  WINDROW_CRASH_POINT("restart.loaded");
  return out;
}

void StateDirectory::record(BatchPlan const& plan) {
  if (!held_) {  // what was taken over from may have ended: keep others out again
    hold();
  }
  std::filesystem::path const path = state_file(directory_, "plan", plan.batch_no);
  DurableFile file(path, owner_.writer);
  file.append(plan_bytes({graph_hash_, owner_.epoch, owner_.writer, plan}));
  file.complete();
  WINDROW_CRASH_POINT("plan.tmp");
  check_owner();
  if (!file.create()) {  // the fence (1.4, 1.8)
    if (open_plan(directory_, plan.batch_no).epoch > owner_.epoch) {
      throw fenced(directory_, owner_.epoch);
    }
    throw PlanTakenError(
        fmt::format("state: a process that was taken over made this plan first; it is run as it "
                    "is: path={}",
                    path.string()),
        75);
  }
}

void StateDirectory::publish(std::int64_t batch_no, std::int64_t pane_version, bool drained,
                             std::function<void(StateWriter&)> const& write) {
  SnapshotFileWriter out(state_file(directory_, "snapshot", batch_no), owner_.writer,
                         {graph_, batch_no, pane_version, drained});
  write(out);
  WINDROW_CRASH_POINT("snapshot.tmp");
  out.complete();
  WINDROW_CRASH_POINT("snapshot.durable");
  check_owner();
  out.publish();
  WINDROW_CRASH_POINT("snapshot.published");
  if (kept_.empty() || kept_.back() != batch_no) {
    kept_.push_back(batch_no);
  }
  if (kept_.size() > kept_max) {
    kept_.pop_front();
  }
  if (kept_.size() == kept_max) {
    check_owner();
    prune();
  }
}

// Ascending, so that what is left is dense: the oldest snapshot kept finds its plans.
void StateDirectory::prune() {
  auto const remove = [this](char const* kind, std::int64_t number) {
    std::error_code error;
    std::filesystem::path const path = state_file(directory_, kind, number);
    std::filesystem::remove(path, error);
    if (error) {
      errno = error.value();
      throw_io_error("remove what is not needed any more", path);
    }
    WINDROW_CRASH_POINT("prune.partial");
  };
  for (std::int64_t const number : numbers_in(directory_ / "snapshot")) {
    if (!std::binary_search(kept_.begin(), kept_.end(), number) && number < kept_.back()) {
      remove("snapshot", number);
    }
  }
  for (std::int64_t const number : numbers_in(directory_ / "plan")) {
    if (number <= kept_.front()) {
      remove("plan", number);
    }
  }
}

}  // namespace windrow
