// The end summary of a run.
#include "host/cli/summary.hpp"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <iterator>

#include "host/cli/live_view.hpp"

namespace windrow::cli {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void text(Writer& out, char const* name, std::string const& value) {
  out.Key(name);
  out.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
}
void number(Writer& out, char const* name, std::uint64_t value) {
  out.Key(name);
  out.Uint64(value);
}
void time(Writer& out, char const* name, EventTime value) {
  out.Key(name);
  if (value <= T_MIN || value >= T_END) {
    out.String(value <= T_MIN ? "-inf" : "+inf");
  } else {
    out.Int64(value.us);
  }
}
void fault_counts(Writer& out, FaultCounts const& counts) {
  out.Key("set_aside");
  out.StartObject();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) {
      number(out, std::string(fault_name(static_cast<Fault>(i))).c_str(), counts[i]);
    }
  }
  out.EndObject();
}

std::string fault_text(FaultCounts const& counts) {
  std::string out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) {
      fmt::format_to(std::back_inserter(out), "{}{} {}", out.empty() ? "" : ", ",
                     count_text(counts[i]), fault_name(static_cast<Fault>(i)));
    }
  }
  return out.empty() ? "nothing" : out;
}

// Nothing of a step that was on the CPU all the time.
std::string backend_text(StepProgress const& step) {
  AggregationBackend const& backend = step.backend;
  std::string out;
  if (backend.halved > 0) {
    out += fmt::format("; {} batches in pieces, for want of memory", count_text(backend.halved));
  }
  if (!backend.moved.empty()) {
    return fmt::format("{}: on {}, where it moved to: {}{}\n", step.name, backend.name,
                       backend.moved, out);
  }
  return backend.name == "cpu" ? "" : fmt::format("{}: on {}{}\n", step.name, backend.name, out);
}

}  // namespace

std::string summary_text(Summary const& summary) {
  std::string out;
  auto to = std::back_inserter(out);
  for (SourceProgress const& s : summary.progress.sources) {
    fmt::format_to(to, "{}: {} read = {} decoded + {} rejected; set aside: {}\n", s.name,
                   count_text(s.read), count_text(s.decoded), count_text(s.rejected),
                   fault_text(s.set_aside));
  }
  for (StepProgress const& step : summary.progress.steps) {
    AggregationStats const& s = step.stats;
    fmt::format_to(
        to,
        "{}: {} assigned = {} aggregated + {} dropped late + {} dropped closed; panes {} early, "
        "{} on time, {} late, {} tombstones\n",
        step.name, count_text(s.assigned), count_text(s.aggregated), count_text(s.dropped_late),
        count_text(s.dropped_closed), count_text(s.panes_early), count_text(s.panes_on_time),
        count_text(s.panes_late), count_text(s.tombstones));
    fmt::format_to(to, "{}", backend_text(step));
    if (step.refused > 0) {
      fmt::format_to(to, "{}: {} rows with new keys set aside: memory_limit\n", step.name,
                     count_text(step.refused));
    }
    if (step.tombstones_ignored > 0) {
      fmt::format_to(to, "{}: {} tombstones ignored\n", step.name,
                     count_text(step.tombstones_ignored));
    }
  }
  for (SinkProgress const& s : summary.progress.sinks) {
    fmt::format_to(to, "{}: {} rows = {} written + {} superseded + {} dead letters", s.name,
                   count_text(s.taken), count_text(s.rows), count_text(s.superseded),
                   count_text(s.dead_letters));
    if (s.queued > 0) {
      fmt::format_to(to, " + {} not written yet", count_text(s.queued));
    }
    fmt::format_to(to, "; {} tombstones, {} retries\n", count_text(s.tombstones),
                   count_text(s.retries));
    if (!s.refusal.empty()) {
      fmt::format_to(to, "{}: the first dead letter: {}\n", s.name, s.refusal);
    }
  }
  for (std::string const& law : summary.broken_laws) {
    fmt::format_to(to, "BROKEN LAW: {}\n", law);
  }
  for (std::string const& failure : summary.failures) {
    fmt::format_to(to, "FAILED: {}\n", failure);
  }
  return out;
}

std::string summary_json(Summary const& summary) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  out.Key("batches");
  out.Int64(summary.progress.batch_no);
  out.Key("sources");
  out.StartArray();
  for (SourceProgress const& s : summary.progress.sources) {
    out.StartObject();
    text(out, "name", s.name);
    number(out, "read", s.read);
    number(out, "decoded", s.decoded);
    number(out, "rejected", s.rejected);
    number(out, "bytes", s.bytes);
    number(out, "watermark_regressions", s.regressions);
    time(out, "watermark_us", s.watermark);
    text(out, "held_by", s.holder);
    fault_counts(out, s.set_aside);
    out.EndObject();
  }
  out.EndArray();
  out.Key("steps");
  out.StartArray();
  for (StepProgress const& step : summary.progress.steps) {
    AggregationStats const& s = step.stats;
    out.StartObject();
    text(out, "name", step.name);
    text(out, "backend", step.backend.name);
    text(out, "moved_to_cpu", step.backend.moved);
    number(out, "batches_halved", step.backend.halved);
    number(out, "rows", s.rows);
    number(out, "late", s.late);
    number(out, "no_window", s.no_window);
    number(out, "assigned", s.assigned);
    number(out, "aggregated", s.aggregated);
    number(out, "dropped_late", s.dropped_late);
    number(out, "dropped_closed", s.dropped_closed);
    number(out, "overflow", s.overflow);
    number(out, "panes_early", s.panes_early);
    number(out, "panes_on_time", s.panes_on_time);
    number(out, "panes_late", s.panes_late);
    number(out, "tombstones", s.tombstones);
    number(out, "tombstones_ignored", step.tombstones_ignored);
    number(out, "refused_new_keys", step.refused);
    number(out, "keys", step.keys);
    number(out, "windows_with_state", s.windows_with_state);
    time(out, "watermark_us", step.watermark);
    time(out, "output_watermark_us", step.output_watermark);
    fault_counts(out, step.set_aside);
    out.EndObject();
  }
  out.EndArray();
  out.Key("sinks");
  out.StartArray();
  for (SinkProgress const& s : summary.progress.sinks) {
    out.StartObject();
    text(out, "name", s.name);
    number(out, "taken", s.taken);
    number(out, "queued", s.queued);
    number(out, "rows", s.rows);
    number(out, "superseded", s.superseded);
    number(out, "tombstones", s.tombstones);
    number(out, "dead_letters", s.dead_letters);
    out.Key("first_dead_letter");
    out.String(s.refusal.data(), static_cast<rapidjson::SizeType>(s.refusal.size()));
    number(out, "retries", s.retries);
    fault_counts(out, s.set_aside);
    out.EndObject();
  }
  out.EndArray();
  out.Key("laws_hold");
  out.Bool(summary.broken_laws.empty());
  for (auto const& [name, list] :
       {std::pair{"broken_laws", &summary.broken_laws}, std::pair{"failures", &summary.failures}}) {
    out.Key(name);
    out.StartArray();
    for (std::string const& line : *list) {
      out.String(line.c_str(), static_cast<rapidjson::SizeType>(line.size()));
    }
    out.EndArray();
  }
  out.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace windrow::cli
