// What panes add up to.
#include "host/cli/bench/tally.hpp"

#include "bench/rows.hpp"

namespace windrow::cli::bench {

void add_panes(PaneBatch const& panes, bool sessions, Tally& tally) {
  std::int64_t const* column[4] = {};
  for (std::size_t c = 0; c < 4; ++c) {
    column[c] = panes.values[c].view().integers();
  }
  ColumnView const least = panes.values[2].view();
  for (std::size_t i = 0; i < panes.size(); ++i) {
    std::uint64_t const key = windrow::bench::index_of(panes.key[i]);
    Window const window = panes.window[i];
    PaneInfo const& info = panes.info[i];
    ++tally.panes;
    std::uint64_t hash = place_hash(key, window.start.us);
    for (std::uint64_t const word :
         {static_cast<std::uint64_t>(window.end.us),
          static_cast<std::uint64_t>(panes.timestamp[i].us),
          static_cast<std::uint64_t>(info.timing), std::uint64_t{info.index},
          static_cast<std::uint64_t>(panes.deleted[i]), static_cast<std::uint64_t>(column[0][i]),
          static_cast<std::uint64_t>(column[1][i]), static_cast<std::uint64_t>(column[2][i]),
          static_cast<std::uint64_t>(column[3][i])}) {
      hash = mixed(hash + word);
    }
    tally.content += hash;
    if (least.is_valid(i)) {  // else no row is new
      tally.add(place_hash(key, sessions ? 0 : window.start.us), column[0][i], column[1][i],
                column[2][i], column[3][i]);
    }
  }
}

}  // namespace windrow::cli::bench
