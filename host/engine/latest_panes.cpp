// A map from row id to the pane that is out.
#include "host/engine/latest_panes.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

constexpr std::size_t piece_bytes = 1U << 20U;

// `end` is 0 unless it is part of the identity (R77 over sessions).
struct RowId {
  KeyId key = 0;
  std::int64_t start_us = 0, end_us = 0;
  auto operator<=>(RowId const&) const = default;
};
struct RowIdHash {
  std::size_t operator()(RowId const& id) const {
    auto mixed = static_cast<std::uint64_t>(id.start_us) * 0x9e3779b97f4a7c15U +
                 static_cast<std::uint64_t>(id.end_us) * 0xc2b2ae3d27d4eb4fU + id.key;
    mixed ^= mixed >> 32U;
    mixed *= 0xd6e8feb86659fd93U;
    return mixed ^ (mixed >> 32U);
  }
};

// `values`: one encoded value per column.
struct Pane {
  Window window;
  EventTime timestamp;
  PaneInfo info;
  std::uint8_t overflowed = 0;
  std::string values;
};

}  // namespace

struct LatestPanes::Impl {
  std::size_t step;
  std::vector<ValueType> columns;
  bool by_end;
  std::unordered_map<RowId, Pane, RowIdHash> panes;
  std::size_t value_bytes = 0;

  [[nodiscard]] RowId id_of(KeyId key, Window window) const {
    return {key, window.start.us, by_end ? window.end.us : 0};
  }

  // Panes of one (key, window) differ in their index (R32); a window that ended never comes back.
  [[nodiscard]] std::uint64_t name_of(KeyId key, Pane const& pane) const {
    std::array<std::int64_t, 4> const words{key, pane.window.start.us, pane.window.end.us,
                                            pane.info.index};
    return XXH3_64bits_withSeed(words.data(), sizeof words, step);
  }

  void append(KeyId key, Pane const& pane, std::int8_t weight, EventBatch& out,
              std::vector<KeyId>& out_key) const {
    std::string_view values = pane.values;
    for (Column& column : out.columns) {
      column.append(decode(values));
    }
    out.event_time.push_back(pane.timestamp);
    out.window.push_back(pane.window);
    out.info.push_back(pane.info);
    out.deleted.push_back(0);
    out.overflowed.push_back(pane.overflowed);
    out.weight.push_back(weight);
    out.pane.push_back(name_of(key, pane));
    out_key.push_back(key);
  }

  void erase(std::unordered_map<RowId, Pane, RowIdHash>::iterator at) {
    value_bytes -= at->second.values.size();
    panes.erase(at);
  }
};

LatestPanes::LatestPanes(std::size_t step, std::vector<ValueType> columns, bool by_end)
    : impl_(std::make_unique<Impl>(Impl{step, std::move(columns), by_end, {}, 0})) {}
LatestPanes::~LatestPanes() = default;
LatestPanes::LatestPanes(LatestPanes&&) noexcept = default;

void LatestPanes::replace(std::span<KeyId const> key, EventBatchView const& panes, EventBatch& out,
                          std::vector<KeyId>& out_key) {
  Impl& impl = *impl_;
  WINDROW_ASSERT(key.size() == panes.rows && panes.window.size() == panes.rows &&
                     panes.info.size() == panes.rows &&
                     panes.columns.size() == impl.columns.size() &&
                     out.columns.size() == impl.columns.size(),
                 "panes and rows have the value columns of the step");
  for (std::size_t row = 0; row < panes.rows; ++row) {
    RowId const id = impl.id_of(key[row], panes.window[row]);
    auto at = impl.panes.find(id);
    if (at != impl.panes.end()) {
      impl.append(id.key, at->second, -1, out, out_key);
    }
    if (!panes.deleted.empty() && panes.deleted[row] != 0) {
      WINDROW_ASSERT(at != impl.panes.end(), "a tombstone takes back a pane that is out");
      impl.erase(at);
      continue;
    }
    if (at == impl.panes.end()) {
      at = impl.panes.try_emplace(id).first;
    }
    Pane& pane = at->second;
    impl.value_bytes -= pane.values.size();
    pane.window = panes.window[row];
    pane.timestamp = panes.event_time[row];
    pane.info = panes.info[row];
    pane.overflowed = panes.overflowed.empty() ? std::uint8_t{0} : panes.overflowed[row];
    pane.values.clear();
    for (ColumnView const& column : panes.columns) {
      encode(column.at(row), pane.values);
    }
    impl.value_bytes += pane.values.size();
    impl.append(id.key, pane, 1, out, out_key);
  }
}

