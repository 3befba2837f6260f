// The state of a whole graph as one file of checksummed frames (connectors.md 1.1, 1.5).
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/engine/durable_file.hpp"
#include "host/engine/graph_hash.hpp"
#include "host/engine/snapshot.hpp"

namespace windrow {

// What a snapshot says of itself: the last batch folded into it, that batch's pane_version, what
// the graph was, and whether it was drained (R71).
struct SnapshotHead {
  GraphParts graph;
  std::int64_t batch_no = 0, pane_version = 0;
  bool drained = false;
  bool operator==(SnapshotHead const&) const = default;
};

// Form of the file, numbers little-endian: 8 bytes "windrow\n", u32 format version, then frames
//   u64 length of the body | body | u64 XXH3-64 of the body, seeded with the frame's number from 0
// Bodies begin with a u8 kind: head (SnapshotHead), component (its name), piece (name, shard,
// bytes; of the component before it), closing (u64 number of frames, itself included), after which
// the file ends.  So a flipped byte, a cut, a lost, doubled or moved frame does not verify.
inline constexpr std::uint32_t snapshot_format = 5;

class SnapshotFileWriter final : public StateWriter {
 public:
  SnapshotFileWriter(std::filesystem::path name, std::string_view writer, SnapshotHead const& head);
  ~SnapshotFileWriter() override;
  SnapshotWriter& component(std::string_view name) override;
  void complete();  // the closing frame; durable, but not under its name
  void publish();   // under its name

 private:
  class Pieces;
  void frame(std::string_view body);
  DurableFile file_;
  std::uint64_t frames_ = 0;
  std::unique_ptr<Pieces> pieces_;
};

// Verifies the whole file before it gives anything; DamageError names the file and the fault,
// EnvironmentError 74 what is no damage: another format, or bytes that cannot be read.
class SnapshotFileReader final : public StateReader {
 public:
  explicit SnapshotFileReader(std::filesystem::path name);
  ~SnapshotFileReader() override;
  [[nodiscard]] SnapshotHead const& head() const { return head_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of the file
  // Of the component that follows, whose pieces before it have been read; nothing at the end.
  [[nodiscard]] std::optional<std::string> next_name();
  // Also 74 when pieces of the component before were left unread.
  SnapshotReader& component(std::string_view name) override;
  void finish();  // 74 when components are left

 private:
  class Pieces;
  void rewind();
  void advance();  // to the next frame, which is then in body_
  void verify();
  [[noreturn]] void refuse(std::string_view fault) const;
  std::filesystem::path name_;
  std::ifstream file_;
  std::uint64_t bytes_ = 0, left_ = 0, frames_ = 0;
  std::string body_;
  SnapshotHead head_;
  std::unique_ptr<Pieces> pieces_;
};

}  // namespace windrow
