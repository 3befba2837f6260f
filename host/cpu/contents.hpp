// The accumulators of one record as a whole: merged and cleared.
#pragma once
#include <cstddef>
#include <span>

#include "host/cpu/boxes.hpp"
#include "host/cpu/record.hpp"

namespace windrow::cpu {

// Moves what `from` holds into `to`; `from` is left cleared.
void merge_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* to, std::byte* from);

// Adds what `from` holds to `to`, which is what came before; `from` stays as it is.  Pair by pair:
//   to, from  [n] records without contributions or logs
void combine_contents(RecordLayout const& layout, BoxPool& boxes, std::span<std::byte* const> to,
                      std::span<std::byte* const> from);

// The identity in every accumulator, log and contributions; boxes go back to the pool.
void clear_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* record);

}  // namespace windrow::cpu