void LatestPanes::end(std::span<EndedWindow const> ended) {
  for (EndedWindow const& window : ended) {
    auto const at = impl_->panes.find(impl_->id_of(window.key, window.window));
    if (at != impl_->panes.end()) {
      impl_->erase(at);
    }
  }
}

std::size_t LatestPanes::size() const { return impl_->panes.size(); }

// A node holds the id, the pane, a link and the hash.
constexpr std::size_t node_bytes = sizeof(RowId) + sizeof(Pane) + 2 * sizeof(void*);
std::size_t LatestPanes::bytes() const {
  return impl_->panes.size() * node_bytes + impl_->panes.bucket_count() * sizeof(void*) +
         impl_->value_bytes;
}
std::size_t const LatestPanes::pane_bytes_max = node_bytes + 3 * sizeof(void*);

// Pieces "panes", by ascending row id, so that equal states give equal bytes.
void LatestPanes::snapshot(SnapshotWriter& out) const {
  std::vector<std::pair<RowId, Pane const*>> ordered;
  ordered.reserve(impl_->panes.size());
  for (auto const& [id, pane] : impl_->panes) {
    ordered.emplace_back(id, &pane);
  }
  std::sort(ordered.begin(), ordered.end());
  ByteWriter piece;
  for (auto const& [id, pane] : ordered) {
    piece.put(id.key);
    piece.put(pane->window.start.us);
    piece.put(pane->window.end.us);
    piece.put(pane->timestamp.us);
    piece.put(pane->info.timing);
    piece.put(static_cast<std::uint8_t>(pane->info.first));
    piece.put(static_cast<std::uint8_t>(pane->info.last));
    piece.put(pane->info.index);
    piece.put(pane->info.nonspeculative_index);
    piece.put(pane->overflowed);
    piece.text(pane->values);
    if (piece.bytes().size() >= piece_bytes) {
      out.piece("panes", 0, piece.bytes());
      piece.clear();
    }
  }
  if (!piece.bytes().empty()) {
    out.piece("panes", 0, piece.bytes());
  }
}

void LatestPanes::restore(SnapshotReader& in) {
  WINDROW_ASSERT(impl_->panes.empty(), "fresh latest panes are restored");
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  while (in.next(name, shard, bytes)) {
    if (name != "panes") {
      throw EnvironmentError("snapshot: unknown piece of latest panes: " + std::string(name), 74);
    }
    ByteReader reader(bytes);
    while (!reader.empty()) {
      auto const key = reader.get<KeyId>();
      Pane pane;
      pane.window.start.us = reader.get<std::int64_t>();
      pane.window.end.us = reader.get<std::int64_t>();
      pane.timestamp.us = reader.get<std::int64_t>();
      pane.info.timing = reader.get<PaneTiming>();
      pane.info.first = reader.get<std::uint8_t>() != 0;
      pane.info.last = reader.get<std::uint8_t>() != 0;
      pane.info.index = reader.get<std::uint32_t>();
      pane.info.nonspeculative_index = reader.get<std::int32_t>();
      pane.overflowed = reader.get<std::uint8_t>();
      pane.values = reader.text();
      RowId const id = impl_->id_of(key, pane.window);
      impl_->value_bytes += pane.values.size();
      if (!impl_->panes.try_emplace(id, std::move(pane)).second) {
        throw EnvironmentError(
            "snapshot: a row id is twice in latest panes: key=" + std::to_string(key), 74);
      }
    }
  }
}

}  // namespace windrow
