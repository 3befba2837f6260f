// What `windrow bench` prints.
#include "host/cli/bench/report.hpp"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace windrow::cli::bench {
namespace {

struct Spread {
  double median = 0, least = 0, most = 0;
};

template <class Of>
Spread spread(std::vector<Reading> const& readings, Of&& of) {
  std::vector<double> values;
  for (Reading const& reading : readings) {
    values.push_back(of(reading));
  }
  std::sort(values.begin(), values.end());
  return values.empty() ? Spread{}
                        : Spread{values[values.size() / 2], values.front(), values.back()};
}

Spread ns_per_row(Result const& result) {
  return spread(result.readings,
                [](Reading const& r) { return r.wall_s * 1e9 / static_cast<double>(r.rows); });
}
double cores(Result const& result) {
  return spread(result.readings, [](Reading const& r) { return r.cpu_s / r.wall_s; }).median;
}
std::uint64_t state_bytes(Result const& result) { return result.readings.back().state_bytes; }

// Of the rows' bytes, each moved once, against memory to memory; of the bytes that crossed, against
// PCIe; of these, each touched once there, against the device's memory: kernels touch more.
struct Shares {
  double copy = 0, pcie = 0, hbm = 0;
};
Shares shares(Result const& result, Ceilings const& ceilings) {
  auto const share = [](double bytes, double seconds, double ceiling) {
    return ceiling == 0 ? 0 : bytes / seconds / ceiling;
  };
  Shares out;
  out.copy =
      spread(result.readings, [&](Reading const& r) {
        return share(result.row_bytes * static_cast<double>(r.rows), r.wall_s, ceilings.copy);
      }).median;
  out.pcie = spread(result.readings, [&](Reading const& r) {
               return std::max(
                   share(static_cast<double>(r.bytes_to_device), r.wall_s, ceilings.pcie_in),
                   share(static_cast<double>(r.bytes_from_device), r.wall_s, ceilings.pcie_out));
             }).median;
  out.hbm = spread(result.readings, [&](Reading const& r) {
              return share(static_cast<double>(r.bytes_to_device + r.bytes_from_device), r.wall_s,
                           ceilings.hbm);
            }).median;
  return out;
}

std::string bytes_text(double bytes) {
  for (char const* unit : {"B", "kB", "MB", "GB"}) {
    if (bytes < 1000) {
      return fmt::format("{:.{}f} {}", bytes, bytes < 10 && *unit != 'B' ? 1 : 0, unit);
    }
    bytes /= 1000;
  }
  return fmt::format("{:.1f} TB", bytes);
}

std::string cell_text(Cell const& cell) {
  return fmt::format("{:<8} {:>9} {:<8} {:>4} {:<8}",
                     window_words()[static_cast<std::size_t>(cell.windows)], cell.keys,
                     skew_word(cell.skew), fmt::format("{}%", cell.late_percent),
                     input_words()[static_cast<std::size_t>(cell.input)]);
}

}  // namespace

double median_ns(Result const& result) { return ns_per_row(result).median; }

std::string head_text(RunFacts const& facts, std::vector<Backend> const& backends) {
  std::string out = fmt::format(
      "{} rows a cell in batches of {}, median of {} rounds (least-most), seed {}, commit {}\n",
      facts.rows, batch_rows, facts.rounds, facts.seed, facts.commit);
  for (Backend const& backend : backends) {
    out += fmt::format(
        "{}: {}\n", backend.name,
        backend.why_not.empty() ? backend.machine : fmt::format("not here: {}", backend.why_not));
  }
  out += fmt::format("ceilings: copy {}/s", bytes_text(facts.ceilings.copy));
  if (facts.ceilings.hbm > 0) {
    out +=
        fmt::format(", PCIe in {}/s, out {}/s, HBM copy {}/s", bytes_text(facts.ceilings.pcie_in),
                    bytes_text(facts.ceilings.pcie_out), bytes_text(facts.ceilings.hbm));
  }
  out += fmt::format(
      "\n\n{:<8} {:>9} {:<8} {:>4} {:<8} {:<7} {:>8} {:>24} {:>5} {:>7} {:>13} {:<18} {}\n",
      "windows", "keys", "skew", "late", "input", "backend", "M rows/s", "ns a row", "cores",
      "state", "PCIe B a row", "of ceiling", "of cpu");
  return out;
}

