// Lines of files, or of standard input: one record a line.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "host/engine/source.hpp"

namespace windrow {

// One file of a glob, as it was when the source was first opened.
struct LineFile {
  std::string path;
  std::int64_t bytes = 0;
  std::uint64_t device = 0, inode = 0;
};

// The files that a glob names, in order of path (by bytes); names that start with `.` or `_` or end
// in
// `.tmp` are other programs' unfinished work.  EnvironmentError: 78 none matches, a directory, or
// compressed files, which come later; 69 not readable.
[[nodiscard]] std::vector<LineFile> files_of(std::string const& glob);

// All files of a glob are one partition, read once from first to last (R89).  A line ends with \n
// or \r\n, the last one also without; blank lines are skipped.  A file that vanishes, shrinks or is
// replaced under us is an EnvironmentError 69.  A line of more than record_bytes_max is cut right
// behind that many bytes, for which the decoder sets it aside.
//
// offset = file index << 40 | byte offset of the line; path_of and offset_in_path take it apart.
// "-" is standard input: it cannot be read again.  A restart goes on with what comes then, at the
// offset where the last plan ended.
class LineSource : public Source {
 public:
  explicit LineSource(std::string path, int input = 0);  // `input`: the descriptor behind "-"
  ~LineSource() override;
  void open() override;
  bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) override;
  void read(std::span<Range const> ranges, RawBatch& out) override;
  [[nodiscard]] bool replayable() const override { return path_ != "-"; }
  [[nodiscard]] bool bounded() const override { return true; }
  [[nodiscard]] std::string_view name() const override { return path_; }
  [[nodiscard]] std::string partition_name(std::uint32_t partition) const override;
  [[nodiscard]] std::string_view path_of(std::uint32_t partition,
                                         std::int64_t offset) const override;
  [[nodiscard]] std::int64_t offset_in_path(std::int64_t offset) const override;
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;

 private:
  class Cursor;
  std::string path_;
  int input_;
  std::vector<LineFile> files_;  // empty for "-" and before open
  std::unique_ptr<Cursor> cursor_;
};

}  // namespace windrow
