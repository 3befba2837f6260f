// LOCK and its epoch, plans and snapshots.
#define XXH_INLINE_ALL
#include "host/engine/state_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
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

void make_directories(std::filesystem::path const& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    errno = error.value();
    throw_io_error("create the directory", directory);
  }
}

// Takes `<name>: <value>\n` from the front.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  std::size_t const end = text.find('\n');
  if (end == std::string_view::npos || text.substr(0, name.size()) != name ||
      text.substr(name.size(), 2) != ": ") {
    return std::nullopt;
  }
  std::string_view const value = text.substr(name.size() + 2, end - name.size() - 2);
  text.remove_prefix(end + 1);
  return value;
}
template <class Number>
std::optional<Number> number_of(std::optional<std::string_view> text) {
  Number v{};
  if (!text) {
    return std::nullopt;
  }
  auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), v);
  if (error != std::errc{} || end != text->data() + text->size()) {
    return std::nullopt;
  }
  return v;
}
std::string checksum_line(std::string_view text) {
  return fmt::format("checksum: {:016x}\n", XXH3_64bits(text.data(), text.size()));
}

std::filesystem::path path_of(std::filesystem::path const& directory, char const* kind,
                              std::int64_t number) {
  return directory / kind / std::to_string(number);
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

std::optional<StateOwner> read_owner(std::filesystem::path const& directory) {
  std::filesystem::path const path = directory / "LOCK";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    throw_io_error("read", path);
  }
  std::ostringstream content;
  content << file.rdbuf();
  std::string const text = content.str();
  std::string_view rest = text;
  std::size_t const checked = text.rfind("checksum: ");
  bool const whole = checked != std::string::npos &&
                     rest.substr(checked) == checksum_line(rest.substr(0, checked));
  auto const application_id = take_line(rest, "application_id");
  auto const epoch = number_of<std::uint64_t>(take_line(rest, "epoch"));
  auto const writer = take_line(rest, "writer");
  if (!whole || !application_id || !epoch || !writer) {
    throw DamageError(
        fmt::format("state: LOCK is damaged; where no process uses the state, remove "
                    "the file: the plans have the epoch: path={}",
                    path.string()));
  }
  return StateOwner{std::string(*application_id), std::string(*writer), *epoch};
}

std::unique_ptr<SnapshotFileReader> open_snapshot(std::filesystem::path const& directory,
                                                  std::int64_t batch_no) {
  std::filesystem::path const path = path_of(directory, "snapshot", batch_no);
  auto reader = std::make_unique<SnapshotFileReader>(path);
  if (reader->head().batch_no != batch_no) {
    throw DamageError(
        fmt::format("snapshot: it is of another batch than its name: path={} batch={}",
                    path.string(), reader->head().batch_no));
  }
  return reader;
}

RecordedPlan open_plan(std::filesystem::path const& directory, std::int64_t batch_no) {
  std::filesystem::path const path = path_of(directory, "plan", batch_no);
  RecordedPlan plan = read_plan(path);
  if (plan.plan.batch_no != batch_no) {
    throw DamageError(fmt::format("plan: it is of another batch than its name: path={} batch={}",
                                  path.string(), plan.plan.batch_no));
  }
  return plan;
}

StateDirectory::StateDirectory(std::filesystem::path directory, std::string application_id,
                               std::uint64_t graph_hash, bool take_over)
    : directory_(std::move(directory)), graph_hash_(graph_hash) {
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
  write_lock();
  WINDROW_CRASH_POINT("restart.locked");
}

void StateDirectory::write_lock() const {
  std::string text = fmt::format("application_id: {}\nepoch: {}\nwriter: {}\n",
                                 owner_.application_id, owner_.epoch, owner_.writer);
  text += checksum_line(text);
  DurableFile file(directory_ / "LOCK", owner_.writer);
  file.append(text);
  file.complete();
  file.replace();
}

void StateDirectory::check_owner() const {
  auto const now = read_owner(directory_);
  if (!now || now->writer != owner_.writer) {
    throw fenced(directory_, now ? now->epoch : 0);
  }
}

Recovery StateDirectory::recover() {
  Recovery out;
  auto const wanted = [this](std::uint64_t hash, std::string const& what) {
    if (hash != graph_hash_) {
      throw EnvironmentError(
          fmt::format("state: the graph has changed in what decides results; `windrow plan diff` "
                      "says where; keep the old file, or give the new one another application id "
                      "and directory: directory={} {}={:016x} file={:016x}",
                      directory_.string(), what, hash, graph_hash_),
          78);
    }
  };
  for (char const* const kind : {"", "plan", "snapshot"}) {
    remove_temporary_files(directory_ / kind);
  }
  std::vector<std::int64_t> const snapshots = numbers_in(directory_ / "snapshot");
  std::vector<std::int64_t> const plans = numbers_in(directory_ / "plan");
  for (auto at = snapshots.rbegin(); at != snapshots.rend() && !out.snapshot; ++at) {
    try {
      out.snapshot = open_snapshot(directory_, *at);
    } catch (DamageError const& error) {
      out.damaged.emplace_back(error.what());
    }
  }
  std::int64_t last = 0;
  if (out.snapshot) {
    SnapshotHead const& head = out.snapshot->head();
    wanted(head.graph_hash, "snapshot");
    if (head.drained) {
      throw EnvironmentError(
          fmt::format("state: it was drained, so every further row would be too late; begin in an "
                      "empty directory: directory={}",
                      directory_.string()),
          78);
    }
    last = head.batch_no;
    kept_.assign(1, last);
  } else if (!out.damaged.empty() && (plans.empty() || plans.front() != 1)) {
    throw EnvironmentError(
        fmt::format("state: no snapshot verifies, and plan 1 is not there any more; begin in an "
                    "empty directory at start_from: {}",
                    out.damaged.front()),
        74);
  }
  for (auto at = std::upper_bound(plans.begin(), plans.end(), last); at != plans.end(); ++at) {
    if (*at != last + 1) {
      check_owner();  // a newer one may have pruned meanwhile
      throw EnvironmentError(
          fmt::format("state: a plan is missing, whose batch may have had effects; begin in an "
                      "empty directory at start_from: directory={} missing={} next={}",
                      directory_.string(), last + 1, *at),
          74);
    }
    out.plans.push_back(open_plan(directory_, ++last));
    wanted(out.plans.back().graph_hash, "plan");
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
  std::filesystem::path const path = path_of(directory_, "plan", plan.batch_no);
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
  SnapshotFileWriter out(path_of(directory_, "snapshot", batch_no), owner_.writer,
                         {graph_hash_, batch_no, pane_version, drained});
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
    std::filesystem::path const path = path_of(directory_, kind, number);
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
