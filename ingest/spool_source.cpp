#include "ingest/spool_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "host/engine/crash_point.hpp"
#include "host/engine/durable_file.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::int64_t file_bytes_max = std::int64_t{64} << 20;
constexpr std::size_t block_bytes = 4U << 20U;

struct Frame {
  std::uint32_t bytes = 0, checksum = 0;
};

// Of the length too: zeros, which a file system may leave at an end, are no record.
std::uint32_t checksum_of(char const* data, std::uint32_t size) {
  uLong const begin = crc32_z(0, reinterpret_cast<unsigned char const*>(&size), sizeof size);
  return static_cast<std::uint32_t>(
      crc32_z(begin, reinterpret_cast<unsigned char const*>(data), size));
}

// The frame at the front, or nothing where the text ends in it or is not what was written.
std::optional<std::string_view> front_record(std::string_view text) {
  Frame frame;
  if (text.size() < sizeof frame) {
    return std::nullopt;
  }
  std::memcpy(&frame, text.data(), sizeof frame);
  if (text.size() - sizeof frame < frame.bytes) {
    return std::nullopt;
  }
  std::string_view const record = text.substr(sizeof frame, frame.bytes);
  return checksum_of(record.data(), frame.bytes) == frame.checksum ? std::optional(record)
                                                                   : std::nullopt;
}

std::string bytes_at(std::filesystem::path const& path, std::int64_t offset, std::size_t most) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    throw_io_error("open the spool", path);
  }
  std::string text(most, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::pread(fd, text.data() + size, most - size, offset + static_cast<std::int64_t>(size));
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  } while (size < most && (got > 0 || (got < 0 && errno == EINTR)));
  int const reason = errno;
  ::close(fd);
  errno = reason;
  if (got < 0) {
    throw_io_error("read the spool", path);
  }
  text.resize(size);
  return text;
}

}  // namespace

class SpoolSource::Text final : public Lease {
 public:
  std::vector<std::string> blocks;
};

SpoolSource::SpoolSource(std::unique_ptr<Source> inner, std::filesystem::path directory)
    : inner_(std::move(inner)), directory_(std::move(directory)), path_(directory_.string()) {}

SpoolSource::~SpoolSource() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

void SpoolSource::open() {
  make_directories(directory_);
  files_ = numbers_in(directory_);
  if (files_.empty()) {
    end_ = position_;
    begin_file();
  } else {
    cut_torn_frame();
  }
  if (position_ < files_.front() || position_ > end_) {
    throw EnvironmentError(
        fmt::format("spool: it does not have the position of the state: path={} wanted={} begin={} "
                    "end={}",
                    path_, position_, files_.front(), end_),
        74);
  }
  inner_->open();
}

void SpoolSource::begin_file() {
  if (file_ >= 0) {
    ::close(file_);
  }
  files_.push_back(end_);
  std::filesystem::path const path = directory_ / std::to_string(end_);
  file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) {
    throw_io_error("create a file of the spool", path);
  }
  sync_directory(directory_);
}

// The last file holds whole frames, then at most a torn one, since each batch is synced before the
// next: one that the file ends in, or zeros that the file system put there.  Anything else is no
// end, and behind it there may be records.
void SpoolSource::cut_torn_frame() {
  std::filesystem::path const path = directory_ / std::to_string(files_.back());
  std::string const text = bytes_at(path, 0, std::filesystem::file_size(path));
  std::string_view left = text;
  while (auto const record = front_record(left)) {
    left.remove_prefix(sizeof(Frame) + record->size());
  }
  std::size_t const whole = text.size() - left.size();
  Frame frame;
  std::memcpy(&frame, left.data(), std::min(left.size(), sizeof frame));
  bool const torn = left.size() < sizeof frame || left.size() - sizeof frame < frame.bytes ||
                    left.find_first_not_of('\0') == std::string_view::npos;
  if (!torn) {
    throw DamageError(
        fmt::format("spool: damaged, and records may follow; where none of them "
                    "matters, cut the file there (truncate -s {}): path={} offset={}",
                    whole, path.string(), whole));
  }
  file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(whole)) != 0) {
    throw_io_error("cut a torn record off the spool", path);
  }
  end_ = files_.back() + static_cast<std::int64_t>(whole);
}

