// A pipeline on scripts: a source that is told what to deliver, a clock that is told the time, a
// sink that remembers, and graphs made by hand.
#pragma once
#include <charconv>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "host/engine/pipeline.hpp"
#include "host/engine/row_view.hpp"
#include "host/engine/sink_schema.hpp"
#include "tests/memory_pieces.hpp"
#include "tests/tested_backend.hpp"

namespace windrow::testing {

inline constexpr std::int64_t second = 1'000'000;

struct FakeClock : Clock {
  ProcessingTime now{0};
  std::int64_t real = 1000;
  ProcessingTime processing_time() override { return now; }
  std::int64_t real_time_us() override { return real; }
};

// One poll.  Records are "key,seconds,value"; a record without commas is rejected; an empty value
// is null.  `partition` of each record by its place in `records`.
struct Delivery {
  std::vector<std::string> records;
  std::uint32_t partition = 0;
  std::optional<std::int64_t> watermark_s;
  bool end = false;
};

class ScriptedSource : public Source {
 public:
  explicit ScriptedSource(std::deque<Delivery>& script, bool bounded)
      : script_(script), bounded_(bounded) {}
  void open() override {}
  bool poll(RawBatch& out, std::size_t, std::int64_t) override {
    out.records.clear();
    out.ranges.clear();
    held_ = script_.empty() ? Delivery{} : std::move(script_.front());
    if (!script_.empty()) {
      script_.pop_front();
    }
    Range range{held_.partition, offset_, offset_, false, held_.end, std::nullopt};
    if (held_.watermark_s) {
      own_ = Watermark{*held_.watermark_s * second};
    }
    range.own_watermark = own_;
    for (std::string const& record : held_.records) {
      out.records.push_back({record.data(), static_cast<std::uint32_t>(record.size()),
                             held_.partition, offset_++, T_MIN});
    }
    range.to = offset_;
    out.ranges.push_back(range);
    return !held_.end;
  }
  void read(std::span<Range const>, RawBatch&) override {}
  [[nodiscard]] bool bounded() const override { return bounded_; }
  [[nodiscard]] std::string_view name() const override { return "script"; }
  [[nodiscard]] std::string partition_name(std::uint32_t p) const override {
    return std::to_string(p);
  }
  [[nodiscard]] std::string_view path_of(std::uint32_t, std::int64_t) const override {
    return "script";
  }
  void snapshot(SnapshotWriter& out) const override {
    ByteWriter bytes;
    bytes.put(offset_);
    out.piece("offset", 0, bytes.bytes());
  }
  void restore(SnapshotReader& in) override {
    std::string_view name, bytes;
    std::uint32_t shard = 0;
    while (in.next(name, shard, bytes)) {
      offset_ = ByteReader(bytes).get<std::int64_t>();
    }
  }

 private:
  std::deque<Delivery>& script_;
  bool bounded_;
  Delivery held_;
  std::optional<Watermark> own_;
  std::int64_t offset_ = 0;
};

inline Schema view_schema() {
  return {{{"key", {ValueType::string, {}}, false},
           {"ts", {ValueType::integer, {}}, false},
           {"value", {ValueType::integer, {}}, true}}};
}

class ScriptDecoder : public Decoder {
 public:
  void decode(RawBatch const& batch, std::size_t first, std::size_t count,
              DecodedChunk& out) override {
    out.rows.reset(view_schema());
    out.rejected.clear();
    out.read = count;
    for (std::size_t i = first; i < first + count; ++i) {
      RawRecord const& record = batch.records[i];
      std::string_view const text(record.data, record.bytes);
      std::size_t const a = text.find(','), b = text.rfind(',');
      if (a == std::string_view::npos) {
        out.rejected.push_back(
            {static_cast<std::uint32_t>(i), 0, Fault::bad_json, "not three fields", text});
        continue;
      }
      auto const number = [](std::string_view digits) {
        std::int64_t v = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), v);
        return v;
      };
      std::int64_t const ts = number(text.substr(a + 1, b - a - 1));
      out.rows.event_time.push_back({ts * second});
      out.rows.origin.push_back(static_cast<std::uint32_t>(i));
      out.rows.columns[0].append_text(text.substr(0, a));
      out.rows.columns[1].append(ts);
      if (b + 1 == text.size()) {
        out.rows.columns[2].append_null();
      } else {
        out.rows.columns[2].append(number(text.substr(b + 1)));
      }
    }
  }
};

// What a sink answers to a row, as JSON.
using Answer = std::function<Outcome(std::string_view row)>;

