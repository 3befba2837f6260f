// The accumulators of one record as a whole: merged, cleared, written and read.
#pragma once
#include <cstddef>

#include "host/cpu/boxes.hpp"
#include "host/cpu/record.hpp"

namespace windrow::cpu {

// Moves what `from` holds into `to`; `from` is left cleared.
void merge_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* to, std::byte* from);

// The identity in every accumulator, log and contributions; boxes go back to the pool.
void clear_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* record);

void write_contents(RecordLayout const& layout, BoxPool const& boxes, std::byte* record,
                    ByteWriter& out);
void read_contents(RecordLayout const& layout, BoxPool& boxes, std::byte* record, ByteReader& in);

}  // namespace windrow::cpu
