// What a Pipeline holds; shared by pipeline.cpp (the loop), pipeline_sinks.cpp (how rows reach the
// sinks), pipeline_state.cpp and pipeline_snapshot.cpp.
#pragma once
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/engine/assert_equal.hpp"
#include "host/engine/batch_plan.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/sink_errors.hpp"
#include "host/engine/sink_rows.hpp"
#include "host/engine/sink_writer.hpp"
#include "host/engine/source_reader.hpp"
#include "host/engine/step.hpp"
#include "host/engine/unit_check.hpp"

namespace windrow {

// Rows that a sink gets at once, while the panes of a batch come in parts.
inline constexpr std::size_t sink_part_rows = 65536;

struct Pipeline::Impl {
  // A batch, or a part of one, that waits for what the sinks above refuse of it: by their index.
  struct HeldBatch {
    SinkBatch batch;
    std::vector<std::pair<std::size_t, SinkBatch>> refused;
  };
  struct SinkEnd {
    std::size_t transform = 0;
    std::optional<std::size_t> step{};  // whose rows it takes
    SinkRows rows;
    std::unique_ptr<SinkWriter> writer{};
    std::optional<SinkErrors> errors{};  // where something reads what it refuses
    FaultCounts set_aside{};             // of the row transforms below these
    std::int64_t told_batch = 0;         // up to here all that it refused is handed on

    // Of a sink that reads what other sinks refuse; else empty.
    std::vector<std::size_t> above{};
    std::optional<SinkRows> refused_above{};
    std::deque<HeldBatch> held{};
  };

  explicit Impl(PipelineParts pipeline_parts);
  void build_sinks();

  // pipeline.cpp: the loop
  void run_batch(BatchPlan const& plan);
  void check_replayed(BatchPlan const& plan) const;
  void deliver(RowStage const& stage, std::span<StageChunk* const> chunks,
               StageContext const& context, BatchPlan const& plan, SourceReader* source,
               Step* step);
  void deliver_panes(Step& step, StageContext const& context, BatchPlan const& plan);
  void look(RowStage const& stage, StageChunk const& chunk);
  [[nodiscard]] Watermark input_watermark(Step& step, BatchPlan const& plan) const;

  // pipeline_sinks.cpp: what they take and what they refuse
  void write_sink(SinkEnd& sink, BatchPlan const& plan, bool is_last);
  void write_sinks(BatchPlan const& plan);
  void settle_sinks();
  void hand_on_refused();
  void hand_on_refused(SinkEnd& sink);
  void release(SinkEnd& sink);
  void submit(SinkEnd& sink, SinkBatch batch);
  void tell_pause(SinkEnd const& sink);

  // planner.cpp: what state does not determine
  void record(BatchPlan& plan);
  void await_plan(BatchPlan const& plan);
  [[nodiscard]] ProcessingTime read_clock();  // never before the P of the last batch
  [[nodiscard]] std::int64_t poll_wait_us() const;
  [[nodiscard]] bool has_work(ProcessingTime now) const;
  [[nodiscard]] BatchPlan next_plan(ProcessingTime now, bool drain);
  [[nodiscard]] std::uint64_t state_bytes() const;
  void check_breaker();
  [[nodiscard]] bool all_ended() const;

  PipelineParts parts;
  std::vector<std::unique_ptr<SourceReader>> sources;
  std::vector<std::unique_ptr<Step>> steps;             // in topological order
  std::vector<SinkEnd> sinks;                           // in topological order
  std::map<std::size_t, std::size_t> step_of, sink_of;  // transform -> index
  std::map<std::size_t, EqualityCheck> checks;          // by transform
  UnitCheck units;
  std::future<void> plan_write;  // of the batch in hand, until it is durable
  std::int64_t batch_no = 0, pane_version = 0;
  ProcessingTime processing_time{0};
  bool frozen = false;                       // R90: P stays at its value of the start
  std::optional<ProcessingTime> clock_read;  // the latest reading; a restored P when frozen
  bool in_batch = false, drained = false, refuses_new_keys = false;
};

}  // namespace windrow