void SpoolSource::append(std::vector<RawRecord> const& records) {
  if (records.empty()) {
    return;
  }
  if (end_ - files_.back() >= file_bytes_max) {
    begin_file();
  }
  std::string text;
  for (RawRecord const& record : records) {
    Frame const frame{record.bytes, checksum_of(record.data, record.bytes)};
    text.append(reinterpret_cast<char const*>(&frame), sizeof frame);
    text.append(record.data, record.bytes);
  }
  for (std::string_view left = text; !left.empty();) {
    ssize_t const written = ::write(file_, left.data(), left.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      throw_io_error("write the spool", directory_);
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(file_) != 0) {
    throw_io_error("make the spool durable", directory_);
  }
  end_ += static_cast<std::int64_t>(text.size());
  WINDROW_CRASH_POINT("spool.durable");
}

// All that there is goes to the disk at once: what this process alone has, a crash would lose.
bool SpoolSource::poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) {
  bool quiet = false;
  if (position_ == end_ && !ended_) {
    RawBatch all;
    ended_ = !inner_->poll(all, SIZE_MAX, wait_us);
    append(all.records);
    quiet = all.ranges.at(0).caught_up;
  }
  out = {};
  std::int64_t const from = position_;
  take(end_, rows_max, out);
  bool const all_given = position_ == end_;
  out.ranges.push_back({0, from, position_, all_given && quiet, all_given && ended_, {}});
  return !all_given || !ended_;
}

void SpoolSource::read(std::span<Range const> ranges, RawBatch& out) {
  WINDROW_ASSERT(ranges.size() == 1 && ranges[0].from == position_,
                 "plans are read in their order");
  out = {};
  take(ranges[0].to, SIZE_MAX, out);
  out.ranges.assign(1, ranges[0]);
}

void SpoolSource::take(std::int64_t to, std::size_t rows_max, RawBatch& out) {
  if (to > end_) {
    throw EnvironmentError(fmt::format("spool: it ends below the offset that plans need: path={} "
                                       "wanted={} end={}",
                                       path_, to, end_),
                           74);
  }
  auto lease = std::make_unique<Text>();
  for (std::size_t most = block_bytes; position_ < to && out.records.size() < rows_max;) {
    auto const file = std::prev(std::upper_bound(files_.begin(), files_.end(), position_));
    std::filesystem::path const path = directory_ / std::to_string(*file);
    std::string const& block = lease->blocks.emplace_back(bytes_at(path, position_ - *file, most));
    std::string_view left = block;
    while (position_ < to && out.records.size() < rows_max) {
      auto const record = front_record(left);
      if (!record) {
        break;
      }
      out.records.push_back(
          {record->data(), static_cast<std::uint32_t>(record->size()), 0, position_, T_MIN});
      left.remove_prefix(sizeof(Frame) + record->size());
      position_ += static_cast<std::int64_t>(sizeof(Frame) + record->size());
    }
    if (left.size() < block.size()) {
      continue;
    }
    if (block.size() < most) {  // all there is, and no record at its front
      throw DamageError(
          fmt::format("spool: damaged: path={} offset={}", path.string(), position_ - *file));
    }
    most *= 2;  // a record longer than a block
  }
  out.payloads = std::move(lease);
}

std::string_view SpoolSource::path_of(std::uint32_t /*partition*/, std::int64_t /*offset*/) const {
  return path_;
}

void SpoolSource::snapshot(SnapshotWriter& out) const {
  ByteWriter bytes;
  bytes.put(position_);
  out.piece("spool", 0, bytes.bytes());
  inner_->snapshot(out);  // the line that it has begun to read
  snapshot_ = position_;
}

void SpoolSource::restore(SnapshotReader& in) {
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  if (!in.next(name, shard, bytes) || name != "spool") {
    throw EnvironmentError("snapshot: the position in the spool is missing", 74);
  }
  position_ = ByteReader(bytes).get<std::int64_t>();
  durable_ = kept_ = position_;
  inner_->restore(in);
}

void SpoolSource::committed() {
  kept_ = std::exchange(durable_, snapshot_);
  while (files_.size() > 1 && files_[1] <= kept_) {
    std::error_code error;
    std::filesystem::remove(directory_ / std::to_string(files_.front()), error);
    files_.erase(files_.begin());
  }
}

}  // namespace windrow
