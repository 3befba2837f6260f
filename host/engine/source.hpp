// Where records come from: bytes with a place, and how they become rows.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/engine/snapshot.hpp"
#include "host/model/time.hpp"

namespace windrow {

// What a batch read of one partition: the half-open range of positions, and what the source says of
// it. A partition is named by a small number of its source; every known one is in every batch's
// ranges, also when from == to (so discovery is recorded).
//   caught_up  the position was the log's end, freshly asked (R82)
//   ended      nothing more will come (R89)
//   own_watermark  where the source itself makes it (scripted sources)
//   name  in a plan, of a partition that no plan or snapshot before it has: its partition_name
struct Range {
  std::uint32_t partition = 0;
  std::int64_t from = 0, to = 0;
  bool caught_up = false, ended = false;
  std::optional<Watermark> own_watermark;
  std::string name{};
  bool operator==(Range const&) const = default;
};

// One record as it came.  `data` has no padding; `offset` is its place in the partition (Kafka
// offset, byte offset of a line in its file); `time` the record's own time, T_MIN if it has none
// (R91).
struct RawRecord {
  char const* data = nullptr;
  std::uint32_t bytes = 0, partition = 0;
  std::int64_t offset = 0;
  EventTime time = T_MIN;
};

// Keeps the payloads of a RawBatch alive.
class Lease {
 public:
  virtual ~Lease() = default;
};
struct RawBatch {
  std::vector<RawRecord> records;
  std::vector<Range> ranges;
  std::unique_ptr<Lease> payloads;
};

// Puts records of several partitions into the order of partition; within one they keep theirs.
void order_by_partition(std::vector<RawRecord>& records);

class Source {
 public:
  virtual ~Source() = default;
  virtual void open() = 0;  // connects; EnvironmentError when the world refuses
  // Clears `out` and fills at most `rows_max` records; waits at most `wait_us` for the first one,
  // not at all if it has some.  False: ended for good (the last records may come with it).
  // Records come in the order of partition and offset: a batch is a function of its ranges.
  virtual bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) = 0;
  // Replay of plans, between open and the first poll.  Told first, per partition, all that `read`
  // will be asked for: EnvironmentError 74 where it is not there any more.
  virtual void begin_replay(std::span<Range const> /*whole*/) {}
  // The records of the next plan, from where the one before it ended; the source then stands behind
  // them.  Of a source that cannot be read again: none, they are lost.
  virtual void read(std::span<Range const> ranges, RawBatch& out) = 0;
  // Can what was read be read again?
  [[nodiscard]] virtual bool replayable() const { return true; }
  [[nodiscard]] virtual bool bounded() const = 0;
  // For people: topic or path, and the partition's name within it ("3", or the file).
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string partition_name(std::uint32_t partition) const = 0;
  [[nodiscard]] virtual std::string_view path_of(std::uint32_t partition,
                                                 std::int64_t offset) const = 0;
  // For people: the offset within path_of, where the partition holds several paths.
  [[nodiscard]] virtual std::int64_t offset_in_path(std::int64_t offset) const { return offset; }
  // For people: what keeps it from reading; empty when nothing does.
  [[nodiscard]] virtual std::string status() const { return {}; }
  virtual void snapshot(SnapshotWriter& out) const = 0;  // positions after the last poll
  virtual void restore(SnapshotReader& in) = 0;          // before open
  // Told after a snapshot is durable (Kafka: informational group offsets).
  virtual void committed() {}
};

// Why a record or row was set aside; the names (fault_name) are what users see in `reason`.
enum class Fault : std::uint8_t {
  bad_json,
  missing_field,
  wrong_type,
  bad_utf8,
  integer_overflow,
  too_deep,
  too_large,
  bad_timestamp,
  future_timestamp,
  bad_expression,
  dropped_late,
  dropped_closed,
  overflow,
  memory_limit,
  dead_letter
};
inline constexpr std::size_t faults = 15;
[[nodiscard]] std::string_view fault_name(Fault fault);

// A record (or a line of one) that could not become a row.
//   record  index into RawBatch::records;  line  0-based line of an NDJSON message
//   bytes   the raw bytes of the line, borrowed from the record
struct RejectedRecord {
  std::uint32_t record = 0, line = 0;
  Fault fault = Fault::bad_json;
  std::string message;  // fixed words first, values last
  std::string_view bytes;
};
// One chunk, decoded.  read = rows.rows() + rejected.size().
struct DecodedChunk {
  EventBatch rows;
  std::vector<RejectedRecord> rejected;
  std::uint64_t read = 0;
};

// Bytes -> columns of the source's schema.  One per worker; not thread-safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Decodes records [first, first + count) of `batch`, at most about 1 MB of raw bytes unless one
  // record is larger.  Rows keep the order of the records; origin = index of the record; event_time
  // = the field of `event_time:`, else the record's time.  `out` is cleared first.
  virtual void decode(RawBatch const& batch, std::size_t first, std::size_t count,
                      DecodedChunk& out) = 0;
};

}  // namespace windrow
