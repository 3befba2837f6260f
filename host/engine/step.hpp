// One Combine of a pipeline: its backend, the names of its keys, its panes as rows, and what it
// could not take.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/engine/aggregation_spec.hpp"
#include "host/engine/batch_plan.hpp"
#include "host/engine/key_bytes.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/latest_panes.hpp"
#include "host/engine/pane_rows.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/row_stage.hpp"

namespace windrow {

class SourceReader;

// Where a step's W comes from: a tracker of a source, or an earlier step.
struct Feed {
  bool from_source = true;
  std::size_t index = 0, tracker = 0;  // in Pipeline's lists
  bool operator==(Feed const&) const = default;
};

class Step {
 public:
  Step(Graph const& graph, std::size_t transform, PipelineParts const& parts);

  // Rows of one stage's chunks: interns their keys, shards in parallel, and pushes them in order.
  // `source` where they come from one.
  void push(RowStage const& stage, std::size_t end, std::span<StageChunk* const> chunks,
            StageContext const& context, SourceReader const* source, BatchPlan const& plan);
  // Ends the batch; then its output is taken in parts (aggregation.hpp).
  void advance(Watermark w, BatchPlan const& plan);
  // Makes the next part `panes` and its errors; false: it was the last.
  bool take_part(StageContext const& context);
  [[nodiscard]] PaneRows& panes() { return part().panes; }
  // The part as rows of weight +1 and -1, for consumers by `replace` (R78).
  EventBatch& replaced();
  // Frees what has ended; the last thing of a batch.
  void recycle(BatchPlan const& plan);

  // Runs a stage below over rows of this step in chunks, in parallel.
  std::span<StageChunk* const> run_stage(RowStage const& stage, EventBatch& rows,
                                         StageContext const& context, bool with_errors);

  [[nodiscard]] std::vector<Feed>& feeds() { return feeds_; }
  [[nodiscard]] std::optional<RowStage> const& panes_stage() const { return panes_stage_; }
  [[nodiscard]] std::optional<RowStage> const& replaced_stage() const { return replaced_stage_; }
  [[nodiscard]] KeyDictionary const& keys() const { return keys_; }
  [[nodiscard]] std::size_t transform() const { return transform_; }
  [[nodiscard]] Watermark watermark() const { return aggregation_->watermark(); }
  [[nodiscard]] Watermark output_watermark() const { return aggregation_->output_watermark(); }
  [[nodiscard]] Wakeup next_wakeup() const { return aggregation_->next_wakeup(); }
  [[nodiscard]] std::vector<SetAside> take_set_aside() { return std::exchange(set_aside_, {}); }
  [[nodiscard]] std::uint64_t bytes() const;
  void count_faults(FaultCounts const& counts);
  [[nodiscard]] StepProgress progress() const;

  void snapshot(StateWriter& out) const;
  void restore(StateReader& in);

 private:
  // Rows [first, ..) of the batch, as they were pushed.
  struct Pushed {
    std::size_t first = 0;
    EventBatchView rows;
    Schema const* schema = nullptr;
    RecordsView const* records = nullptr;
    SourceReader const* source = nullptr;
  };
  // Rows of one part.  Those that a later step reads live until the batch ends.
  struct Part {
    PaneRows panes;
    EventBatch errors, replaced;
    std::vector<KeyId> replaced_key;
  };
  [[nodiscard]] Part& part() { return *parts_[part_]; }
  void next_part();
  bool take_output();
  void intern(std::size_t end, std::span<StageChunk* const> chunks, BatchPlan const& plan);
  void set_aside_drops(StageContext const& context);
  void set_aside_overflows(StageContext const& context);

  Graph const& graph_;
  Workers& workers_;
  std::size_t transform_;
  std::size_t group_;
  AggregationSpec spec_;
  std::unique_ptr<Aggregation> aggregation_;
  KeyDictionary keys_;
  KeyBytes key_bytes_;
  std::optional<LatestPanes> latest_;
  std::vector<Feed> feeds_;
  std::optional<RowStage> panes_stage_, replaced_stage_;
  bool keeps_errors_ = false, keeps_parts_ = false, takes_whole_ = false;

  AggregationOutput output_, more_output_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::size_t part_ = 0, panes_taken_ = 0;  // of this batch
  bool has_taken_ = false;
  std::vector<EndedWindow> ended_;
  std::vector<KeyId> freed_;
  std::vector<Pushed> pushed_;
  std::size_t rows_pushed_ = 0;
  std::vector<SetAside> set_aside_;
  struct Piece {
    StageChunk stage;
    std::vector<ColumnView> columns;
  };
  std::vector<std::unique_ptr<Piece>> pool_;  // of both stages: a batch's rows live until the next
  std::size_t pool_used_ = 0;
  std::vector<StageChunk*> chunks_;
  StepProgress totals_;
};

}  // namespace windrow
