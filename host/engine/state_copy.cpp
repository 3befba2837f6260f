#include "host/engine/state_copy.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "host/engine/durable_file.hpp"
#include "host/engine/state_listing.hpp"

namespace windrow {
namespace {

constexpr std::string_view writer = "export";

// What a start needs.  The open file keeps its bytes though a run may remove its name.
struct Found {
  std::optional<StateOwner> owner;
  Recovery recovery;
  std::ifstream snapshot;
};
Found find(std::filesystem::path const& directory) {
  Found found;
  found.owner = read_owner(directory);
  found.recovery = find_recovery(directory);
  if (found.recovery.snapshot) {
    std::filesystem::path const path =
        state_file(directory, "snapshot", found.recovery.snapshot->head().batch_no);
    found.snapshot.open(path, std::ios::binary);
    if (!found.snapshot) {
      throw_io_error("open the snapshot", path);
    }
  }
  return found;
}

void make_room(std::filesystem::path const& out) {
  std::error_code error;
  bool const there = std::filesystem::exists(out, error);
  if (there && !std::filesystem::is_empty(out, error) && !error) {
    throw EnvironmentError(
        fmt::format("state: a copy goes into an empty directory, or one that it makes: path={}",
                    out.string()),
        64);
  }
  if (error) {
    errno = error.value();
    throw_io_error("look into the directory of the copy", out);
  }
  for (char const* const kind : {"snapshot", "plan"}) {
    make_directories(out / kind);
  }
}

void write(std::filesystem::path const& path, std::string_view bytes) {
  DurableFile file(path, writer);
  file.append(bytes);
  file.complete();
  file.replace();
}

void write(std::filesystem::path const& path, std::ifstream& from) {
  DurableFile file(path, writer);
  std::string chunk(1U << 20U, '\0');
  while (from.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), from.gcount() > 0) {
    file.append({chunk.data(), static_cast<std::size_t>(from.gcount())});
  }
  if (from.bad()) {
    throw EnvironmentError(fmt::format("snapshot: cannot read: copy={}", path.string()), 74);
  }
  file.complete();
  file.replace();
}

}  // namespace

StateCopy copy_state(std::filesystem::path const& directory, std::filesystem::path const& out) {
  check_is_state(directory);
  Found found = undisturbed(directory, [&directory] { return find(directory); });
  Recovery& recovery = found.recovery;
  if (!recovery.snapshot && recovery.plans.empty()) {
    throw EnvironmentError(
        fmt::format("state: nothing is there yet to copy: directory={}", directory.string()), 74);
  }
  make_room(out);
  StateCopy copy;
  copy.damaged = std::move(recovery.damaged);
  copy.plans = recovery.plans.size();
  for (RecordedPlan const& plan : recovery.plans) {
    write(state_file(out, "plan", plan.plan.batch_no), plan_bytes(plan));
  }
  if (recovery.snapshot) {
    copy.snapshot = recovery.snapshot->head().batch_no;
    copy.bytes = recovery.snapshot->bytes();
    write(state_file(out, "snapshot", *copy.snapshot), found.snapshot);
  }
  static_cast<void>(find_recovery(out));  // what was written verifies
  if (found.owner) {
    write_owner(out, *found.owner);
  }
  sync_directory(out);
  sync_directory(std::filesystem::absolute(out).parent_path());
  return copy;
}

}  // namespace windrow
