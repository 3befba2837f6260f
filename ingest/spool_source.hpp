// A source that cannot be read again, made replayable: what it gives is on disk before anything is
// done with it (connectors.md 1.9).
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/engine/source.hpp"

namespace windrow {

// The records of another source of one partition, kept in <directory>/<offset of the first byte>:
// files of frames
//   u32 bytes | u32 CRC-32 of these four bytes and the record | the record
// Positions are offsets in all these bytes.  What was kept and not planned when a process died is
// given first; a frame that was torn then is cut off.  Files go that no snapshot needs any more: of
// two that may be kept, the older one counts.  EnvironmentError 74: the disk, damage, or a position
// that is not there.
class SpoolSource final : public Source {
 public:
  SpoolSource(std::unique_ptr<Source> inner, std::filesystem::path directory);
  ~SpoolSource() override;
  void open() override;
  bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) override;
  void read(std::span<Range const> ranges, RawBatch& out) override;
  [[nodiscard]] bool bounded() const override { return inner_->bounded(); }
  [[nodiscard]] std::string_view name() const override { return inner_->name(); }
  [[nodiscard]] std::string partition_name(std::uint32_t partition) const override {
    return inner_->partition_name(partition);
  }
  [[nodiscard]] std::string_view path_of(std::uint32_t partition,
                                         std::int64_t offset) const override;
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;
  void committed() override;

 private:
  class Text;
  void append(std::vector<RawRecord> const& records);
  void begin_file();
  void cut_torn_frame();
  // Records from `position_` on, until `to` or `rows_max`.
  void take(std::int64_t to, std::size_t rows_max, RawBatch& out);

  std::unique_ptr<Source> inner_;
  std::filesystem::path directory_;
  std::string path_;                 // the directory, for people
  std::vector<std::int64_t> files_;  // where each begins
  std::int64_t position_ = 0, end_ = 0;
  bool ended_ = false;                 // the other source: nothing comes behind `end_`
  int file_ = -1;                      // the last one, for appending
  mutable std::int64_t snapshot_ = 0;  // position of the snapshot taken last
  std::int64_t kept_ = 0;              // of the durable one before the last
  std::int64_t durable_ = 0;
};

}  // namespace windrow
