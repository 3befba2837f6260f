// Rows as lines of JSON, appended to a file or to stdout.
#include "sinks/json_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "host/engine/snapshot.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

// Offset after the last '\n' of a file of `size` bytes; 0 if it has none.
off_t end_of_last_line(std::string const& path, off_t size) {
  int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    throw EnvironmentError(
        fmt::format("json sink: the file must be readable, so that its last line can be checked: "
                    "path={}: {}",
                    path, std::strerror(errno)),
        69);
  }
  std::array<char, 65536> chunk;
  off_t end = 0;
  while (size > 0 && end == 0) {
    auto const from = std::max<off_t>(0, size - static_cast<off_t>(chunk.size()));
    ssize_t const got = pread(file, chunk.data(), static_cast<std::size_t>(size - from), from);
    std::string_view const text(chunk.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    if (auto const at = text.rfind('\n'); at != std::string_view::npos) {
      end = from + static_cast<off_t>(at) + 1;
    }
    size = from;
  }
  close(file);
  return end;
}

}  // namespace

JsonSink::JsonSink(std::string path, SinkSchema const& schema, bool cut_torn)
    : path_(std::move(path)), cut_torn_(cut_torn), json_(schema.columns) {}

JsonSink::~JsonSink() {
  if (file_ > STDERR_FILENO) {
    close(file_);
  }
}

// Without a state a torn last line is refused, not mended: whether it is half a row of ours (the
// next run writes it whole: cut it) or somebody's row without its newline (add one), the file does
// not tell.
void JsonSink::open() {
  if (path_ == "-") {
    file_ = STDOUT_FILENO;
    return;
  }
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw EnvironmentError(
        fmt::format("json sink: the file must open: path={}: {}", path_, std::strerror(errno)), 69);
  }
  struct stat info = {};
  if (fstat(file_, &info) == 0 && S_ISREG(info.st_mode)) {
    if (off_t const end = end_of_last_line(path_, info.st_size);
        end != info.st_size && !(cut_torn_ && ftruncate(file_, end) == 0)) {
      throw EnvironmentError(
          fmt::format("json sink: the last line must end in a newline; cut it (truncate -s {} {}) "
                      "or add one: path={} line_at={} size={}",
                      end, path_, path_, end, info.st_size),
          74);
    }
  }
}

void JsonSink::write(SinkRowsView const& rows, std::span<Outcome> out,
                     std::vector<SinkFault>& faults) {
  WINDROW_ASSERT(file_ >= 0, "open comes before write");
  WINDROW_ASSERT(out.size() == rows.rows, "one outcome per row");
  faults.clear();
  if (unfinished_ != rows.batch_no) {
    WINDROW_ASSERT(!unfinished_.has_value(), "a batch is sent again until it is written");
    text_.clear();
    sent_ = 0;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      json_.append(rows, row, text_);
      text_ += '\n';
    }
  }
  unfinished_ = rows.batch_no;
  while (sent_ < text_.size()) {
    ssize_t const n = ::write(file_, text_.data() + sent_, text_.size() - sent_);
    if (n >= 0) {
      sent_ += static_cast<std::size_t>(n);
      continue;
    }
    int const cause = errno;
    if (cause == EAGAIN) {  // stdout may be a pipe that another process made non-blocking
      pollfd ready{file_, POLLOUT, 0};
      static_cast<void>(poll(&ready, 1, -1));
    } else if (cause != EINTR) {
      // A reader that has gone never comes back; all else (disk full) can be mended.
      std::fill(out.begin(), out.end(), cause == EPIPE ? Outcome::fatal : Outcome::pause);
      faults.push_back({0, fmt::format("json sink: the lines must be written: path={}: {}", path_,
                                       std::strerror(cause))});
      return;
    }
  }
  unfinished_.reset();
  std::fill(out.begin(), out.end(), Outcome::ok);
}

// Pipes and terminals have nothing to sync and say so with EINVAL or EROFS.
void JsonSink::flush() {
  if (fsync(file_) != 0 && errno != EINVAL && errno != EROFS) {
    throw EnvironmentError(fmt::format("json sink: the lines must reach the disk: path={}: {}",
                                       path_, std::strerror(errno)),
                           74);
  }
}

}  // namespace windrow
