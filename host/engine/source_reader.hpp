// One source of a pipeline: its records of a batch, decoded and through the row transforms below
// it, and the trackers of its watermarks.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "host/engine/batch_plan.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/row_stage.hpp"
#include "host/engine/watermark.hpp"
#include "host/engine/workers.hpp"

namespace windrow {

class SourceReader {
 public:
  SourceReader(SourcePart part, Graph const& graph, Workers& workers);

  void open() { source_->open(); }
  // The next records, if the source has not ended.
  void poll(std::size_t rows_max, std::int64_t wait_us);
  void stop_reading();  // no records in this batch, the same ranges (R71)
  // Replay: what all these plans name of this source, the `index`-th of each; then plan by plan.
  void begin_replay(std::span<BatchPlan const> plans, std::size_t index);
  void read_again(std::vector<Range> const& ranges);
  // Fills in the names of partitions that no plan before has.
  void name_partitions(std::vector<Range>& ranges);
  [[nodiscard]] bool has_records() const { return !raw_.records.empty(); }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool bounded() const { return source_->bounded(); }
  [[nodiscard]] std::vector<Range> const& ranges() const { return raw_.ranges; }
  // Would the batch move a watermark without rows?
  [[nodiscard]] bool would_move(ProcessingTime now) const;

  // Decodes the polled records and runs the row transforms, chunks in parallel.
  void read(BatchPlan const& plan, StageContext context);
  [[nodiscard]] std::span<StageChunk* const> chunks() const { return chunks_; }
  // The trackers observe what reached the steps; the new W (R81).
  void observe(BatchPlan const& plan, std::span<Range const> ranges);
  [[nodiscard]] Watermark watermark(std::size_t tracker) const {
    return trackers_[tracker].current();
  }
  [[nodiscard]] std::vector<WatermarkTracker> const& trackers() const { return trackers_; }

  [[nodiscard]] RowStage const& stage() const { return stage_; }
  [[nodiscard]] RecordsView const* records() const { return &records_; }
  [[nodiscard]] std::uint32_t partition_of(std::uint32_t record) const {
    return raw_.records[record].partition;
  }
  [[nodiscard]] Source& source() { return *source_; }
  [[nodiscard]] Source const& source() const { return *source_; }
  [[nodiscard]] std::size_t transform() const { return transform_; }
  void count_faults(FaultCounts const& faults);
  [[nodiscard]] std::uint64_t bad_records() const;
  [[nodiscard]] std::uint64_t bytes_read() const { return totals_.bytes; }
  [[nodiscard]] SourceProgress progress() const;

  void snapshot(StateWriter& out, std::string const& name) const;
  void restore(StateReader& in, std::string const& name);

 private:
  struct Chunk {
    std::size_t first = 0, count = 0;
    DecodedChunk decoded;
    StageChunk stage;
  };
  void cut_chunks();

  std::size_t transform_;
  std::unique_ptr<Source> source_;
  std::function<std::unique_ptr<Decoder>()> make_decoder_;
  Workers& workers_;
  RowStage stage_;
  std::vector<WatermarkTracker> trackers_;
  std::vector<std::unique_ptr<Decoder>> decoders_;  // one per worker
  RawBatch raw_;
  RecordsView records_;
  std::vector<std::unique_ptr<Chunk>> pool_;
  std::vector<StageChunk*> chunks_;  // of this batch
  SourceProgress totals_;
  std::size_t named_ = 0;  // partitions that a plan or snapshot has
  bool ended_ = false;
};

}  // namespace windrow
