// The graph as canonical bytes, and their hash.
#define XXH_INLINE_ALL
#include "host/engine/graph_hash.hpp"

#include <xxhash.h>

#include <type_traits>
#include <variant>

#include "host/engine/snapshot.hpp"

namespace windrow {
namespace {

// Raised when equal graphs begin to mean something else.
constexpr std::uint32_t semantics_version = 1;

// One overload per type; each writes all that decides results, in a form that cannot run together.
class GraphBytes {
 public:
  [[nodiscard]] std::string_view bytes() const { return out_.bytes(); }

  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, double>
  void put(T v) { out_.put(v); }
  void put(std::string const& v) { out_.text(v); }
  void put(Duration v) { put(v.us); }
  template <class T>
  void put(std::vector<T> const& items) {
    put(std::uint64_t{items.size()});
    for (T const& item : items) {
      put(item);
    }
  }
  template <class T>
  void put(std::optional<T> const& v) {
    put(v.has_value());
    if (v) {
      put(*v);
    }
  }

  void put(FieldType const& type) {
    put(type.kind);
    put(type.children);
  }
  void put(Field const& field) {
    put(field.name);
    put(field.type);
    put(field.nullable);
  }
  void put(Schema const& schema) { put(schema.fields); }
  void put(EventTimeField const& event_time) {
    put(event_time.field);
    put(event_time.unit);
  }
  void put(WatermarkSettings const& settings) {
    put(settings.max_out_of_orderness);
    put(settings.idle_timeout);
    put(settings.all_idle);
    put(settings.max_future_skew);
    put(settings.on_future);
  }
  void put(Expression const& expression) {
    put(expression.op);
    put(std::uint64_t{expression.value.index()});
    std::visit(
        [this](auto const& literal) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(literal)>, std::monostate>) {
            put(literal);
          }
        },
        expression.value);
    put(expression.field);
    put(expression.name);
    put(expression.args);
    put(expression.type);
    put(expression.nullable);
  }
  void put(CombineFn const& fn) {
    put(fn.kind);
    put(fn.in);
    put(fn.column);
    put(fn.n);
    put(fn.by);
    put(fn.ascending);
    put(fn.population);
    if (fn.kind == CombineKind::approx_quantile) {
      put(fn.quantiles);
      for (double const q : fn.q) {
        put(q);
      }
    }
  }
  void put(TimeTransform const& transform) {
    put(transform.delay_us);
    put(transform.period_us);
    put(transform.offset_us);
  }
  void put(Trigger const& trigger) {
    put(trigger.op);
    put(trigger.count);
    put(trigger.transforms);
    put(trigger.children);
    put(trigger.has_early);
    put(trigger.has_late);
  }
  void put(Windowing const& windowing) {
    put(windowing.windows.kind);
    put(windowing.windows.size_us);
    put(windowing.windows.period_us);
    put(windowing.windows.offset_us);
    put(windowing.windows.gap_us);
    put(windowing.trigger);
    put(windowing.lateness);
    put(windowing.discarding);
    put(windowing.timestamp_combiner);
    put(windowing.on_time);
    put(windowing.closing);
    put(windowing.merging);
  }

  void put(ReadFromKafka const& source) {
    put(source.topics);
    put(source.topic_pattern);
    put(source.format);
    put(source.validate_full);
    put(source.event_time);
    put(source.watermark);
  }
  void put(ReadFromJson const& source) {
    put(source.path);
    put(!source.spool.empty());  // then a position is one in the spool
    put(source.validate_full);
    put(source.event_time);
    put(source.watermark);
  }
  void put(Create const& source) { put(source.elements); }
  void put(Generate const& source) {
    put(source.seed);
    put(source.events);
    put(source.watermark);
  }
  void put(AssignTimestamps const& assign) {
    put(assign.timestamp);
    put(assign.unit);
    put(assign.watermark);
    put(assign.tracks);
  }
  void put(MapToFields const& map) { put(map.columns); }
  void put(Filter const& filter) { put(filter.keep); }
  void put(Explode const& explode) { put(explode.field); }
  void put(Flatten const&) {}
  void put(ExtractWindowingInfo const& info) { put(info.append); }
  void put(Combine const& combine) {
    put(combine.group);
    put(combine.values);
    put(combine.combines);
    put(combine.windowing);
    put(combine.input_panes);
  }
  void put(LogForTesting const&) {}
  void put(AssertEqual const&) {}
  // The ids of rows: under another key or prefix the rows of before would stay beside the new ones.
  void put(Upsert const& upsert) {
    put(upsert.append);
    put(upsert.key);
    put(upsert.id_prefix);
  }
  void put(WriteToSqlite const& sink) { put(sink.upsert); }
  void put(WriteToPostgres const& sink) { put(sink.upsert); }
  void put(WriteToJson const& sink) { put(sink.upsert); }
  void put(WriteToKafka const& sink) { put(sink.upsert); }

  void put(Graph const& graph) {
    put(semantics_version);
    put(std::uint64_t{graph.transforms.size()});
    for (Transform const& transform : graph.transforms) {
      put(transform.name);
      put(std::uint64_t{transform.inputs.size()});
      for (Edge const& edge : transform.inputs) {
        put(edge.transform);
        put(edge.errors);
      }
      put(transform.output);
      put(std::uint64_t{transform.config.index()});
      std::visit([this](auto const& config) { put(config); }, transform.config);
    }
  }

 private:
  ByteWriter out_;
};

}  // namespace

std::uint64_t graph_hash(Graph const& graph) {
  GraphBytes bytes;
  bytes.put(graph);
  return XXH3_64bits(bytes.bytes().data(), bytes.bytes().size());
}

}  // namespace windrow
