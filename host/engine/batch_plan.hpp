// All of a batch that state does not determine (connectors.md 1.2).  A run of a plan is a function
// of the plan and the state, so that a plan kept on disk can be run again.
#pragma once
#include <cstdint>
#include <vector>

#include "host/engine/source.hpp"
#include "host/model/time.hpp"

namespace windrow {

//   watermark_in  per source and tracker, in order: W before the batch, a check and no input
//   ranges        per source
struct BatchPlan {
  std::int64_t batch_no = 0, pane_version = 0;
  ProcessingTime processing_time;
  std::vector<Watermark> watermark_in;
  std::vector<std::vector<Range>> ranges;
  bool drain = false, refuse_new_keys = false;
  bool operator==(BatchPlan const&) const = default;
};

// Where plans are kept before they have an effect.
class PlanLog {
 public:
  virtual ~PlanLog() = default;
  // Durable when it returns.  PlanTakenError where another process made a plan of this number,
  // EnvironmentError 76 where a newer owner has the state, DiskFullError where space lacks.
  virtual void record(BatchPlan const& plan) = 0;
};

}  // namespace windrow
