// Large reads into one buffer per batch, cut at newlines where they lie.
#include "ingest/line_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "host/model/portable.hpp"
#include "ingest/json_decoder.hpp"

namespace windrow {
namespace {

constexpr int file_shift = 40;
constexpr std::int64_t byte_mask = (std::int64_t{1} << file_shift) - 1;
constexpr std::size_t block_min = 4U << 10U, block_max = 1U << 20U;
constexpr std::size_t batch_bytes_max = 16U << 20U;  // unless its first line alone is longer
constexpr std::size_t line_max = std::size_t{record_bytes_max} + 1;
constexpr int unavailable = 69, damaged = 74;

class TextLease : public Lease {
 public:
  explicit TextLease(std::string lines) : lines_(std::move(lines)) {}
  [[nodiscard]] char const* data() const { return lines_.data(); }

 private:
  std::string lines_;
};

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

// Where the next line starts, and the bytes read ahead of it.
class LineSource::Cursor {
 public:
  Cursor(std::vector<LineFile> const& files, int input) : files_(files), input_(input) {}
  ~Cursor() {
    if (fd_ >= 0 && fd_ != input_) {
      ::close(fd_);
    }
  }
  Cursor(Cursor const&) = delete;  // owns a descriptor
  Cursor& operator=(Cursor const&) = delete;

  // How much one call takes: lines that start before `end`, and no line behind `bytes` of them.
  struct Limits {
    std::size_t rows = 0, bytes = 0;
    std::int64_t end = INT64_MAX;
  };
  // False when the last file has ended.
  bool fill(RawBatch& out, Limits const& limits, std::int64_t wait_us);
  [[nodiscard]] std::int64_t position() const {
    return (static_cast<std::int64_t>(file_) << file_shift) | byte_;
  }
  void move_to(std::int64_t position) {
    file_ = static_cast<std::size_t>(position >> file_shift);
    byte_ = position & byte_mask;
  }
  void skip_to(std::int64_t position) {  // of standard input: what was read before is lost
    move_to(position);
    ahead_.clear();
    skip_ = false;
  }
  void save(ByteWriter& out) const {
    out.put(position());
    out.put(static_cast<std::uint8_t>(skip_));
    out.text(files_.empty() ? ahead_ : std::string_view());  // of files they are read again
  }
  void load(ByteReader& in) {
    move_to(in.get<std::int64_t>());
    skip_ = in.get<std::uint8_t>() != 0;
    ahead_ = in.text();
  }

 private:
  [[nodiscard]] bool is_input() const { return files_.empty(); }
  [[nodiscard]] std::string_view path() const {
    return is_input() ? std::string_view("-") : std::string_view(files_[file_].path);
  }
  void open_file();
  bool read_more(std::string& text, std::size_t unread, std::size_t rows_max, std::int64_t wait_us);
  [[noreturn]] void fail(char const* what, int error) const {
    throw EnvironmentError(
        fmt::format("line source: {}: {}: path={}", what, std::strerror(error), path()),
        unavailable);
  }

