// `windrow bench`: the same rows through the CPU's aggregation and the GPU's, side by side.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include "host/cli/bench/backends.hpp"
#include "host/cli/bench/report.hpp"
#include "host/cli/demo.hpp"
#include "host/cli/machine.hpp"
#include "host/cli/one_of.hpp"
#include "host/cli/verbs.hpp"
#include "ingest/kafka_line_producer.hpp"
#include "kernels/backend.hpp"
#include "kernels/primitives/device_error.hpp"

namespace windrow::cli {
namespace {

using namespace bench;

constexpr std::size_t rows_per_partition = 30'000, partitions_max = 1000;  // 5 MiB each are kept

// The rows of a cell in the form in which it reads them.
struct Prepared {
  Workload workload;
  std::vector<std::string> lines;
  std::optional<BrokerProcess> broker;
  std::string bootstrap_servers;
};

bool is_text(Input input) { return input == Input::ndjson || input == Input::kafka; }

void prepare(Cell const& cell, std::size_t rows, std::uint64_t seed, Prepared& out) {
  out.workload = make_workload(cell, rows, seed);
  if (!is_text(cell.input)) {
    return;
  }
  out.lines.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    out.lines.push_back(json_of(out.workload, i));
  }
  if (cell.input == Input::kafka) {
    auto const partitions = static_cast<std::uint32_t>(rows / rows_per_partition + 1);
    out.broker.emplace("bench", partitions);
    out.bootstrap_servers = out.broker->bootstrap_servers();
    KafkaLineProducer producer(out.bootstrap_servers, "bench");
    for (std::size_t i = 0; i < rows; ++i) {
      producer.send(static_cast<std::uint32_t>(i % partitions), out.lines[i],
                    out.workload.rows.time[i].us / 1000);
    }
    producer.flush();
  }
}

// Are batches the same in every round?  Those of a topic end where the client's fetches do.
bool same_batches(Cell const& cell) { return cell.input != Input::kafka; }

class Bench final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand(
        "bench", "CPU against GPU: the same rows through both, results compared");
    auto const list = [&](char const* name, auto& into, char const* text) {
      return verb->add_option(name, into, text)->delimiter(',')->allow_extra_args(false);
    };
    list("--windows", said_.windows, "tumbling of 1s, sliding 60s/1s, sessions of gap 10s")
        ->check(one_of(window_words()));
    list("--keys", said_.keys, "numbers of keys (of the table: 100, 10^4, 10^6, 10^8)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
    list("--skew", said_.skew, "how keys are distributed")->check(one_of(skew_words()));
    list("--late", said_.late, "percent of rows behind the watermark (of the table: 0, 1, 10)")
        ->check(CLI::Range(0, 50));
    list("--input", said_.input, "in what form rows come")->check(one_of(input_words()));
    verb->add_flag("--all", said_.all, "every value of what is not said, instead of the usual one");
    verb->add_option("--backend", backend_,
                     "beside the CPU; cuda if not given, where there is a GPU")
        ->check(one_of({"cpu", "cuda", "twin"}));
    verb->add_option("--rows", facts_.rows, "rows of each cell")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000}))
        ->capture_default_str();
    verb->add_option("--rounds", facts_.rounds,
                     "timed runs of each, in turn, after one that is not")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb->add_option("--threads", facts_.threads,
                     "threads of the CPU's aggregation and the decoder")
        ->check(CLI::Range(1U, 1024U))
        ->capture_default_str();
    verb->add_option("--seed", facts_.seed, "names the rows")->capture_default_str();
    return verb;
  }

  int run(Invocation const& invocation) override {
    json_ = invocation.json;
    Workers workers(facts_.threads);
    backends_.push_back(cpu_backend(workers));
    int const gpu = add_device_backend(backend_, backends_);
    facts_.ceilings = measure_ceilings(workers, gpu);
    facts_.commit = WINDROW_COMMIT;
    facts_.processor = backends_[0].machine;
    if (!json_) {
      fmt::print("{}", head_text(facts_, backends_));
    }
    bool right = true;
    try {
      for (Cell const& cell : cells_of(said_)) {
        right &= run_cell(cell, workers);
      }
    } catch (DeviceLost const& lost) {
      throw EnvironmentError(lost.what(), exit_try_again);
    }
    if (!json_) {
      fmt::print("\n{}\n", right ? "every cell: the rows that went in came out, the same from all"
                                 : "WRONG results above");
    }
    return right ? exit_ok : exit_differs;
  }

 private:
  // True if all that ran gave the right rows.
  bool run_cell(Cell const& cell, Workers& workers) {
    std::vector<Result> results;
    std::string const skipped = why_no_cell(cell);
    for (Backend const& backend : backends_) {
      results.push_back({cell, &backend, {}, skipped, "", 0});
      if (skipped.empty()) {
        results.back().skipped = why_not_here(cell, backend);
      }
    }
    if (skipped.empty()) {
      Prepared prepared;
      prepare(cell, facts_.rows, facts_.seed, prepared);
      measure(prepared, workers, results);
    }
    bool right = true;
    for (Result const& result : results) {
      bool const is_first = &result == &results.front();
      if (json_) {
        fmt::print("{}", line_json(result, facts_));
      } else if (result.backend->why_not.empty()) {  // else the head has said it
        fmt::print("{}", line_text(result, facts_, is_first ? 0 : median_ns(results[0])));
      }
      right &= result.wrong.empty();
    }
    std::fflush(stdout);
    return right;
  }

  [[nodiscard]] std::string why_no_cell(Cell const& cell) const {
    std::uint64_t const needed =
        input_bytes(cell, facts_.rows) + backends_.size() * state_bytes(cell, facts_.rows);
    std::uint64_t const free = memory_free();
    if (needed > free / 5 * 4) {
      return fmt::format("needs about {:.1f} GB of memory, {:.1f} GB are free",
                         static_cast<double>(needed) * 1e-9, static_cast<double>(free) * 1e-9);
    }
    if (cell.input == Input::kafka && facts_.rows >= rows_per_partition * partitions_max) {
      return fmt::format("the broker keeps {} rows", rows_per_partition * partitions_max);
    }
    return "";
  }
  [[nodiscard]] static std::string why_not_here(Cell const& cell, Backend const& backend) {
    if (!backend.why_not.empty() || backend.name == "cpu") {
      return backend.why_not;
    }
    if (cell.input == Input::resident) {
      return "rows come from the host, none are resident on the device";
    }
    return why_not_on_device(spec_of(cell));
  }

  // A round for warmth and for the results, then the timed ones, backend by backend.
  void measure(Prepared const& prepared, Workers& workers, std::vector<Result>& results) const {
    std::vector<Tally> first(results.size());
    for (int round = 0; round <= facts_.rounds; ++round) {
      for (std::size_t b = 0; b < results.size(); ++b) {
        Result& result = results[b];
        if (!result.skipped.empty() || !result.wrong.empty()) {
          continue;
        }
        Reading reading;
        try {
          reading = is_text(result.cell.input)
                        ? run_stream(prepared.workload, prepared.lines, prepared.bootstrap_servers,
                                     *result.backend, workers)
                        : run_columns(prepared.workload, *result.backend);
        } catch (DeviceOutOfMemory const& full) {
          result.skipped = full.what();
          result.readings.clear();
          continue;
        }
        if (round == 0) {
          first[b] = reading.tally;
        }
        judge(prepared.workload, first[b], first[0], results[0], reading.tally, result);
        if (round > 0 || !result.wrong.empty()) {
          result.readings.push_back(reading);
        }
      }
    }
    for (Result& result : results) {
      result.row_bytes = row_bytes(prepared);
    }
  }

  //   before, cpu  panes of this backend's first round, and of the CPU's
  static void judge(Workload const& workload, Tally const& before, Tally const& cpu,
                    Result const& base, Tally const& now, Result& result) {
    if (!now.has_rows_of(workload.expected)) {
      result.wrong = fmt::format("rows {} of {}, sum {} of {}", now.rows, workload.expected.rows,
                                 now.sum, workload.expected.sum);
    } else if (same_batches(result.cell) && !now.same_panes(before)) {
      result.wrong = "panes differ between rounds";
    } else if (same_batches(result.cell) && base.skipped.empty() && !now.same_panes(cpu)) {
      result.wrong = "panes are not those of the CPU";
    }
  }

  static double row_bytes(Prepared const& prepared) {
    if (prepared.lines.empty()) {
      return sizeof(EventTime) + sizeof(KeyId) + sizeof(std::int64_t);
    }
    std::size_t bytes = 0;
    for (std::string const& line : prepared.lines) {
      bytes += line.size() + 1;
    }
    return static_cast<double>(bytes) / static_cast<double>(prepared.lines.size());
  }

  Selection said_;
  std::string backend_;
  RunFacts facts_{.ceilings = {},
                  .rows = 1'000'000,
                  .threads = std::max(1U, std::thread::hardware_concurrency()),
                  .rounds = 3,
                  .seed = 42,
                  .commit = "",
                  .processor = ""};
  bool json_ = false;
  std::vector<Backend> backends_;
};

}  // namespace

std::unique_ptr<Verb> bench_verb() { return std::make_unique<Bench>(); }

}  // namespace windrow::cli
