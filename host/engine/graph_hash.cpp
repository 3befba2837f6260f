// Parts of a graph as canonical bytes, and the hashes of these.
#define XXH_INLINE_ALL
#include "host/engine/graph_hash.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <type_traits>
#include <variant>

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
  void put(WindowFn const& windows) {
    put(windows.kind);
    put(windows.size_us);
    put(windows.period_us);
    put(windows.offset_us);
    put(windows.gap_us);
  }

 private:
  ByteWriter out_;
};

// One overload per transform; each names all of it that decides results.
class PartsOf {
 public:
  explicit PartsOf(Graph const& graph) : graph_(graph) {}

  GraphParts take() {
    for (Transform const& transform : graph_.transforms) {
      TransformParts& out = out_.emplace_back();
      out.name = transform.name;
      std::vector<bool> errors;
      for (Edge const& edge : transform.inputs) {
        out.inputs.push_back(graph_.transforms[edge.transform].name);
        errors.push_back(edge.errors);
      }
      part("type", semantics_version, std::uint64_t{transform.config.index()});
      part("input", out.inputs, errors);
      part("schema", transform.output);
      std::visit([this](auto const& config) { add(config); }, transform.config);
    }
    return std::move(out_);
  }

 private:
  template <class... Values>
  void part(char const* name, Values const&... values) {
    GraphBytes bytes;
    (bytes.put(values), ...);
    out_.back().parts.push_back({name, XXH3_64bits(bytes.bytes().data(), bytes.bytes().size())});
  }

  void add(ReadFromKafka const& source) {
    part("topic", source.topics, source.topic_pattern);
    part("format", source.format, source.validate_full);
    part("event_time", source.event_time);
    part("watermark", source.watermark);
  }
  void add(ReadFromJson const& source) {
    part("path", source.path);
    part("spool", !source.spool.empty());  // then a position is one in the spool
    part("validate", source.validate_full);
    part("event_time", source.event_time);
    part("watermark", source.watermark);
  }
  void add(Create const& source) { part("elements", source.elements); }
  void add(Generate const& source) {
    part("seed", source.seed);
    part("events", source.events);
    part("watermark", source.watermark);
  }
  void add(AssignTimestamps const& assign) {
    part("timestamp", assign.timestamp, assign.unit);
    part("watermark", assign.watermark, assign.tracks);
  }
  void add(MapToFields const& map) { part("fields", map.columns); }
  void add(Filter const& filter) { part("keep", filter.keep); }
  void add(Explode const& explode) { part("fields", explode.field); }
  void add(Flatten const&) {}
  void add(ExtractWindowingInfo const& info) { part("fields", info.append); }
  void add(Combine const& combine) {
    Windowing const& windowing = combine.windowing;
    part("group_by", combine.group);
    part("combine", combine.values, combine.combines);
    part("windows", windowing.windows, windowing.merging);
    part("trigger", windowing.trigger);
    part("allowed_lateness", windowing.lateness);
    part("accumulation_mode", windowing.discarding);
    part("timestamp_combiner", windowing.timestamp_combiner);
    part("on_time_behavior", windowing.on_time);
    part("closing_behavior", windowing.closing);
    part("input_panes", combine.input_panes);
  }
  void add(LogForTesting const&) {}
  void add(AssertEqual const&) {}
  // The ids of rows: under another key or prefix the rows of before would stay beside the new ones.
  void add(Upsert const& upsert) {
    part("write_mode", upsert.append);
    part("key", upsert.key);
    part("id_prefix", upsert.id_prefix);
  }
  void add(WriteToSqlite const& sink) { add(sink.upsert); }
  void add(WriteToJson const& sink) { add(sink.upsert); }
  void add(WriteToPostgres const& sink) { add(sink.upsert); }
  void add(WriteToKafka const& sink) { add(sink.upsert); }

  Graph const& graph_;
  GraphParts out_;
};