  std::vector<LineFile> const& files_;
  int input_, fd_ = -1;
  std::size_t file_ = 0;
  std::int64_t byte_ = 0;  // of the next line in its file
  std::string ahead_;      // bytes from there on
  bool at_end_ = false;    // of the file: nothing behind `ahead_`
  bool skip_ = false;      // inside a line that was cut
  bool waiting_ = false;   // standard input had nothing
};

void LineSource::Cursor::open_file() {
  if (is_input()) {
    fd_ = input_;
    return;
  }
  LineFile const& file = files_[file_];
  fd_ = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat now {};
  if (fd_ < 0 || ::fstat(fd_, &now) != 0) {
    fail("cannot open a file", errno);
  }
  if (now.st_ino != file.inode || now.st_dev != file.device || now.st_size < file.bytes) {
    throw EnvironmentError(
        fmt::format("line source: a file was replaced or cut while it was read: path={} "
                    "bytes={} now={}",
                    file.path, file.bytes, now.st_size),
        unavailable);
  }
  if (::lseek(fd_, byte_ + static_cast<std::int64_t>(ahead_.size()), SEEK_SET) < 0) {
    fail("cannot seek", errno);
  }
}

// Appends what one read gives; false when standard input has nothing now.
bool LineSource::Cursor::read_more(std::string& text, std::size_t unread, std::size_t rows_max,
                                   std::int64_t wait_us) {
  if (fd_ < 0) {
    open_file();
  }
  if (is_input()) {
    pollfd ready{fd_, POLLIN, 0};
    int const n =
        ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>((wait_us + 999) / 1000, 60'000)));
    if (n < 0 && errno != EINTR) {
      fail("cannot wait", errno);
    }
    waiting_ = n <= 0;
    if (waiting_) {
      return false;
    }
  }
  // A long line doubles the block, so that its bytes are searched and moved a few times only.
  std::size_t const block =
      std::max(std::clamp(std::min(rows_max, block_max) * 128, block_min, block_max),
               std::min(unread, batch_bytes_max));
  std::size_t const size = text.size();
  text.resize(size + block);
  ssize_t const got = ::read(fd_, text.data() + size, block);
  int const error = errno;
  text.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0) {
    if (error == EINTR || error == EAGAIN) {
      return !is_input();
    }
    fail("cannot read", error);
  }
  if (got == 0) {
    at_end_ = true;
    std::int64_t const end = byte_ + static_cast<std::int64_t>(unread);
    if (!is_input() && end < files_[file_].bytes) {
      throw EnvironmentError(
          fmt::format("line source: a file was cut while it was read: path={} bytes={} now={}",
                      path(), files_[file_].bytes, end),
          unavailable);
    }
  }
  return true;
}

bool LineSource::Cursor::fill(RawBatch& out, Limits const& limits, std::int64_t wait_us) {
  std::string text = std::move(ahead_);
  ahead_.clear();
  std::size_t parsed = 0, searched = 0;  // text[parsed, searched) has no newline
  std::vector<std::size_t> starts;       // of the records, since the buffer still moves
  std::int64_t const from = position();
  bool more = true;
  waiting_ = false;
  auto take = [&](std::size_t size) {  // one line of text at `parsed`, without its newline
    std::string_view line = std::string_view(text).substr(parsed, size);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!is_blank(line)) {
      starts.push_back(parsed);
      out.records.push_back(
          {nullptr, static_cast<std::uint32_t>(line.size()), 0, position(), T_MIN});
    }
  };
  auto drop = [&](std::size_t to) {  // text up to `to` is done
    byte_ += static_cast<std::int64_t>(to - parsed);
    parsed = searched = to;
  };
  while (skip_ || (starts.size() < limits.rows && position() < limits.end)) {
    void const* const found = std::memchr(text.data() + searched, '\n', text.size() - searched);
    if (found != nullptr) {
      auto const newline = static_cast<std::size_t>(static_cast<char const*>(found) - text.data());
      if (!skip_) {
        take(std::min(newline - parsed, line_max));
      }
      skip_ = false;
      drop(newline + 1);
      continue;
    }
    searched = text.size();
    if (at_end_) {
      if (parsed < text.size() && !skip_) {
        take(text.size() - parsed);
      }
      skip_ = false;
      drop(text.size());
      if (is_input() || file_ + 1 >= files_.size()) {
        more = false;
        break;
      }
      if (fd_ >= 0) {
        ::close(fd_);
      }
      fd_ = -1;
      at_end_ = false;
      file_ += 1;
      byte_ = 0;
      continue;
    }
    if (skip_) {
      byte_ += static_cast<std::int64_t>(text.size() - parsed);
      text.resize(parsed);
      searched = parsed;
    } else if (text.size() - parsed >= line_max) {
      take(line_max);
      skip_ = true;
      // What is kept of the cut line stays in the buffer; its further bytes are read over.
      std::size_t const kept = parsed + line_max;
      byte_ += static_cast<std::int64_t>(text.size() - parsed);
      text.resize(kept);
      parsed = searched = kept;
    } else if (text.size() >= limits.bytes && !starts.empty()) {
      break;
    }
    if (!read_more(text, text.size() - parsed, limits.rows, starts.empty() ? wait_us : 0)) {
      break;
    }
  }
  ahead_.assign(text, parsed);
  text.resize(parsed);
  auto lease = std::make_unique<TextLease>(std::move(text));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    out.records[i].data = lease->data() + starts[i];
  }
  out.payloads = std::move(lease);
  out.ranges.push_back({0, from, position(), !more || waiting_, !more, std::nullopt});
  return more;
}

LineSource::LineSource(std::string path, int input) : path_(std::move(path)), input_(input) {}
LineSource::~LineSource() = default;

void LineSource::open() {
  if (path_ != "-" && files_.empty()) {
    files_ = files_of(path_);
  }
  if (!cursor_) {
    cursor_ = std::make_unique<Cursor>(files_, input_);
  }
}

bool LineSource::poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) {
  WINDROW_ASSERT(cursor_, "open comes before poll");
  out = {};
  return cursor_->fill(out, {rows_max, batch_bytes_max}, wait_us);
}

void LineSource::read(std::span<Range const> ranges, RawBatch& out) {
  WINDROW_ASSERT(cursor_ && ranges.size() == 1, "open comes before read, of the one partition");
  out = {};
  Range const& range = ranges[0];
  WINDROW_ASSERT(cursor_->position() == range.from, "plans are read in their order");
  if (replayable()) {
    cursor_->fill(out, {SIZE_MAX, SIZE_MAX, range.to}, 0);
  } else if (range.from < range.to) {
    cursor_->skip_to(range.to);
  }
  out.ranges.assign(1, range);
}

std::string LineSource::partition_name(std::uint32_t /*partition*/) const { return "0"; }

std::string_view LineSource::path_of(std::uint32_t /*partition*/, std::int64_t offset) const {
  auto const file = static_cast<std::size_t>(offset >> file_shift);
  return file < files_.size() ? std::string_view(files_[file].path) : std::string_view(path_);
}

std::int64_t LineSource::offset_in_path(std::int64_t offset) const { return offset & byte_mask; }

void LineSource::snapshot(SnapshotWriter& out) const {
  WINDROW_ASSERT(cursor_, "open comes before snapshot");
  ByteWriter bytes;
  for (LineFile const& file : files_) {
    bytes.text(file.path);
    bytes.put(file.bytes);
    bytes.put(file.device);
    bytes.put(file.inode);
  }
  out.piece("files", 0, bytes.bytes());
  bytes.clear();
  cursor_->save(bytes);
  out.piece("position", 0, bytes.bytes());
}

// The files of the first start: those that came later are not part of this input.
void LineSource::restore(SnapshotReader& in) {
  std::string_view piece, bytes;
  std::uint32_t shard = 0;
  while (in.next(piece, shard, bytes)) {
    ByteReader reader(bytes);
    if (piece == "files") {
      while (!reader.empty()) {
        LineFile file;
        file.path = reader.text();
        file.bytes = reader.get<std::int64_t>();
        file.device = reader.get<std::uint64_t>();
        file.inode = reader.get<std::uint64_t>();
        files_.push_back(std::move(file));
      }
    } else if (piece == "position") {
      cursor_ = std::make_unique<Cursor>(files_, input_);
      cursor_->load(reader);
    } else {
      throw EnvironmentError(fmt::format("line source: a piece of another version: name={}", piece),
                             damaged);
    }
  }
}

}  // namespace windrow
