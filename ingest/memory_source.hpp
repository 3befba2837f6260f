// Records from memory: the elements of a Create, and tests.
#pragma once
#include <string>
#include <vector>

#include "host/engine/source.hpp"

namespace windrow {

// One partition; the offset of a record is its index.  Bounded, replayable, without record times.
class MemorySource : public Source {
 public:
  MemorySource(std::string name, std::vector<std::string> records);
  void open() override {}
  bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) override;
  void read(std::span<Range const> ranges, RawBatch& out) override;
  [[nodiscard]] bool bounded() const override { return true; }
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string partition_name(std::uint32_t partition) const override;
  [[nodiscard]] std::string_view path_of(std::uint32_t partition,
                                         std::int64_t offset) const override;
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;

 private:
  void fill(std::int64_t from, std::int64_t to, RawBatch& out) const;
  std::string name_;
  std::vector<std::string> records_;  // alive as long as the source, so batches need no lease
  std::int64_t position_ = 0;
};

}  // namespace windrow
