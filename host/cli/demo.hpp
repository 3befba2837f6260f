// The pieces of `windrow demo`.
#pragma once
#include <sys/types.h>
#include <cstdint>
#include <string>
#include <vector>

#include "host/engine/progress.hpp"
#include "ingest/pageviews/truth.hpp"

namespace windrow::cli {

// The mock broker in a process of its own (performance.md 2.4): another core does its work, and it
// ends when this object goes, or with this process, since it reads a pipe that then closes.
class BrokerProcess {
 public:
  BrokerProcess(std::string const& topic, std::uint32_t partitions);  // EnvironmentError 69
  ~BrokerProcess();
  BrokerProcess(BrokerProcess const&) = delete;  // owns a process
  BrokerProcess& operator=(BrokerProcess const&) = delete;
  [[nodiscard]] std::string const& bootstrap_servers() const { return bootstrap_servers_; }

 private:
  pid_t child_ = -1;
  int keep_alive_ = -1;
  std::string bootstrap_servers_;
};

// What became of one table.
//   rows         of the truth;  differences  rows that are missing, more than true, or different
//   examples     the first few differences, one line each
struct Comparison {
  std::string table;
  std::uint64_t rows = 0, differences = 0, withdrawn = 0;
  std::vector<std::string> examples;
};

// Every row of the four tables against the truth; rows marked `deleted` are withdrawn ones and must
// not be true.  EnvironmentError 69 if the file cannot be read.
[[nodiscard]] std::vector<Comparison> compare_with_truth(std::string const& database,
                                                         pageviews::Tables const& truth);

// What the pipelines said of themselves at their end; the first step of each reads all views.
struct Verdict {
  std::string const& database;
  std::vector<Summary> const& summaries;
  pageviews::Truth const& truth;
  bool json;
};
// Prints results and comparisons to stdout.  True if tables and counts are as the truth says.
[[nodiscard]] bool judge(Verdict const& verdict);

// The most viewed pages and the busiest five minutes, read from the database.
[[nodiscard]] std::string results_text(std::string const& database);

}  // namespace windrow::cli
