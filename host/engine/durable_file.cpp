// Temporary name, fsync, the final name, fsync of the directory.
#include "host/engine/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "host/engine/crash_point.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::size_t buffer_max = 1U << 20U;

}  // namespace

void throw_io_error(std::string_view doing, std::filesystem::path const& path) {
  int const reason = errno;
  std::string const what =
      fmt::format("cannot {}: path={} reason={}", doing, path.string(), std::strerror(reason));
  if (reason == ENOSPC || reason == EDQUOT) {
    throw DiskFullError(what, 74);
  }
  throw EnvironmentError(what, 74);
}

void make_directories(std::filesystem::path const& directory) {
  if (directory.empty() || std::filesystem::is_directory(directory)) {
    return;
  }
  std::filesystem::path const above = directory.parent_path();
  make_directories(above);
  if (::mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) {
    throw_io_error("create the directory", directory);
  }
  sync_directory(above.empty() ? "." : above);
}

void sync_directory(std::filesystem::path const& directory) {
  int const fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    throw_io_error("open the directory", directory);
  }
  bool const synced = ::fsync(fd) == 0;
  int const reason = errno;
  ::close(fd);
  errno = reason;
  if (!synced) {
    throw_io_error("make the directory durable", directory);
  }
}

std::vector<std::int64_t> numbers_in(std::filesystem::path const& directory) {
  std::vector<std::int64_t> numbers;
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(directory, error)) {
    std::string const name = entry.path().filename().string();
    std::int64_t number = 0;
    auto const [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (fault == std::errc{} && end == name.data() + name.size()) {
      numbers.push_back(number);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    errno = error.value();
    throw_io_error("list", directory);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

DurableFile::DurableFile(std::filesystem::path name, std::string_view writer)
    : name_(std::move(name)),
      temporary_(name_.parent_path() /
                 fmt::format(".{}.tmp.{}", name_.filename().string(), writer)) {
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_ < 0) {
    throw_io_error("create", temporary_);
  }
}

DurableFile::~DurableFile() {
  if (file_ >= 0) {
    ::close(file_);
    ::unlink(temporary_.c_str());
  }
}

void DurableFile::append(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_.size() >= buffer_max) {
    flush();
  }
}

void DurableFile::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    ::ssize_t const written = ::write(file_, left.data(), left.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      throw_io_error("write", temporary_);
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

void DurableFile::complete() {
  WINDROW_ASSERT(file_ >= 0, "a file is completed once");
  flush();
  if (::fsync(file_) != 0) {
    throw_io_error("make durable", temporary_);
  }
  complete_ = true;
}

void DurableFile::replace() {
  WINDROW_ASSERT(complete_, "only a complete file gets its name");
  if (::rename(temporary_.c_str(), name_.c_str()) != 0) {
    throw_io_error("rename to its final name", temporary_);
  }
  ::close(std::exchange(file_, -1));  // nothing is left to fail after fsync
  sync_directory(name_.parent_path());
}

// link(2) and not open(O_EXCL): the name is never seen without the bytes.
bool DurableFile::create() {
  WINDROW_ASSERT(complete_, "only a complete file gets its name");
  if (::link(temporary_.c_str(), name_.c_str()) != 0) {
    if (errno == EEXIST) {
      return false;
    }
    throw_io_error("link to its final name", temporary_);
  }
  WINDROW_CRASH_POINT("plan.linked");
  sync_directory(name_.parent_path());
  return true;  // the temporary name goes with this object
}

}  // namespace windrow
