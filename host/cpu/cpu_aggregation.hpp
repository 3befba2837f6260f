// The CPU backend: the definition of correct, and a multi-core engine in its own right.
#pragma once
#include <memory>

#include "host/engine/aggregation.hpp"
#include "host/engine/workers.hpp"

namespace windrow {

// Rows go by the shard in their key id to one of 16 shards, which the workers take whole: no locks,
// no merge, and each key's rows stay in batch order, so that results do not depend on the thread
// count. `workers` must outlive it.
//   cells_per_part  about how many cells fire per part of a batch's output (whole windows)
std::unique_ptr<Aggregation> make_cpu_aggregation(AggregationSpec const& spec, Workers& workers,
                                                  std::size_t cells_per_part = 65536);

}  // namespace windrow