TransformParts const* find(GraphParts const& parts, std::string const& name) {
  auto const at = std::find_if(parts.begin(), parts.end(),
                               [&](TransformParts const& one) { return one.name == name; });
  return at == parts.end() ? nullptr : &*at;
}

// Names of the parts that only one has or that differ.
std::vector<std::string> different_parts(TransformParts const& before, TransformParts const& now) {
  std::vector<std::string> names;
  auto const look = [&names](TransformParts const& of, TransformParts const& other) {
    for (TransformParts::Part const& part : of.parts) {
      bool const same =
          std::find(other.parts.begin(), other.parts.end(), part) != other.parts.end();
      if (!same && std::find(names.begin(), names.end(), part.name) == names.end()) {
        names.push_back(part.name);
      }
    }
  };
  look(now, before);
  look(before, now);
  return names;
}

}  // namespace

GraphParts graph_parts(Graph const& graph) { return PartsOf(graph).take(); }

std::uint64_t graph_hash(GraphParts const& parts) {
  ByteWriter bytes;
  put(bytes, parts);
  return XXH3_64bits(bytes.bytes().data(), bytes.bytes().size());
}

void put(ByteWriter& out, GraphParts const& parts) {
  out.put(std::uint64_t{parts.size()});
  for (TransformParts const& transform : parts) {
    out.text(transform.name);
    out.put(std::uint64_t{transform.inputs.size()});
    for (std::string const& input : transform.inputs) {
      out.text(input);
    }
    out.put(std::uint64_t{transform.parts.size()});
    for (TransformParts::Part const& part : transform.parts) {
      out.text(part.name);
      out.put(part.hash);
    }
  }
}

GraphParts get_graph_parts(ByteReader& in) {
  GraphParts parts;
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    TransformParts& transform = parts.emplace_back();
    transform.name = in.text();
    for (auto inputs = in.get<std::uint64_t>(); inputs > 0; --inputs) {
      transform.inputs.emplace_back(in.text());
    }
    for (auto count = in.get<std::uint64_t>(); count > 0; --count) {
      TransformParts::Part& part = transform.parts.emplace_back();
      part.name = in.text();
      part.hash = in.get<std::uint64_t>();
    }
  }
  return parts;
}

std::vector<TransformChange> compare(GraphParts const& before, GraphParts const& now) {
  std::vector<TransformChange> changes;
  for (TransformParts const& transform : now) {
    TransformChange& change = changes.emplace_back();
    change.name = transform.name;
    TransformParts const* const was = find(before, transform.name);
    if (was == nullptr) {
      change.kind = TransformChange::Kind::added;
      continue;
    }
    change.parts = different_parts(*was, transform);
    for (std::string const& input : transform.inputs) {  // stands before it
      auto const of = std::find_if(changes.begin(), changes.end(),
                                   [&](TransformChange const& c) { return c.name == input; });
      if (of->kind != TransformChange::Kind::kept) {
        change.reads.push_back(input);
      }
    }
    if (!change.parts.empty() || !change.reads.empty()) {
      change.kind = TransformChange::Kind::incompatible;
    }
  }
  for (TransformParts const& transform : before) {
    if (find(now, transform.name) == nullptr) {
      changes.push_back({TransformChange::Kind::gone, transform.name, {}, {}});
    }
  }
  return changes;
}

std::string differences(GraphParts const& before, GraphParts const& now) {
  if (before == now) {
    return {};
  }
  std::vector<std::string> out;
  for (TransformChange const& change : compare(before, now)) {
    if (change.kind == TransformChange::Kind::added) {
      out.push_back(change.name + " is new");
    } else if (change.kind == TransformChange::Kind::gone) {
      out.push_back(change.name + " is gone");
    } else if (!change.parts.empty()) {
      out.push_back(fmt::format("{}: {}", change.name, fmt::join(change.parts, ", ")));
    }
  }
  return out.empty() ? "the order of the transforms" : fmt::format("{}", fmt::join(out, "; "));
}

}  // namespace windrow
