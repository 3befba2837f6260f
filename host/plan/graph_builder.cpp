#include "host/plan/graph_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/model/portable.hpp"
#include "host/plan/duration.hpp"
#include "host/plan/trigger_reader.hpp"

namespace windrow {
namespace {

// What differs between two windowings, in words; "" if nothing does (E131).
std::string difference(WindowState const& a, WindowState const& b) {
  Windowing const& x = a.windowing;
  Windowing const& y = b.windowing;
  if (x.windows != y.windows) {
    return fmt::format("{} and {}", to_string(x.windows), to_string(y.windows));
  }
  if (a.from_step != b.from_step || x.merging != y.merging) {
    return "windows of panes and windows still to be made";
  }
  if (x.trigger != y.trigger) {
    return fmt::format("trigger {} and {}", to_string(x.trigger), to_string(y.trigger));
  }
  if (x.lateness != y.lateness) {
    return fmt::format("allowed_lateness {} and {}", to_string(x.lateness), to_string(y.lateness));
  }
  if (x.discarding != y.discarding) {
    return "accumulation_mode discarding and accumulating";
  }
  if (x.timestamp_combiner != y.timestamp_combiner) {
    return "timestamp_combiner";
  }
  if (x.closing != y.closing) {
    return "closing_behavior";
  }
  return x.on_time != y.on_time ? "on_time_behavior" : "";
}

std::string label_of_edge(WrittenEdge const& edge, std::vector<WrittenTransform> const& written) {
  return edge.at != nullptr ? fmt::format("'{}'", edge.at->text) : written[edge.transform].label;
}

}  // namespace

YamlNode const& GraphBuilder::Work::at() const {
  YamlNode const* const name = written.node->find("name");
  return name != nullptr && name->is_scalar() ? *name : *written.type_node;
}

std::vector<Transform> GraphBuilder::build() {
  flows_.resize(written_.size());
  graph_index_.assign(written_.size(), SIZE_MAX);
  for (std::size_t i = 0; i < written_.size(); ++i) {
    build_one(i);
  }
  for (std::size_t const index : tracked_) {
    auto* const assign = std::get_if<AssignTimestamps>(&graph_[index].config);
    auto const* const kafka = std::get_if<ReadFromKafka>(&graph_[index].config);
    auto const* const made = std::get_if<Generate>(&graph_[index].config);
    if (assign != nullptr) {
      assign->tracks = true;
    }
    bool const settings = (assign != nullptr && assign->watermark) ||
                          (kafka != nullptr && kafka->watermark) ||
                          (made != nullptr && made->watermark);
    if (!graph_[index].bounded && !settings) {
      report_.add("W202", *at_[index],
                  fmt::format("'{}' makes the watermark of an unbounded source without `watermark` "
                              "settings: rows out of order are late",
                              graph_[index].name));
    }
  }
  for (std::size_t index = 0; index < graph_.size(); ++index) {
    compare_with_beam(index);
  }
  check_spaces();
  return std::move(graph_);
}

void GraphBuilder::compare_with_beam(std::size_t index) {
  auto const* const assign = std::get_if<AssignTimestamps>(&graph_[index].config);
  // Below a step, and where all input ends, it makes no watermark.
  if (assign != nullptr && (!assign->tracks || graph_[index].bounded)) {
    return;
  }
  std::string_view rest = find_transform(graph_[index].type)->on_beam;
  while (!rest.empty()) {
    std::size_t const end = std::min(rest.find('\n'), rest.size());
    report_.add_on_beam(OnBeam::differs, *at_[index], std::string{rest.substr(0, end)});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void GraphBuilder::build_one(std::size_t index) {
  WrittenTransform const& written = written_[index];
  Flow& result = flows_[index];
  result.ok = false;
  if (written.spec == nullptr || !written.spec->built) {
    return;
  }
  TransformSpec const& spec = *written.spec;
  Flow in = written.ok ? merged(written) : Flow{};
  in.ok = in.ok && written.ok;
  bool const given_windowing = !written.windowing.empty();
  Keys const keys(report_, written.config,
                  written.config == nullptr ? *written.node : *written.config, spec.keys,
                  fmt::format("config of {}", written.label), spec.type);
  std::vector<GivenWindowing> windowing;
  std::string const place = fmt::format("windowing of {}", written.label);
  for (YamlNode const* const map : written.windowing) {
    windowing.push_back(read_windowing(context_, *map, place));
  }
  if (spec.type == "WindowInto") {
    if (YamlNode const* const map = keys.find("windowing")) {
      windowing.push_back(read_windowing(context_, *map, place));
    } else if (!given_windowing && !keys.given("windowing")) {
      report_.add("E104", *written.node,
                  fmt::format("'windowing' is missing in {}", written.label));
      in.windows.ok = false;
    }
    for (GivenWindowing const& given : windowing) {
      apply(given, in.windows);
    }
    result = std::move(in);
    return;
  }
  bool const source = spec.role == Role::source;
  if (!source) {
    for (GivenWindowing const& given : windowing) {
      apply(given, in.windows);
    }
  }
  if (spec.role == Role::end && written.node->find("windowing") != nullptr) {
    report_.add(
        "E101", *written.node->find_key("windowing"),
        fmt::format("windowing on {}, which groups nothing, is not built yet", written.label));
  }

  Work work{written, keys, in, {}, in, fmt::format("{} {}", spec.type, written.label)};
  if (work.place == fmt::format("{} '{}'", spec.type, spec.type)) {
    work.place = spec.type;
  }
  work.out.name = written.name;
  work.out.type = written.type;
  work.out.at = written.node->at;
  work.out.inputs = in.edges;
  work.out.bounded = in.bounded;
  work.out.step = in.step();
  graph_index_[index] = graph_.size();  // where `out` will stand

  bool ok = false;
  if (spec.type == "ReadFromKafka") {
    ok = read_from_kafka(work);
  } else if (spec.type == "ReadFromJson") {
    ok = read_from_json(work);
  } else if (spec.type == "Create") {
    ok = create(work);
  } else if (spec.type == "Generate") {
    ok = generate(work);
  } else if (spec.type == "Combine") {
    ok = combine(work);
  } else if (!in.ok) {
    ok = false;  // its fields are not known: nothing more can be said of it
  } else if (spec.type == "AssignTimestamps") {
    ok = assign_timestamps(work);
  } else if (spec.type == "MapToFields") {
    ok = map_to_fields(work);
  } else if (spec.type == "Filter") {
    ok = filter(work);
  } else if (spec.type == "Explode") {
    ok = explode(work);
  } else if (spec.type == "Flatten") {
    work.out.config = Flatten{};
    ok = true;
  } else if (spec.type == "ExtractWindowingInfo") {
    ok = extract_windowing_info(work);
  } else if (spec.type == "LogForTesting") {
    ok = log_for_testing(work);
  } else if (spec.type == "AssertEqual") {
    ok = assert_equal(work);
  } else if (spec.type == "WriteToSqlite") {
    ok = write_to_sqlite(work);
  } else if (spec.type == "WriteToPostgres") {
    ok = write_to_postgres(work);
  } else if (spec.type == "WriteToKafka") {
    ok = write_to_kafka(work);
  } else {
    WINDROW_ASSERT(spec.type == "WriteToJson", "every built transform is read");
    ok = write_to_json(work);
  }
  read_errors(work);
  if (source) {
    for (GivenWindowing const& given : windowing) {
      apply(given, work.flow.windows);
    }
  }
  if (spec.role == Role::end) {
    track(work.in);
  }
  result = std::move(work.flow);
  result.ok = result.ok && ok;
  result.edges = {Edge{graph_.size(), false}};
  if (spec.role != Role::end) {
    work.out.output = result.schema;
  }
  graph_.push_back(std::move(work.out));
  at_.push_back(&work.at());
}

Flow GraphBuilder::error_flow(std::size_t index) const {
  Flow const& main = flows_[index];
  Flow out;
  out.schema = error_schema();
  out.forget_identity();
  out.bounded = main.bounded;
  if (written_[index].spec != nullptr && written_[index].spec->role == Role::end) {
    out.refuser = &written_[index];
  }
  if (graph_index_[index] == SIZE_MAX) {
    out.ok = false;  // it was refused
  } else {
    out.edges = {Edge{graph_index_[index], true}};
  }
  return out;
}

Flow GraphBuilder::merged(WrittenTransform const& written) {
  Flow out;
  WrittenEdge const* first = nullptr;
  std::optional<Flow> first_flow;
  for (WrittenEdge const& edge : written.inputs) {
    Flow flow = edge.errors ? error_flow(edge.transform) : flows_[edge.transform];
    if (first == nullptr) {
      first = &edge;
      first_flow = flow;
      out = std::move(flow);
      continue;
    }
    if (out.ok && flow.ok) {
      check_same(written, *first_flow, flow, *first, edge);
    }
    out.ok = out.ok && flow.ok;
    out.bounded = out.bounded && flow.bounded;
    out.stepless = out.stepless || flow.stepless;
    out.steps.insert(flow.steps.begin(), flow.steps.end());
    out.trackers.insert(flow.trackers.begin(), flow.trackers.end());
    out.edges.insert(out.edges.end(), flow.edges.begin(), flow.edges.end());
    out.refuser = out.refuser != nullptr ? out.refuser : flow.refuser;
    out.of_batch = out.of_batch != nullptr ? out.of_batch : flow.of_batch;
    out.windows.ok = out.windows.ok && flow.windows.ok;
    out.windows.lateness_given = out.windows.lateness_given && flow.windows.lateness_given;
    out.windows.mode_given = out.windows.mode_given && flow.windows.mode_given;
    out.numbers.clear();
    for (std::size_t i = 0; i < out.schema.fields.size() && i < flow.schema.fields.size(); ++i) {
      out.schema.fields[i].nullable =
          out.schema.fields[i].nullable || flow.schema.fields[i].nullable;
      bool const same = out.identity == flow.identity && out.identifies[i] == flow.identifies[i];
      if (!same) {
        out.identifies[i] = std::nullopt;
      }
    }
    if (out.identity.size() < flow.identity.size()) {
      out.identity = flow.identity;
    }
  }
  return out;
}

void GraphBuilder::check_same(WrittenTransform const& written, Flow const& first, Flow const& other,
                              WrittenEdge const& first_edge, WrittenEdge const& edge) {
  YamlNode const& at = edge.at != nullptr ? *edge.at : *written.type_node;
  std::string const a = label_of_edge(first_edge, written_), b = label_of_edge(edge, written_);
  bool const same_fields = std::equal(
      first.schema.fields.begin(), first.schema.fields.end(), other.schema.fields.begin(),
      other.schema.fields.end(),
      [](Field const& x, Field const& y) { return x.name == y.name && x.type == y.type; });
  if (!same_fields) {
    report_.add("E140", at,
                fmt::format("inputs {} and {} have different fields: {} and {}", a, b,
                            to_string(FieldType{ValueType::structure, first.schema.fields}),
                            to_string(FieldType{ValueType::structure, other.schema.fields})));
  }
  if (!first.windows.ok || !other.windows.ok) {
    return;
  }
  if (std::string const what = difference(first.windows, other.windows); !what.empty()) {
    report_.add("E131", at,
                fmt::format("inputs {} and {} have different windowing: {}", a, b, what));
  }
}

void GraphBuilder::read_errors(Work& work) {
  YamlNode const* const config = work.written.config;
  YamlNode const* const handling = config == nullptr ? nullptr : config->find("error_handling");
  auto const known = [&](KeySpec const& key) { return key.name == "error_handling"; };
  auto const& legal_keys = work.written.spec->keys;
  if (handling == nullptr || !handling->is_map() ||
      std::none_of(legal_keys.begin(), legal_keys.end(), known)) {
    return;
  }
  for (YamlEntry const& entry : handling->entries) {
    if (entry.key.text != "output") {
      std::vector<std::string> const legal{"output"};
      report_.add("E100", entry.key,
                  fmt::format("unknown key '{}' in error_handling", entry.key.text),
                  did_you_mean(entry.key.text, legal));
    }
  }
  YamlNode const* const output = handling->find("output");
  if (output == nullptr || !output->is_scalar()) {
    report_.add("E108", *config->find_key("error_handling"),
                fmt::format("error_handling of {} needs 'output'", work.written.label));
    return;
  }
  std::size_t const index = static_cast<std::size_t>(&work.written - written_.data());
  bool const used =
      std::any_of(written_.begin(), written_.end(), [&](WrittenTransform const& reader) {
        return std::any_of(
            reader.inputs.begin(), reader.inputs.end(),
            [&](WrittenEdge const& edge) { return edge.errors && edge.transform == index; });
      });
  if (!used) {
    std::string const name = work.written.label.substr(1, work.written.label.size() - 2);
    report_.add("E108", *output, fmt::format("output '{}.{}' is never used", name, output->text));
    return;
  }
  work.out.has_errors = true;
}

void GraphBuilder::track(Flow const& flow) {
  tracked_.insert(flow.trackers.begin(), flow.trackers.end());
}

void GraphBuilder::refuse_regrouped(Work& work, std::string_view what) {
  if (work.in.windows.regrouped && !work.in.steps.empty() && work.in.windows.ok) {
    report_.add("E101", work.at(),
                fmt::format("{} rows of a Combine that were given new windows, "
                            "which no Combine groups, is not built yet",
                            what));
  }
}

std::string GraphBuilder::label_of_step(std::size_t step) const {
  return fmt::format("'{}'", graph_[step].name);
}
Windowing const& GraphBuilder::windowing_of(std::size_t step) const {
  return std::get<Combine>(graph_[step].config).windowing;
}

}  // namespace windrow
