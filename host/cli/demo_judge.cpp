// The end of the demo: results from the database, counts and tables against the truth.
#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "host/cli/demo.hpp"
#include "host/cli/live_view.hpp"
#include "host/cli/summary.hpp"

namespace windrow::cli {
namespace {

struct Count {
  std::string name;
  std::uint64_t expected, found;
};

std::vector<Count> counts_of(Summary const& summary, pageviews::Counts const& truth) {
  std::vector<Count> counts;
  for (SourceProgress const& source : summary.progress.sources) {
    auto const aside = [&](Fault fault) {
      return source.set_aside[static_cast<std::size_t>(fault)];
    };
    counts.push_back({source.name + " read", truth.lines, source.read});
    counts.push_back({source.name + " rejected", truth.truncated, source.rejected});
    counts.push_back(
        {source.name + " of the future", truth.future, aside(Fault::future_timestamp)});
  }
  if (!summary.progress.steps.empty()) {
    StepProgress const& step = summary.progress.steps.front();
    counts.push_back({step.name + " dropped late", truth.late, step.stats.dropped_late});
    counts.push_back({step.name + " dropped closed", 0, step.stats.dropped_closed});
    counts.push_back({step.name + " aggregated", truth.accepted, step.stats.aggregated});
  }
  counts.push_back({"broken laws", 0, summary.broken_laws.size()});
  return counts;
}

std::string to_json(std::vector<Comparison> const& tables, std::vector<Count> const& counts,
                    bool matches) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out(buffer);
  out.StartObject();
  out.Key("tables");
  out.StartArray();
  for (Comparison const& table : tables) {
    out.StartObject();
    out.Key("table");
    out.String(table.table.c_str());
    out.Key("rows");
    out.Uint64(table.rows);
    out.Key("differences");
    out.Uint64(table.differences);
    out.Key("withdrawn");
    out.Uint64(table.withdrawn);
    out.EndObject();
  }
  out.EndArray();
  out.Key("counts");
  out.StartArray();
  for (Count const& count : counts) {
    out.StartObject();
    out.Key("name");
    out.String(count.name.c_str());
    out.Key("true");
    out.Uint64(count.expected);
    out.Key("found");
    out.Uint64(count.found);
    out.EndObject();
  }
  out.EndArray();
  out.Key("matches_the_truth");
  out.Bool(matches);
  out.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace

bool judge(Verdict const& verdict) {
  std::vector<Comparison> const tables =
      compare_with_truth(verdict.database, verdict.truth.tables());
  std::vector<Count> counts;
  for (Summary const& summary : verdict.summaries) {
    for (Count& count : counts_of(summary, verdict.truth.counts())) {
      counts.push_back(std::move(count));
    }
  }
  bool matches = true;
  for (Comparison const& table : tables) {
    matches = matches && table.differences == 0;
  }
  for (Count const& count : counts) {
    matches = matches && count.expected == count.found;
  }
  if (verdict.json) {
    fmt::print("{}", to_json(tables, counts, matches));
    return matches;
  }

  fmt::print("{}\n", results_text(verdict.database));
  for (Summary const& summary : verdict.summaries) {
    fmt::print("{}\n", summary_text(summary));
  }
  for (Comparison const& table : tables) {
    fmt::print("{:<13} {:>9} true rows compared, {} differ, {} withdrawn\n", table.table,
               count_text(table.rows), count_text(table.differences), count_text(table.withdrawn));
    for (std::string const& example : table.examples) {
      fmt::print("  {}\n", example);
    }
  }
  for (Count const& count : counts) {
    if (count.expected != count.found) {
      fmt::print("{}: true {}, found {}\n", count.name, count_text(count.expected),
                 count_text(count.found));
    }
  }
  SourceProgress const& source = verdict.summaries.front().progress.sources.front();
  AggregationStats const& first = verdict.summaries.front().progress.steps.front().stats;
  fmt::print(
      "{} read = {} decoded + {} rejected; {} pairs dropped late; {} sessions, {} of them joined "
      "late; matches the truth: {}\n",
      count_text(source.read), count_text(source.decoded), count_text(source.rejected),
      count_text(first.dropped_late), count_text(tables[2].rows),
      count_text(verdict.truth.counts().rejoined), matches ? "yes" : "no");
  return matches;
}

}  // namespace windrow::cli
