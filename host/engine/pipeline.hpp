// The loop: polls sources, drives the steps in topological order and hands their rows to the sinks.
// The order of one batch is normative: connectors.md 1.4, semantics.md R17.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "host/engine/aggregation.hpp"
#include "host/engine/batch_plan.hpp"
#include "host/engine/clock.hpp"
#include "host/engine/observer.hpp"
#include "host/engine/progress.hpp"
#include "host/engine/sink.hpp"
#include "host/engine/snapshot.hpp"
#include "host/engine/source.hpp"
#include "host/engine/workers.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// A source of the graph with what reads its records; a sink, built for its `sink_schema`.
struct SourcePart {
  std::size_t transform = 0;
  std::unique_ptr<Source> source;
  std::function<std::unique_ptr<Decoder>()> make_decoder;  // one per worker
};
struct SinkPart {
  std::size_t transform = 0;
  std::unique_ptr<Sink> sink;
};

// What a pipeline is made of.  The references outlive it.
struct PipelineParts {
  Graph graph;
  std::vector<SourcePart> sources;
  std::vector<SinkPart> sinks;
  // Of the step that is this transform.
  std::function<std::unique_ptr<Aggregation>(AggregationSpec const&, std::size_t)> make_aggregation;
  Clock& clock;
  Workers& workers;
  Observer& observer;
  Duration retry_first{20'000};  // the wait after the first failure of a sink in a row
  PlanLog* plan_log = nullptr;   // keeps each plan before it has an effect; none: a crash loses all
};

// How `run` ended: all input ended, a stop (R70) or a drain (R71).
enum class RunEnd : std::uint8_t { ended, stopped, drained };

class Pipeline {
 public:
  explicit Pipeline(PipelineParts parts);
  ~Pipeline();
  Pipeline(Pipeline const&) = delete;  // owns threads and state
  Pipeline& operator=(Pipeline const&) = delete;

  // Opens sources and sinks.  After `restore`, if any.
  void open();
  // One batch or tick, or nothing where nothing moves.  False when every source has ended and its
  // last batch is done.
  bool step();
  // R71: one batch in which every source's W is +inf; its panes may be `drained`.
  void drain();
  // Waits until every sink has acknowledged every batch, then lets sinks flush.  EnvironmentError
  // when a sink gave up or met a fatal outcome.
  void settle();
  // Steps until the input ends or `stop` is asked, then drains if told so, then settles.
  RunEnd run(std::stop_token const& stop, bool drain_on_stop);

  // The state of the whole graph between two batches; call after `settle`.
  void snapshot(StateWriter& out) const;
  // Into a pipeline that has not been opened, built from an equal graph.
  void restore(StateReader& in);
  // Runs recorded plans again, dense and above the restored state: after `open`, before `step`.
  // `after_each` may be empty.
  void replay(std::span<BatchPlan const> plans, std::function<void()> const& after_each);
  // Tells the sources that a snapshot is durable.
  void committed();

  // A drain has run (R71), maybe in a replay: nothing is to come.
  [[nodiscard]] bool is_drained() const;
  [[nodiscard]] std::int64_t batch_no() const;     // of the last one
  [[nodiscard]] std::uint64_t bytes_read() const;  // of all sources, since the first start
  // No batch is cut: what progress() and summary() say is whole.  False after a failure within one.
  [[nodiscard]] bool is_between_batches() const;
  [[nodiscard]] Progress progress() const;
  // The totals with the conservation laws and what AssertEqual found.
  [[nodiscard]] Summary summary() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