std::string line_text(Result const& result, RunFacts const& facts, double base_ns) {
  std::string out = fmt::format("{} {:<7} ", cell_text(result.cell), result.backend->name);
  if (!result.skipped.empty()) {
    return out + fmt::format("- {}\n", result.skipped);
  }
  Spread const ns = ns_per_row(result);
  Shares const share = shares(result, facts.ceilings);
  Reading const& last = result.readings.back();
  auto const rows = static_cast<double>(last.rows);
  std::string of = fmt::format("copy {:.1f}%", 100 * share.copy);
  if (facts.ceilings.pcie_in > 0 && last.bytes_to_device > 0) {
    of = fmt::format("PCIe {:.0f}% HBM {:.0f}%", 100 * share.pcie, 100 * share.hbm);
  }
  std::string const pcie =
      last.bytes_to_device == 0
          ? "-"
          : fmt::format("{:.0f} + {:.0f}", static_cast<double>(last.bytes_to_device) / rows,
                        static_cast<double>(last.bytes_from_device) / rows);
  out += fmt::format("{:>8.2f} {:>24} {:>5.2f} {:>7} {:>13} {:<18}", 1e3 / ns.median,
                     fmt::format("{:.1f} ({:.1f}-{:.1f})", ns.median, ns.least, ns.most),
                     cores(result), bytes_text(static_cast<double>(state_bytes(result))), pcie, of);
  out += base_ns > 0 ? fmt::format(" {:.2f}x", base_ns / ns.median) : "";
  return out + (result.wrong.empty() ? "\n" : fmt::format(" WRONG: {}\n", result.wrong));
}

std::string line_json(Result const& result, RunFacts const& facts) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  auto const text = [&](char const* name, std::string const& value) {
    json.Key(name);
    json.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  };
  auto const number = [&](char const* name, double value) {
    json.Key(name);
    json.Double(value);
  };
  auto const count = [&](char const* name, std::uint64_t value) {
    json.Key(name);
    json.Uint64(value);
  };
  json.StartObject();
  text("windows", window_words()[static_cast<std::size_t>(result.cell.windows)]);
  count("keys", result.cell.keys);
  text("skew", skew_word(result.cell.skew));
  count("late_percent", static_cast<std::uint64_t>(result.cell.late_percent));
  text("input", input_words()[static_cast<std::size_t>(result.cell.input)]);
  text("backend", result.backend->name);
  text("machine", result.backend->machine);
  text("processor", facts.processor);
  text("commit", facts.commit);
  count("seed", facts.seed);
  count("rows", facts.rows);
  count("batch_rows", batch_rows);
  if (!result.skipped.empty()) {
    text("skipped", result.skipped);
  } else {
    Spread const ns = ns_per_row(result);
    Reading const& last = result.readings.back();
    Shares const share = shares(result, facts.ceilings);
    count("rounds", result.readings.size());
    count("threads", facts.threads);
    number("events_per_s", 1e9 / ns.median);
    number("ns_per_event", ns.median);
    number("ns_per_event_least", ns.least);
    number("ns_per_event_most", ns.most);
    number("cores", cores(result));
    count("state_bytes", state_bytes(result));
    count("pcie_in_bytes", last.bytes_to_device);
    count("pcie_out_bytes", last.bytes_from_device);
    number("copy_ceiling", facts.ceilings.copy);
    number("pcie_in_ceiling", facts.ceilings.pcie_in);
    number("pcie_out_ceiling", facts.ceilings.pcie_out);
    number("hbm_ceiling", facts.ceilings.hbm);
    number("share_of_copy", share.copy);
    number("share_of_pcie", share.pcie);
    number("share_of_hbm", share.hbm);
    count("panes", last.tally.panes);
    text("determinism", result.cell.input == Input::kafka ? "the same rows in every round"
                                                          : "the same panes in every round");
    text("wrong", result.wrong);
  }
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace windrow::cli::bench
