// Frames: written, verified, handed out by component.
#define XXH_INLINE_ALL
#include "host/engine/snapshot_file.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <system_error>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

enum class Frame : std::uint8_t { head, component, piece, closing };
constexpr std::string_view magic = "windrow\n";
constexpr std::size_t overhead = 2 * sizeof(std::uint64_t);  // length and checksum of a frame

std::uint64_t checksum_of(std::string_view body, std::uint64_t frame) {
  return XXH3_64bits_withSeed(body.data(), body.size(), frame);
}

}  // namespace

class SnapshotFileWriter::Pieces final : public SnapshotWriter {
 public:
  explicit Pieces(SnapshotFileWriter& file) : file_(file) {}
  void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) override {
    ByteWriter body;
    body.put(Frame::piece);
    body.text(name);
    body.put(shard);
    body.text(bytes);
    file_.frame(body.bytes());
  }

 private:
  SnapshotFileWriter& file_;
};

SnapshotFileWriter::SnapshotFileWriter(std::filesystem::path name, std::string_view writer,
                                       SnapshotHead const& head)
    : file_(std::move(name), writer), pieces_(std::make_unique<Pieces>(*this)) {
  ByteWriter start;
  start.put(snapshot_format);
  file_.append(magic);
  file_.append(start.bytes());
  ByteWriter body;
  body.put(Frame::head);
  put(body, head.graph);
  body.put(head.batch_no);
  body.put(head.pane_version);
  body.put(static_cast<std::uint8_t>(head.drained));
  frame(body.bytes());
}
SnapshotFileWriter::~SnapshotFileWriter() = default;

void SnapshotFileWriter::frame(std::string_view body) {
  ByteWriter number;
  number.put(std::uint64_t{body.size()});
  file_.append(number.bytes());
  file_.append(body);
  number.clear();
  number.put(checksum_of(body, frames_++));
  file_.append(number.bytes());
}

SnapshotWriter& SnapshotFileWriter::component(std::string_view name) {
  ByteWriter body;
  body.put(Frame::component);
  body.text(name);
  frame(body.bytes());
  return *pieces_;
}

void SnapshotFileWriter::complete() {
  ByteWriter body;
  body.put(Frame::closing);
  body.put(frames_ + 1);
  frame(body.bytes());
  file_.complete();
}
void SnapshotFileWriter::publish() { file_.replace(); }

class SnapshotFileReader::Pieces final : public SnapshotReader {
 public:
  explicit Pieces(SnapshotFileReader& file) : file_(file) {}
  // The frame after the last one that was handed out stays in the reader's body_ until it is asked
  // for.
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (std::exchange(given_, false)) {
      file_.advance();
    }
    ByteReader body(file_.body_);
    if (body.get<Frame>() != Frame::piece) {
      return false;
    }
    name = body.text();
    shard = body.get<std::uint32_t>();
    bytes = body.text();
    given_ = true;
    return true;
  }
  // Moves past a piece that was handed out.
  void settle() {
    if (std::exchange(given_, false)) {
      file_.advance();
    }
  }

 private:
  SnapshotFileReader& file_;
  bool given_ = false;
};

SnapshotFileReader::SnapshotFileReader(std::filesystem::path name)
    : name_(std::move(name)),
      file_(name_, std::ios::binary),
      pieces_(std::make_unique<Pieces>(*this)) {
  if (!file_) {
    throw_io_error("open the snapshot", name_);
  }
  rewind();
  verify();
  rewind();
  advance();  // head
  advance();  // the first component, or the closing frame
}
SnapshotFileReader::~SnapshotFileReader() = default;

void SnapshotFileReader::refuse(std::string_view fault) const {
  throw DamageError(
      fmt::format("snapshot: damaged, {}: path={} frame={}", fault, name_.string(), frames_));
}

void SnapshotFileReader::rewind() {
  std::error_code error;
  left_ = bytes_ = std::filesystem::file_size(name_, error);
  if (error) {
    throw EnvironmentError(fmt::format("snapshot: cannot read: path={}", name_.string()), 74);
  }
  file_.clear();
  file_.seekg(0);
  frames_ = 0;
  char start[magic.size() + sizeof(std::uint32_t)];
  if (left_ < sizeof start) {
    refuse("it is cut short");
  }
  file_.read(start, sizeof start);
  left_ -= sizeof start;
  ByteReader reader({start, sizeof start});
  for (char const c : magic) {
    if (reader.get<char>() != c) {
      refuse("it does not begin as a snapshot");
    }
  }
  auto const format = reader.get<std::uint32_t>();
  if (format != snapshot_format) {
    throw EnvironmentError(
        fmt::format("snapshot: its format is not known: path={} format={} known={}", name_.string(),
                    format, snapshot_format),
        74);
  }
}

void SnapshotFileReader::advance() {
  std::uint64_t length = 0, checksum = 0;
  if (left_ < overhead) {
    refuse("it is cut short");
  }
  file_.read(reinterpret_cast<char*>(&length), sizeof length);
  if (!file_ || length > left_ - overhead) {
    refuse("it is cut short");
  }
  body_.resize(length);
  file_.read(body_.data(), static_cast<std::streamsize>(length));
  file_.read(reinterpret_cast<char*>(&checksum), sizeof checksum);
  if (!file_) {
    throw EnvironmentError(fmt::format("snapshot: cannot read: path={}", name_.string()), 74);
  }
  if (length == 0 || checksum != checksum_of(body_, frames_)) {
    refuse("a checksum differs");
  }
  left_ -= overhead + length;
  ++frames_;
}

void SnapshotFileReader::verify() {
  advance();
  ByteReader head(body_);
  if (head.get<Frame>() != Frame::head) {
    refuse("its head is missing");
  }
  head_.graph = get_graph_parts(head);
  head_.batch_no = head.get<std::int64_t>();
  head_.pane_version = head.get<std::int64_t>();
  head_.drained = head.get<std::uint8_t>() != 0;
  while (true) {
    advance();
    ByteReader body(body_);
    auto const kind = body.get<Frame>();
    if (kind == Frame::component || kind == Frame::piece) {
      continue;
    }
    if (kind != Frame::closing || body.get<std::uint64_t>() != frames_) {
      refuse("its frames do not add up");
    }
    if (left_ != 0) {
      refuse("bytes follow its end");
    }
    return;
  }
}

std::optional<std::string> SnapshotFileReader::next_name() {
  pieces_->settle();
  ByteReader body(body_);
  return body.get<Frame>() == Frame::component ? std::optional<std::string>(body.text())
                                               : std::nullopt;
}

SnapshotReader& SnapshotFileReader::component(std::string_view name) {
  pieces_->settle();
  ByteReader body(body_);
  auto const kind = body.get<Frame>();
  std::string_view const found = kind == Frame::component ? body.text() : std::string_view{};
  if (kind != Frame::component || found != name) {
    throw EnvironmentError(
        fmt::format("snapshot: another component is expected: path={} expected={} found={}",
                    name_.string(), name,
                    kind == Frame::component ? found
                    : kind == Frame::piece   ? "a piece left unread"
                                             : "the end"),
        74);
  }
  advance();
  return *pieces_;
}

void SnapshotFileReader::finish() {
  pieces_->settle();
  if (ByteReader(body_).get<Frame>() != Frame::closing) {
    throw EnvironmentError(
        fmt::format("snapshot: a component is left unread: path={}", name_.string()), 74);
  }
}

}  // namespace windrow
