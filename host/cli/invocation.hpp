// What every verb of the command shares: global options, exit codes, the verb itself.
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace windrow::cli {

// operations.md 1, after sysexits.
enum Exit : int {
  exit_ok = 0,
  exit_differs = 1,
  exit_usage = 64,
  exit_bad_records = 65,
  exit_unreachable = 69,
  exit_internal = 70,
  exit_state = 74,
  exit_try_again = 75,
  exit_fenced = 76,
  exit_invalid = 78
};

struct Invocation {
  std::string overlay;              // -c FILE, empty: none
  std::vector<std::string> sets;    // path=value
  std::vector<std::string> vars;    // name=value
  std::string log_format = "text";  // text, json, logfmt
  std::string color = "auto";       // auto, always, never
  bool json = false, quiet = false;
};

// Results go to stdout, everything else to stderr.
class Verb {
 public:
  virtual ~Verb() = default;
  virtual CLI::App* add_to(CLI::App& app) = 0;        // registers the verb with its options
  virtual int run(Invocation const& invocation) = 0;  // an Exit
  // Do -c, --set and --var mean anything to it?
  [[nodiscard]] virtual bool reads_pipelines() const { return false; }
};

}  // namespace windrow::cli
