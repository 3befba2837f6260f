#define XXH_INLINE_ALL
#include "host/engine/state_files.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

namespace windrow {
namespace {

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

std::unique_ptr<SnapshotFileReader> newest_of(std::filesystem::path const& directory,
                                              std::vector<std::int64_t> const& numbers,
                                              std::vector<std::string>& damaged) {
  for (auto at = numbers.rbegin(); at != numbers.rend(); ++at) {
    try {
      return open_snapshot(directory, *at);
    } catch (DamageError const& error) {
      damaged.emplace_back(error.what());
    }
  }
  return nullptr;
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

void write_owner(std::filesystem::path const& directory, StateOwner const& owner) {
  std::string text = fmt::format("application_id: {}\nepoch: {}\nwriter: {}\n",
                                 owner.application_id, owner.epoch, owner.writer);
  text += checksum_line(text);
  DurableFile file(directory / "LOCK", owner.writer);
  file.append(text);
  file.complete();
  file.replace();
}

std::filesystem::path state_file(std::filesystem::path const& directory, char const* kind,
                                 std::int64_t batch_no) {
  return directory / kind / std::to_string(batch_no);
}

std::unique_ptr<SnapshotFileReader> open_snapshot(std::filesystem::path const& directory,
                                                  std::int64_t batch_no) {
  std::filesystem::path const path = state_file(directory, "snapshot", batch_no);
  auto reader = std::make_unique<SnapshotFileReader>(path);
  if (reader->head().batch_no != batch_no) {
    throw DamageError(
        fmt::format("snapshot: it is of another batch than its name: path={} batch={}",
                    path.string(), reader->head().batch_no));
  }
  return reader;
}

RecordedPlan open_plan(std::filesystem::path const& directory, std::int64_t batch_no) {
  std::filesystem::path const path = state_file(directory, "plan", batch_no);
  RecordedPlan plan = read_plan(path);
  if (plan.plan.batch_no != batch_no) {
    throw DamageError(fmt::format("plan: it is of another batch than its name: path={} batch={}",
                                  path.string(), plan.plan.batch_no));
  }
  return plan;
}

std::unique_ptr<SnapshotFileReader> newest_snapshot(std::filesystem::path const& directory) {
  std::vector<std::string> damaged;
  auto snapshot = newest_of(directory, numbers_in(directory / "snapshot"), damaged);
  if (!snapshot && !damaged.empty()) {
    throw DamageError(damaged.front());
  }
  if (!snapshot) {
    throw EnvironmentError(
        fmt::format("state: there is no snapshot: directory={}", directory.string()), 74);
  }
  return snapshot;
}

Recovery find_recovery(std::filesystem::path const& directory) {
  Recovery out;
  // In this order: a run that publishes meanwhile removes no plan above the newest snapshot.
  std::vector<std::int64_t> const snapshots = numbers_in(directory / "snapshot");
  std::vector<std::int64_t> const plans = numbers_in(directory / "plan");
  out.snapshot = newest_of(directory, snapshots, out.damaged);
  if (out.snapshot && out.snapshot->head().drained) {
    throw EnvironmentError(
        fmt::format("state: it was drained, so every further row would be too late; begin in an "
                    "empty directory: directory={}",
                    directory.string()),
        78);
  }
  if (!out.snapshot && !out.damaged.empty() && (plans.empty() || plans.front() != 1)) {
    throw EnvironmentError(
        fmt::format("state: no snapshot verifies, and plan 1 is not there any more; begin in an "
                    "empty directory at start_from: {}",
                    out.damaged.front()),
        74);
  }
  std::int64_t last = out.snapshot ? out.snapshot->head().batch_no : 0;
  for (auto at = std::upper_bound(plans.begin(), plans.end(), last); at != plans.end(); ++at) {
    if (*at != last + 1) {
      throw EnvironmentError(
          fmt::format("state: a plan is missing, whose batch may have had effects; begin in an "
                      "empty directory at start_from: directory={} missing={} next={}",
                      directory.string(), last + 1, *at),
          74);
    }
    out.plans.push_back(open_plan(directory, ++last));
  }
  return out;
}

}  // namespace windrow
