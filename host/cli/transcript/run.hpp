// Plays the actions of a transcript on a pipeline, batch by batch, up to the first difference: the
// one harness of semantics.md 18.1.
#pragma once
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/cli/transcript/script.hpp"
#include "host/engine/aggregation.hpp"
#include "host/engine/source.hpp"
#include "host/engine/workers.hpp"
#include "host/plan/graph.hpp"

namespace windrow::transcript {

//   restart_always  a restart between every two actions, each a new Pipeline from the bytes of a
//                   file in `scratch`, at 1, 2 and 3 threads in turn
struct RunOptions {
  std::function<std::unique_ptr<Aggregation>(AggregationSpec const&, std::size_t transform,
                                             Workers&)>
      make_aggregation;
  bool restart_always = false;
  std::string scratch;  // an existing directory, for snapshots
};

// A difference between what a script expects and what came; its text is the failure.
struct Difference : std::runtime_error {
  using runtime_error::runtime_error;
};

// The source that the script plays.
//   transform    the source of the graph that it stands for; the graph has no other
//   partitioned  settings M move the watermark, from partitions; else the script states it
struct ScriptedInput {
  std::size_t transform = 0;
  bool partitioned = false, bounded = false;
  std::function<std::unique_ptr<Decoder>()> make_decoder;
};

// A script with one set of keys and one split.
struct Play {
  Script const& script;
  Graph const& graph;  // without sinks
  ScriptedInput const& input;
  std::vector<std::string> const& keys;
  Split how;
};
// Throws Difference, or std::runtime_error on an action that cannot be played; `at` is then the
// action that it came from.
void play(Play const& what, RunOptions const& options, std::size_t& at);

}  // namespace windrow::transcript
