// Sizes of what slabs, session pools and shards hold; vectors double.
#include "host/cpu/state_bytes.hpp"

#include "host/cpu/record.hpp"
#include "host/cpu/session_pool.hpp"
#include "host/cpu/slab.hpp"
#include "host/engine/batch.hpp"

namespace windrow {

CellBytes cpu_cell_bytes(AggregationSpec const& spec) {
  cpu::RecordLayout const layout(spec);
  CellBytes out{layout.bytes, 0, 0, layout.has_boxes};
  if (spec.windows.kind == WindowKind::sessions) {
    // An entry in each heap: when the window ends, a deadline, a hold.
    out.most = 2 * (layout.bytes + sizeof(cpu::Session) + 3 * sizeof(cpu::LazyHeap::Entry));
  } else {
    // Slots are a sixth full at the least (Slab::grow); bounds per block of records.
    out.window = shards * (2 * sizeof(cpu::Slab) + 6 * sizeof(std::uint32_t));
    if (shares_slices(spec)) {  // a window edge begins a slice, of which a window has two
      out.window = 2 * out.window + shards * 3 * cpu::node_bytes;
    }
    out.most = 2 * layout.bytes + 6 * sizeof(std::uint32_t) +
               2 * 2 * sizeof(std::int64_t) / cpu::records_per_block + 1;
  }
  return out;
}

std::size_t cpu_key_bytes_max(AggregationSpec const& spec) {
  bool const sessions = spec.windows.kind == WindowKind::sessions;
  // Records of the key; of sessions also its first one and the first and last row of a batch.
  return 2 * sizeof(std::uint32_t) * (sessions ? 4 : 1) +
         (shares_slices(spec) ? 2 * sizeof(std::int64_t) : 0);
}

}  // namespace windrow