// Rows as JSON, in the order in which they came.
struct Written {
  std::mutex mutex;
  std::vector<std::string> rows;
  std::vector<std::int64_t> batches;
};
class RecordingSink : public Sink {
 public:
  RecordingSink(SinkSchema schema, Written& written, Answer answer)
      : schema_(std::move(schema)), written_(written), answer_(std::move(answer)) {}
  void open() override {}
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override {
    faults.clear();
    std::lock_guard const lock(written_.mutex);
    EventBatchView view;
    view.rows = rows.rows;
    view.columns = rows.columns;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::string text;
      append_row_json(schema_.columns, view, row, text);
      out[row] = answer_ ? answer_(text) : Outcome::ok;
      if (out[row] == Outcome::ok) {
        written_.rows.push_back(std::move(text));
      } else if (out[row] == Outcome::dead_letter) {
        faults.push_back({row, "told so"});
      }
    }
    written_.batches.push_back(rows.batch_no);
  }

 private:
  SinkSchema schema_;
  Written& written_;
  Answer answer_;
};

inline Expression field(std::size_t index, ValueType type) {
  Expression e;
  e.op = ExpressionOp::field;
  e.field = index;
  e.type.kind = type;
  return e;
}

// Appends a transform that reads `inputs`; returns its index.
inline std::size_t add(Graph& graph, std::string name, std::vector<Edge> inputs,
                       TransformConfig config, Schema output) {
  Transform t;
  t.name = t.type = std::move(name);
  t.inputs = std::move(inputs);
  t.output = std::move(output);
  for (Edge const& edge : t.inputs) {
    auto& from = graph.transforms[edge.transform];
    from.has_errors = from.has_errors || edge.errors;
    if (!edge.errors && !t.step) {
      t.step =
          std::holds_alternative<Combine>(from.config) ? std::optional(edge.transform) : from.step;
    }
  }
  if (std::holds_alternative<Combine>(config)) {
    t.step = graph.transforms.size();
  }
  t.config = std::move(config);
  graph.transforms.push_back(std::move(t));
  return graph.transforms.size() - 1;
}

inline Combine count_and_sum(std::int64_t window_s, std::int64_t lateness_s) {
  Combine combine;
  combine.group = {0};
  combine.values = {field(2, ValueType::integer)};
  combine.combines.resize(2);
  combine.combines[1].kind = CombineKind::sum;
  combine.windowing.windows.kind = WindowKind::fixed;
  combine.windowing.windows.size_us = combine.windowing.windows.period_us = window_s * second;
  combine.windowing.lateness = {lateness_s * second};
  combine.windowing.discarding = false;
  return combine;
}
inline Schema count_and_sum_schema() {
  return {{{"key", {ValueType::string, {}}, false},
           {"rows", {ValueType::integer, {}}, true},
           {"total", {ValueType::integer, {}}, true}}};
}

inline ReadFromKafka scripted() { return {}; }

// A pipeline over a graph whose first transform is the scripted source and whose WriteToJson
// transforms write to `written` by name, as `answers` says.
struct Bench {
  std::deque<Delivery> script;
  FakeClock clock;
  Workers workers{3};
  std::size_t cells_per_part = 65536;
  std::map<std::string, Written> written;
  std::map<std::string, Answer> answers;
  Observer nobody;
  Observer* observer = &nobody;

  std::unique_ptr<Pipeline> make(Graph const& graph, bool bounded = false) {
    PipelineParts parts{graph,
                        {},
                        {},
                        [this](AggregationSpec const& spec, std::size_t) {
                          return testing::make_aggregation(spec, workers, cells_per_part);
                        },
                        clock,
                        workers,
                        *observer};
    parts.sources.push_back({0, std::make_unique<ScriptedSource>(script, bounded),
                             [] { return std::make_unique<ScriptDecoder>(); }});
    for (std::size_t t = 0; t < graph.transforms.size(); ++t) {
      if (std::holds_alternative<WriteToJson>(graph.transforms[t].config)) {
        std::string const& name = graph.transforms[t].name;
        parts.sinks.push_back({t, std::make_unique<RecordingSink>(sink_schema(graph, t),
                                                                  written[name], answers[name])});
      }
    }
    return std::make_unique<Pipeline>(std::move(parts));
  }

  // Another process that goes on where this one stopped.
  void restart(std::unique_ptr<Pipeline>& pipeline, Graph const& graph) {
    pipeline->settle();
    MemoryStateWriter state;
    pipeline->snapshot(state);
    auto next = make(graph);
    MemoryStateReader reader(state);
    next->restore(reader);
    next->open();
    pipeline = std::move(next);
  }
};

}  // namespace windrow::testing
