// The form of lasting state: named, checksummed pieces, the same for every backend.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace windrow {

// The world is at fault (broker gone, disk full, damaged file): the batch has no effect and is
// retried, or the process ends with `exit_code` (operations.md 1).
class EnvironmentError : public std::runtime_error {
 public:
  EnvironmentError(std::string const& what, int exit_code)
      : runtime_error(what), exit_code_(exit_code) {}
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// A file whose bytes are not those that were written: an older one may serve in its place.
class DamageError : public EnvironmentError {
 public:
  explicit DamageError(std::string const& what) : EnvironmentError(what, 74) {}
};

// Pieces are read back in the order in which they were written.  `name` says what a piece is within
// its component, `shard` which part of it (0 where there is one).
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  virtual void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) = 0;
};
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  // False after the component's last piece.  The views hold until the next call.
  virtual bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) = 0;
};

// Keeps the pieces of one component, and gives them as they came, once after each `rewind`.
class MemoryPieces final : public SnapshotWriter, public SnapshotReader {
 public:
  void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) override {
    pieces_.push_back({std::string(name), shard, std::string(bytes)});
  }
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (at_ == pieces_.size()) {
      return false;
    }
    Piece const& piece = pieces_[at_++];
    name = piece.name;
    shard = piece.shard;
    bytes = piece.bytes;
    return true;
  }
  void rewind() { at_ = 0; }

 private:
  struct Piece {
    std::string name;
    std::uint32_t shard;
    std::string bytes;
  };
  std::vector<Piece> pieces_;
  std::size_t at_ = 0;
};

// The state of a whole graph: named components, read in the order in which they were written.  The
// writer or reader of a component holds until the next call.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  virtual SnapshotWriter& component(std::string_view name) = 0;
};
class StateReader {
 public:
  virtual ~StateReader() = default;
  // EnvironmentError 74 when the next component has another name.
  virtual SnapshotReader& component(std::string_view name) = 0;
};

// Appends plain values to a piece; little-endian, no padding.
class ByteWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>
  void put(T const& v) { bytes_.append(reinterpret_cast<char const*>(&v), sizeof v); }
  void put(double v) { put(std::bit_cast<std::uint64_t>(v)); }
  void text(std::string_view v) {
    put(static_cast<std::uint64_t>(v.size()));
    bytes_.append(v);
  }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};
// Reads them back; running past the end throws EnvironmentError 74 (checksums come first, so this
// is a piece of another version or a bug, never a silent wrong value).
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}
  template <class T>
  requires std::is_trivially_copyable_v<T> T get() {
    T v;
    need(sizeof v);
    std::memcpy(&v, left_.data(), sizeof v);
    left_.remove_prefix(sizeof v);
    return v;
  }
  std::string_view text() {
    auto const size = get<std::uint64_t>();
    need(size);
    std::string_view const v = left_.substr(0, size);
    left_.remove_prefix(size);
    return v;
  }
  [[nodiscard]] bool empty() const { return left_.empty(); }

 private:
  void need(std::uint64_t n) const {
    if (n > left_.size()) {
      throw EnvironmentError("snapshot: a piece ends early", 74);
    }
  }
  std::string_view left_;
};

}  // namespace windrow
