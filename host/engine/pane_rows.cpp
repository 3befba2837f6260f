#include "host/engine/pane_rows.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>

namespace windrow {
namespace {

// A row with all that orders it.  R17: phase, then (e, s, key bytes) of the firing, a tombstone
// before the firing that it belongs to.
struct Entry {
  std::uint8_t phase, is_pane;
  Window firing, window;
  std::string_view key;
  std::uint32_t row;

  [[nodiscard]] auto place() const { return std::tuple(firing.end, firing.start, key); }
  [[nodiscard]] auto within() const { return std::tuple(is_pane, window.end, window.start); }
};

bool in_batch_order(Entry const& a, Entry const& b) {
  if (a.phase != b.phase) {
    return a.phase < b.phase;
  }
  return std::tuple(a.place(), a.within()) < std::tuple(b.place(), b.within());
}
bool in_sink_order(Entry const& a, Entry const& b) {
  return std::tuple(a.place(), a.phase, a.within()) < std::tuple(b.place(), b.phase, b.within());
}

}  // namespace

void append_group_fields(std::span<KeyId const> key, KeyDictionary const& keys,
                         KeyBytes const& key_bytes, std::span<Column> group) {
  for (KeyId const id : key) {
    key_bytes.decode(keys.bytes_of(id), group);
  }
}

void make_pane_rows(PaneBatch const& panes, KeyDictionary const& keys, KeyBytes const& key_bytes,
                    Schema const& output, std::size_t group, std::size_t taken, PaneRows& out) {
  std::size_t const n = panes.size();
  std::vector<Entry> order(n);
  bool both_phases = false;
  for (std::uint32_t i = 0; i < n; ++i) {
    order[i] = {panes.phase[i],
                static_cast<std::uint8_t>(panes.deleted[i] == 0),
                panes.firing.empty() ? panes.window[i] : panes.firing[i],
                panes.window[i],
                keys.bytes_of(panes.key[i]),
                i};
    both_phases = both_phases || panes.phase[i] != panes.phase[0];
  }
  std::sort(order.begin(), order.end(), in_batch_order);

  out.rows.reset(output);
  out.key.resize(n);
  out.overflows = 0;
  EventBatch& rows = out.rows;
  for (std::uint32_t i = 0; i < n; ++i) {
    std::uint32_t const from = order[i].row;
    out.key[i] = panes.key[from];
    rows.event_time.push_back(panes.timestamp[from]);
    rows.window.push_back(panes.window[from]);
    rows.info.push_back(panes.info[from]);
    rows.deleted.push_back(panes.deleted[from]);
    rows.overflowed.push_back(panes.overflow[from]);
    out.overflows += panes.overflow[from];
  }
  append_group_fields(out.key, keys, key_bytes, std::span(rows.columns).first(group));
  for (std::size_t c = 0; c < panes.values.size(); ++c) {
    ColumnView const values = panes.values[c].view();
    for (Entry const& entry : order) {
      rows.columns[group + c].append(values, entry.row);
    }
  }

  rows.origin.resize(n);
  std::iota(rows.origin.begin(), rows.origin.end(), static_cast<std::uint32_t>(taken));
  if (both_phases) {
    std::vector<std::uint32_t> merged(n);
    std::iota(merged.begin(), merged.end(), 0U);
    std::sort(merged.begin(), merged.end(),
              [&](std::uint32_t a, std::uint32_t b) { return in_sink_order(order[a], order[b]); });
    for (std::uint32_t place = 0; place < n; ++place) {
      rows.origin[merged[place]] = static_cast<std::uint32_t>(taken) + place;
    }
  }
}

}  // namespace windrow
