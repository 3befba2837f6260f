// Records from memory, in order.
#include "ingest/memory_source.hpp"

#include <algorithm>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow {

MemorySource::MemorySource(std::string name, std::vector<std::string> records)
    : name_(std::move(name)), records_(std::move(records)) {}

void MemorySource::fill(std::int64_t from, std::int64_t to, RawBatch& out) const {
  for (std::int64_t i = from; i < to; ++i) {
    std::string const& record = records_[static_cast<std::size_t>(i)];
    out.records.push_back({record.data(), static_cast<std::uint32_t>(record.size()), 0, i, T_MIN});
  }
}

bool MemorySource::poll(RawBatch& out, std::size_t rows_max, std::int64_t /*wait_us*/) {
  out = {};
  auto const size = static_cast<std::int64_t>(records_.size());
  std::int64_t const to = std::min(size, position_ + static_cast<std::int64_t>(rows_max));
  fill(position_, to, out);
  out.ranges.push_back({0, position_, to, to == size, to == size, std::nullopt});
  position_ = to;
  return position_ < size;
}

void MemorySource::read(std::span<Range const> ranges, RawBatch& out) {
  out = {};
  for (Range const& range : ranges) {
    WINDROW_ASSERT(range.partition == 0 && 0 <= range.from && range.from <= range.to &&
                       range.to <= static_cast<std::int64_t>(records_.size()),
                   "a range of this source");
    fill(range.from, range.to, out);
    out.ranges.push_back(range);
    position_ = range.to;
  }
}

std::string MemorySource::partition_name(std::uint32_t /*partition*/) const { return "0"; }
std::string_view MemorySource::path_of(std::uint32_t /*partition*/, std::int64_t /*offset*/) const {
  return name_;
}

void MemorySource::snapshot(SnapshotWriter& out) const {
  ByteWriter bytes;
  bytes.put(position_);
  out.piece("position", 0, bytes.bytes());
}

void MemorySource::restore(SnapshotReader& in) {
  std::string_view piece, bytes;
  std::uint32_t shard = 0;
  while (in.next(piece, shard, bytes)) {
    position_ = ByteReader(bytes).get<std::int64_t>();
    if (position_ < 0 || position_ > static_cast<std::int64_t>(records_.size())) {
      throw EnvironmentError(
          "memory source: a snapshot's position is beyond the records: position=" +
              std::to_string(position_) + " records=" + std::to_string(records_.size()),
          74);
    }
  }
}

}  // namespace windrow
