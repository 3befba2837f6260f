// The accumulators of one record as a whole: merged and cleared.
#pragma once
#include <cstddef>

#include "host/cpu/boxes.hpp"
#include "host/cpu/record.hpp"

namespace windrow::cpu {

// Moves what `from` holds into `to`; `from` is left cleared.
void merge_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* to, std::byte* from);

// The identity in every accumulator, log and contributions; boxes go back to the pool.
void clear_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* record);

}  // namespace windrow::cpu
