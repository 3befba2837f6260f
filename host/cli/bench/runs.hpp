// One workload through one backend, timed.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/cli/bench/workload.hpp"
#include "host/engine/workers.hpp"

namespace windrow::cli::bench {

//   machine  what it runs on, for people
//   why_not  empty: it can run here
struct Backend {
  std::string name, machine, why_not;
  std::function<std::unique_ptr<Aggregation>(AggregationSpec const&)> make;
};

//   wall_s       of the engine; its rows and panes are in memory of the host at both ends
//   cpu_s        all threads of this process in that time
//   state_bytes  most at the end of a batch, on host and device
struct Reading {
  std::uint64_t rows = 0;
  double wall_s = 0, cpu_s = 0;
  Tally tally;
  std::uint64_t state_bytes = 0, bytes_to_device = 0, bytes_from_device = 0;
};

// Rows as columns of the host, batch by batch, all panes taken.
[[nodiscard]] Reading run_columns(Workload const& workload, Backend const& backend);

// The same rows as JSON lines through a whole pipeline, into a sink that adds its rows up.
//   bootstrap_servers  of the broker whose topic `bench` holds them; empty: `lines` are read
[[nodiscard]] Reading run_stream(Workload const& workload, std::vector<std::string> const& lines,
                                 std::string const& bootstrap_servers, Backend const& backend,
                                 Workers& workers);

}  // namespace windrow::cli::bench
