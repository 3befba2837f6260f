// Runs transcript documents through Pipeline: the one harness of semantics.md 18.1.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/cli/transcript/node.hpp"
#include "host/engine/aggregation.hpp"
#include "host/engine/workers.hpp"

namespace windrow::transcript {

//   restart_always  a restart between every two actions, each a new Pipeline from the bytes of a
//   file
//                   in `scratch`, at 1, 2 and 3 threads in turn
struct RunOptions {
  std::function<std::unique_ptr<Aggregation>(AggregationSpec const&, Workers&)> make_aggregation;
  bool restart_always = false;
  std::string scratch;  // an existing directory, for snapshots
};

struct Result {
  enum class Kind { passed, failed, skipped } kind = Kind::passed;
  std::string name;
  std::string text;  // of a failure: what was expected and what came
};
Result run_document(Node const& document, RunOptions const& options);

// All documents of a .yaml, .yaml.gz or .jsonl file.
std::vector<Node> read_documents(std::string const& path);

}  // namespace windrow::transcript
