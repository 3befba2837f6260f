// The row transforms between a producer of rows and the steps and sinks below it, over one chunk of
// rows: pure functions of the rows and the batch, so that chunks run in parallel.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/engine/error_rows.hpp"
#include "host/engine/expression_eval.hpp"
#include "host/engine/key_bytes.hpp"
#include "host/engine/observer.hpp"
#include "host/engine/progress.hpp"
#include "host/engine/source.hpp"
#include "host/engine/stage_graph.hpp"
#include "host/engine/watermark.hpp"

namespace windrow {

// What all chunks of a batch share.  `records`: of a source stage, where its rows come from.
struct StageContext {
  BatchStamp stamp;
  RecordsView const* records = nullptr;
  std::span<WatermarkTracker const> trackers;
  bool wants_set_aside = false;
  bool in_parts = false;  // the rows are a part of a step's panes, in the order of sinks
};

// What a Combine reads of one chunk, keys not yet interned.
//   input   the Combine's input rows; all spans below have its number of rows
//   by_shard, shard_begin  rows of shard s: by_shard[shard_begin[s] .. shard_begin[s + 1])
//   keys, hashes  as by_shard: key bytes, in `input` or in `key_text`
//   latest  per tracker of the end: the largest stamp per partition, ascending by partition
struct KeyedRows {
  EventBatchView input;
  std::vector<ColumnView> values;
  std::vector<std::string_view> keys;
  std::vector<std::uint64_t> hashes;
  std::vector<std::uint32_t> by_shard;
  std::array<std::uint32_t, shards + 1> shard_begin{};
  std::vector<KeyId> ids;  // filled by interning
  std::vector<std::pair<std::uint32_t, EventTime>> latest;
  std::uint64_t tombstones_ignored = 0;

  // memory of the above
  EventBatch kept;
  std::vector<Column> made;
  std::string key_text;
  std::vector<std::uint32_t> key_end;
  std::vector<std::uint64_t> hash_of_row;
  std::vector<std::int64_t> latest_of;  // by partition
};

struct NodeRows {
  EventBatchView in, out, errors;
  // memory of the above
  EventBatch joined, kept, made, made_errors;
  std::vector<ColumnView> columns;
  std::vector<EventTime> stamps;
};

struct SetAside {
  std::size_t transform = 0;
  Fault fault = Fault::bad_json;
  std::string message, element;
};

// The rows of one chunk at every node; kept until the batch is over.
struct StageChunk {
  std::vector<NodeRows> nodes;
  std::vector<KeyedRows> keyed;  // as StageGraph::keyed
  FaultCounts faults{};
  std::vector<SetAside> set_aside;
  std::vector<std::uint32_t> places;
  ExpressionEvaluator evaluator;
};

class RowStage {
 public:
  RowStage(Graph const& graph, std::size_t producer, StageRows rows);

  // `rows` and `errors` are the producer's main and error output; `rejected` records that a decoder
  // could not read become error rows too.
  void run(StageContext const& context, EventBatchView const& rows, EventBatchView const& errors,
           std::span<RejectedRecord const> rejected, StageChunk& chunk) const;
  // Interning refused the rows without an id (memory_limit): takes them out of what the step reads
  // and hands them as error rows to `refused`.
  void drop_refused(StageContext const& context, std::size_t end, StageChunk& chunk,
                    EventBatch& refused) const;

  [[nodiscard]] StageGraph const& shape() const { return shape_; }
  [[nodiscard]] Schema const& input_schema(std::size_t node) const;

 private:
  void run_node(StageContext const& context, std::size_t node, StageChunk& chunk) const;
  void set_aside(StageContext const& context, std::size_t node, EventBatchView const& rows,
                 std::size_t row, Fault fault, std::string_view message, StageChunk& chunk) const;
  void gather(std::size_t node, StageChunk& chunk) const;
  void read_source(StageContext const& context, EventBatchView const& rows,
                   std::span<RejectedRecord const> rejected, StageChunk& chunk) const;
  void assign_timestamps(StageContext const& context, std::size_t node, StageChunk& chunk) const;
  void map_to_fields(StageContext const& context, std::size_t node, StageChunk& chunk) const;
  void filter(StageContext const& context, std::size_t node, StageChunk& chunk) const;
  void explode(std::size_t node, StageChunk& chunk) const;
  void extract_windowing(StageContext const& context, std::size_t node, StageChunk& chunk) const;
  void key(StageContext const& context, std::size_t end, StageChunk& chunk) const;
  void compute_values(StageContext const& context, std::size_t end, StageChunk& chunk) const;
  static void shard_keys(KeyBytes const& bytes, std::span<ColumnView const> group,
                         KeyedRows& keyed);
  static void note_latest(RecordsView const& records, KeyedRows& keyed);

  Graph const& graph_;
  StageGraph shape_;
  bool joins_ = false;          // a node has several inputs
  bool checks_future_ = false;  // the source's own tracker is the one that counts
};

}  // namespace windrow
