// LOCK, its mark, and the snapshot of a clean stop.
#define XXH_INLINE_ALL
#include "host/engine/state_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <system_error>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::string_view none = "none";

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

}  // namespace

StateDirectory::StateDirectory(std::filesystem::path directory, std::string application_id,
                               std::uint64_t graph_hash)
    : directory_(std::move(directory)), graph_hash_(graph_hash) {
  WINDROW_ASSERT(application_id.find('\n') == std::string::npos, "an application id is one line");
  make_directories(directory_ / "snapshot");
  // On the directory and not on LOCK, which is replaced as a whole.
  held_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (held_ < 0) {
    throw_io_error("open the directory", directory_);
  }
  try {
    if (::flock(held_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) {
        throw_io_error("lock the directory", directory_);
      }
      throw EnvironmentError(
          fmt::format("state: one process at a time: another one holds it: directory={}",
                      directory_.string()),
          75);
    }
    std::optional<Lock> const found = read_lock();
    bool const has_snapshots = !std::filesystem::is_empty(directory_ / "snapshot");
    if (!found && has_snapshots) {
      throw EnvironmentError(
          fmt::format("state: snapshots without LOCK: nothing says how the last run ended; begin "
                      "in an empty directory at start_from: directory={}",
                      directory_.string()),
          74);
    }
    lock_ = found.value_or(Lock{application_id, {}, 0, false, std::nullopt});
    if (lock_.application_id != application_id) {
      throw EnvironmentError(
          fmt::format(
              "state: it belongs to another application; give each its own directory: directory={} "
              "has={} application_id={}",
              directory_.string(), lock_.application_id, application_id),
          78);
    }
    if (lock_.in_use) {
      throw EnvironmentError(fmt::format("state: the last run crashed or ended with an error, "
                                         "and rows that it wrote after its snapshot cannot be told "
                                         "from missing ones; begin in an empty directory at "
                                         "start_from: directory={} writer={} "
                                         "epoch={}",
                                         directory_.string(), lock_.writer, lock_.epoch),
                             74);
    }
    if (auto const snapshot = open_snapshot()) {
      SnapshotHead const& head = snapshot->head();
      if (head.graph_hash != graph_hash_) {
        throw EnvironmentError(fmt::format("state: the graph has changed in what decides results; "
                                           "keep the old file or give the new "
                                           "one another application id and directory: directory={} "
                                           "snapshot={:016x} file={:016x}",
                                           directory_.string(), head.graph_hash, graph_hash_),
                               78);
      }
      if (head.drained) {
        throw EnvironmentError(
            fmt::format(
                "state: it was drained, so every further row would be too late; begin in an empty "
                "directory: directory={}",
                directory_.string()),
            78);
      }
    }
  } catch (...) {
    ::close(held_);
    throw;
  }
}

StateDirectory::~StateDirectory() { ::close(held_); }

std::filesystem::path StateDirectory::snapshot_path(std::int64_t batch_no) const {
  return directory_ / "snapshot" / std::to_string(batch_no);
}

std::unique_ptr<SnapshotFileReader> StateDirectory::open_snapshot() const {
  if (!lock_.snapshot) {
    return nullptr;
  }
  auto reader = std::make_unique<SnapshotFileReader>(snapshot_path(*lock_.snapshot));
  if (reader->head().batch_no != *lock_.snapshot) {
    throw EnvironmentError(
        fmt::format("state: a snapshot is of another batch than its name: path={} batch={}",
                    snapshot_path(*lock_.snapshot).string(), reader->head().batch_no),
        74);
  }
  return reader;
}

void StateDirectory::begin() {
  WINDROW_ASSERT(!lock_.in_use, "a run begins once");
  remove_snapshots_but(lock_.snapshot);  // temporary files of a stop that failed
  ++lock_.epoch;
  lock_.writer = new_writer();
  lock_.in_use = true;
  write_lock();
}

void StateDirectory::abandon() {
  lock_.in_use = false;
  write_lock();
}

void StateDirectory::end(std::int64_t batch_no, std::int64_t pane_version, bool drained,
                         std::function<void(StateWriter&)> const& write) {
  WINDROW_ASSERT(lock_.in_use, "a run that begun ends");
  SnapshotFileWriter out(snapshot_path(batch_no), lock_.writer,
                         {graph_hash_, batch_no, pane_version, drained});
  write(out);
  out.publish();
  lock_.snapshot = batch_no;
  lock_.in_use = false;
  write_lock();
  remove_snapshots_but(batch_no);
}

void StateDirectory::remove_snapshots_but(std::optional<std::int64_t> kept) const {
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(directory_ / "snapshot", error)) {
    if (kept && entry.path() == snapshot_path(*kept)) {
      continue;
    }
    if (!std::filesystem::remove(entry.path(), error) && error) {
      break;
    }
  }
  if (error) {
    errno = error.value();
    throw_io_error("remove old snapshots", directory_ / "snapshot");
  }
}

void StateDirectory::write_lock() const {
  std::string text =
      fmt::format("application_id: {}\nepoch: {}\nwriter: {}\nin_use: {}\nsnapshot: {}\n",
                  lock_.application_id, lock_.epoch, lock_.writer, lock_.in_use ? "yes" : "no",
                  lock_.snapshot ? std::to_string(*lock_.snapshot) : std::string(none));
  text += checksum_line(text);
  DurableFile file(directory_ / "LOCK", lock_.writer);
  file.append(text);
  file.publish();
}

std::optional<StateDirectory::Lock> StateDirectory::read_lock() const {
  std::filesystem::path const path = directory_ / "LOCK";
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
  auto const damaged = [&path] {
    return EnvironmentError(
        fmt::format("state: LOCK is damaged; begin in an empty directory at start_from: path={}",
                    path.string()),
        74);
  };
  std::size_t const checked = text.rfind("checksum: ");
  if (checked == std::string::npos ||
      rest.substr(checked) != checksum_line(rest.substr(0, checked))) {
    throw damaged();
  }
  auto const application_id = take_line(rest, "application_id");
  auto const epoch = number_of<std::uint64_t>(take_line(rest, "epoch"));
  auto const writer = take_line(rest, "writer");
  auto const in_use = take_line(rest, "in_use");
  auto const snapshot = take_line(rest, "snapshot");
  auto const number = number_of<std::int64_t>(snapshot);
  if (!application_id || !epoch || !writer || !in_use || !snapshot ||
      (!number && *snapshot != none)) {
    throw damaged();
  }
  return Lock{std::string(*application_id), std::string(*writer), *epoch, *in_use != "no", number};
}

}  // namespace windrow
