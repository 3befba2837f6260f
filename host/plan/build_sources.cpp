// Sources: where rows come from, their fields, event time and watermark (semantics.md 16.3).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

#include "host/plan/duration.hpp"
#include "host/plan/graph_builder.hpp"
#include "host/plan/row_elements.hpp"
#include "host/plan/schema_reader.hpp"

namespace windrow {
namespace {

TimeUnit unit_named(std::string_view name) {
  return name == "s"    ? TimeUnit::s
         : name == "ms" ? TimeUnit::ms
         : name == "us" ? TimeUnit::us
         : name == "ns" ? TimeUnit::ns
                        : TimeUnit::rfc3339;
}

Schema pageviews_schema() {
  auto const field = [](char const* name, ValueType type, bool nullable = false) {
    return Field{name, {type, {}}, nullable};
  };
  return Schema{{field("event_id", ValueType::string), field("ts", ValueType::integer),
                 field("user_id", ValueType::string), field("url", ValueType::string),
                 field("dwell_ms", ValueType::integer), field("referrer", ValueType::string, true),
                 field("country", ValueType::string)}};
}
constexpr double pageviews_ts = 1.76e12;  // milliseconds (W218)

}  // namespace

void GraphBuilder::source_flow(Work& work, bool bounded) {
  Flow& flow = work.flow;
  flow.bounded = work.out.bounded = bounded;
  flow.forget_identity();
  flow.trackers = {graph_.size()};
}

// A field by name, whose type suits the unit.
std::optional<EventTimeField> GraphBuilder::event_time(Work& work) {
  YamlNode const* const map = work.keys.find("event_time");
  if (map == nullptr) {
    return std::nullopt;
  }
  Keys const keys(report_, map, *work.written.config->find_key("event_time"), event_time_keys(),
                  fmt::format("event_time of {}", work.written.label), "event_time");
  YamlNode const* const field = keys.find("field");
  YamlNode const* const unit = keys.find("unit");
  if (field == nullptr || unit == nullptr || !work.flow.ok) {
    return std::nullopt;
  }
  std::optional<std::size_t> const at =
      find_field(context_, *field, field->text, work.flow.schema, work.place);
  if (!at) {
    return std::nullopt;
  }
  EventTimeField const out{field->text, unit_named(unit->text)};
  check_unit(work, *field, work.flow.schema.fields[*at].type, out.unit, true);
  return out;
}

void GraphBuilder::check_unit(Work& work, YamlNode const& at, FieldType const& type, TimeUnit unit,
                              bool given) {
  bool const text = type.kind == ValueType::string;
  bool const number = type.kind == ValueType::integer || type.kind == ValueType::number;
  // Without a unit text is RFC 3339; decimal text may have any other unit (R4).
  bool const fits = unit == TimeUnit::rfc3339 ? text : number || (text && given);
  if (!fits) {
    report_.add("E140", at,
                fmt::format("{}: {} is no time{}", work.place, to_string(type),
                            given && unit == TimeUnit::rfc3339 ? " with unit rfc3339" : ""));
  }
}

std::optional<WatermarkSettings> GraphBuilder::watermark(Work& work, bool bounded) {
  YamlNode const* const map = work.keys.find("watermark");
  if (map == nullptr) {
    return std::nullopt;
  }
  Keys const keys(report_, map, *work.written.config->find_key("watermark"), watermark_keys(),
                  fmt::format("watermark of {}", work.written.label), "watermark");
  WatermarkSettings out;
  for (char const* const name : {"max_out_of_orderness", "idle_timeout", "max_future_skew"}) {
    YamlNode const* const node = keys.find(name);
    if (node == nullptr || node->text == "none") {
      continue;
    }
    if (read_duration(node->text).value->us < 0) {
      report_.add("E141", *node, fmt::format("{} must not be negative, is {}", name, node->text));
    }
  }
  out.max_out_of_orderness = *keys.duration("max_out_of_orderness");
  out.idle_timeout = keys.duration("idle_timeout");
  if (YamlNode const* const idle = keys.find("idle_timeout");
      idle != nullptr && idle->text == "none") {
    report_.add("W207", *idle, "a partition that gives nothing holds the watermark for ever");
  }
  if (keys.text("all_idle") == "clock") {
    out.all_idle = WatermarkSettings::AllIdle::clock;
  }
  if (keys.has("max_future_skew")) {
    out.max_future_skew = keys.duration("max_future_skew");
  } else if (bounded) {
    out.max_future_skew = std::nullopt;  // else 1 h
  }
  if (keys.text("on_future") == "clamp") {
    out.on_future = WatermarkSettings::OnFuture::clamp;
  }
  return out;
}

bool GraphBuilder::read_from_kafka(Work& work) {
  Keys const& keys = work.keys;
  ReadFromKafka config;
  config.bootstrap_servers = keys.text("bootstrap_servers");
  YamlNode const& owner = work.at();
  std::vector<std::string> ways;
  for (char const* const way : {"topic", "topics", "topic_pattern"}) {
    if (keys.given(way)) {
      ways.emplace_back(way);
    }
  }
  if (ways.empty()) {
    report_.add("E104", owner,
                fmt::format("'topic' is missing in config of {}", work.written.label));
  } else if (ways.size() > 1) {
    report_.add("E141", *work.written.config->find_key(ways[1]),
                fmt::format("'{}' and '{}' exclude each other", ways[0], ways[1]));
  }
  if (keys.has("topic")) {
    config.topics = {keys.text("topic")};
  }
  for (YamlNode const* const topic : keys.texts("topics")) {
    config.topics.push_back(topic->text);
  }
  config.topic_pattern = keys.text("topic_pattern");
  try {
    std::regex const pattern(config.topic_pattern);
  } catch (std::regex_error const& error) {
    report_.add("E141", *keys.find("topic_pattern"),
                fmt::format("topic_pattern is no regular expression: {}", error.what()));
  }

  std::string const format = keys.text("format");
  using Format = ReadFromKafka::Format;
  config.format = format == "JSON"     ? Format::json
                  : format == "NDJSON" ? Format::ndjson
                  : format == "STRING" ? Format::string
                                       : Format::raw;
  bool const json = config.format == Format::json || config.format == Format::ndjson;
  bool ok = !keys.given("format") || keys.has("format");
  YamlNode const* const schema = keys.find("schema");
  auto const scripted = context_.options.schemas.find(work.written.name);
  if (scripted != context_.options.schemas.end()) {
    work.flow.schema = scripted->second;
  } else if (!json) {
    if (schema != nullptr && ok) {
      report_.add("E141", *work.written.config->find_key("schema"),
                  fmt::format("'schema' goes with format JSON or NDJSON, not {}", format));
    }
    ValueType const type = config.format == Format::string ? ValueType::string : ValueType::bytes;
    work.flow.schema.fields = {{"payload", {type, {}}, true}};
  } else if (schema == nullptr) {
    if (!keys.given("schema")) {
      report_.add(
          "E104", owner,
          fmt::format("format {} needs 'schema' in config of {}", format, work.written.label));
    }
    ok = false;
  } else if (std::optional<Schema> read = read_schema(context_, *schema)) {
    work.flow.schema = std::move(*read);
  } else {
    ok = false;
  }

  std::optional<std::int64_t> const seconds = keys.integer("max_read_time_seconds");
  if (seconds) {
    if (*seconds > floor_div(duration_max.us, 1'000'000)) {
      report_.add("E141", *keys.find("max_read_time_seconds"),
                  "max_read_time_seconds is beyond 3652500d");
    } else {
      config.max_read_time = Duration{*seconds * 1'000'000};
    }
  }
  if (kafka_settings(work, "consumer_config", context_.options.consumer_settings,
                     config.consumer_config, config.consumer_secrets)) {
    check_buffers(work, config);
  }
  kafka_start(work, config);
  config.partition_discovery_interval = *keys.duration("partition_discovery_interval");
  if (config.partition_discovery_interval.us <= 0) {
    report_.add("E141", *keys.find("partition_discovery_interval"),
                "partition_discovery_interval must be positive");
  }
  config.validate_full = keys.text("validate") == "full";
  work.flow.ok = ok;
  source_flow(work, seconds.has_value());
  config.event_time = event_time(work);
  config.watermark = watermark(work, seconds.has_value());
  work.out.config = std::move(config);
  return ok;
}

void GraphBuilder::kafka_start(Work& work, ReadFromKafka& config) {
  using Start = ReadFromKafka::Start;
  Keys const& keys = work.keys;
  config.start =
      keys.text("auto_offset_reset_config") == "earliest" ? Start::earliest : Start::latest;
  YamlNode const* const from = keys.find("start_from");
  if (from == nullptr) {
    return;
  }
  std::vector<std::string> const legal{"earliest", "latest", "group_offsets", "timestamp"};
  if (from->is_scalar() && from->text == "earliest") {
    config.start = Start::earliest;
  } else if (from->is_scalar() && from->text == "latest") {
    config.start = Start::latest;
  } else if (from->is_scalar() && from->text == "group_offsets") {
    config.start = Start::group_offsets;
  } else if (from->is_map() && from->entries.size() == 1 &&
             from->entries[0].key.text == "timestamp") {
    YamlNode const& time = from->entries[0].value;
    std::optional<EventTime> const stamp =
        time.is_scalar() ? stamp_of(std::string_view{time.text}, TimeUnit::rfc3339) : std::nullopt;
    if (!stamp) {
      report_.add("E141", time,
                  fmt::format("start_from.timestamp must be a time such as "
                              "2026-01-31T12:00:00Z, is {}",
                              kind_of(time)));
      return;
    }
    config.start = Start::timestamp;
    config.start_timestamp = *stamp;
  } else {
    report_.add("E141", *from,
                "start_from must be earliest, latest, group_offsets or {timestamp: ..}",
                from->is_scalar() ? did_you_mean(from->text, legal) : "");
  }
}

bool GraphBuilder::read_from_json(Work& work) {
  Keys const& keys = work.keys;
  ReadFromJson config;
  config.path = keys.text("path");
  config.validate_full = keys.text("validate") == "full";
  bool ok = keys.has("path");
  if (!keys.has("compression")) {
    for (char const* const end : {".gz", ".zst"}) {
      if (config.path.ends_with(end)) {
        report_.add("E101", *keys.find("path"),
                    fmt::format("reading {} files is not built yet", end));
      }
    }
  }
  if (config.path == "-") {
    report_.add_on_beam(OnBeam::differs, *keys.find("path"),
                        "'-' is stdin; on Beam it is a file of that name",
                        "ReadFromJson.path: \"-\"");
  }
  if (YamlNode const* const spool = keys.find("spool")) {
    config.spool = keys.text("spool");
    if (config.path != "-" || config.spool.empty()) {
      report_.add("E141", *spool,
                  config.spool.empty() ? "spool must name a directory"
                                       : "spool is for stdin (path: \"-\"): files are read again "
                                         "where they lie");
    }
  }
  auto const scripted = context_.options.schemas.find(work.written.name);
  if (scripted != context_.options.schemas.end()) {
    work.flow.schema = scripted->second;
  } else if (YamlNode const* const schema = keys.find("schema")) {
    std::optional<Schema> read = read_schema(context_, *schema);
    ok = ok && read.has_value();
    if (read) {
      work.flow.schema = std::move(*read);
    }
  } else if (keys.given("schema")) {
    ok = false;
  } else if (ok) {
    config.infer_schema = true;
    InferredSchema read;
    if (config.path == "-") {
      read.fault = "stdin can be read only once";
    } else if (context_.options.infer_schema) {
      read = context_.options.infer_schema(config.path);
    } else {
      read.fault = "no rows are read here";
    }
    if (!read.schema) {
      report_.add("E104", *keys.find("path"),
                  fmt::format("'schema' of {} is not given and cannot be inferred: {}",
                              work.written.label, read.fault),
                  "give one, such as {properties: {NAME: {type: string}}}");
      ok = false;
    } else {
      work.flow.schema = std::move(*read.schema);
      for (auto const& [name, value] : read.numbers) {
        if (std::optional<std::size_t> const at = work.flow.schema.index_of(name)) {
          work.flow.numbers[*at] = value;
        }
      }
    }
  }
  work.flow.ok = ok;
  source_flow(work, true);
  config.event_time = event_time(work);
  config.watermark = watermark(work, true);
  work.out.config = std::move(config);
  return ok;
}

bool GraphBuilder::create(Work& work) {
  YamlNode const* const elements = work.keys.find("elements");
  Create config;
  bool ok = elements != nullptr;
  auto const scripted = context_.options.schemas.find(work.written.name);
  if (scripted != context_.options.schemas.end()) {
    work.flow.schema = scripted->second;
  } else if (ok) {
    std::optional<Schema> schema = infer_schema(context_, *elements);
    ok = schema.has_value();
    if (schema) {
      work.flow.schema = std::move(*schema);
      config.elements = read_elements(context_, *elements, work.flow.schema);
      for (YamlNode const& row : elements->items) {
        for (std::size_t i = 0; i < work.flow.schema.fields.size(); ++i) {
          YamlNode const* const cell =
              row.is_map() ? row.find(work.flow.schema.fields[i].name) : &row;
          if (cell == nullptr || !cell->is_plain()) {
            continue;
          }
          if (std::optional<double> const number = read_number(cell->text)) {
            work.flow.numbers[i] = *number;
          }
        }
      }
    }
  }
  source_flow(work, true);
  work.out.config = std::move(config);
  return ok;
}

bool GraphBuilder::generate(Work& work) {
  Keys const& keys = work.keys;
  Generate config;
  config.seed = static_cast<std::uint64_t>(*keys.integer("seed"));
  if (std::optional<std::int64_t> const events = keys.integer("events")) {
    config.events = static_cast<std::uint64_t>(*events);
  }
  config.rate = keys.number("rate");
  work.flow.schema = pageviews_schema();
  work.flow.numbers[1] = pageviews_ts;
  source_flow(work, config.events.has_value());
  config.watermark = watermark(work, work.out.bounded);
  work.out.config = config;
  return true;
}

}  // namespace windrow
