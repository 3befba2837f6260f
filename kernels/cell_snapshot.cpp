// Writes and reads the pieces of a snapshot.
#include "kernels/cell_snapshot.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <tuple>

#include "host/model/hyperloglog.hpp"
#include "host/model/record_fields.hpp"

namespace windrow::gpu {
namespace {

// Registers as a box of one entry that holds those that are not empty (hyperloglog.hpp), or all
// where these are too many; no entry where none is.
void write_sketch(std::span<std::uint8_t const> registers, ByteWriter& out) {
  std::string sparse;
  for (std::uint32_t i = 0; i < registers.size(); ++i) {
    if (registers[i] != 0) {
      std::uint32_t const entry = distinct_entry({i, registers[i]});
      sparse.append(reinterpret_cast<char const*>(&entry), sizeof entry);
    }
  }
  out.put(std::uint64_t{sparse.empty() ? 0U : 1U});
  if (sparse.empty()) {
    return;
  }
  out.put(std::uint64_t{0});
  out.put(std::int64_t{0});
  out.put(std::int64_t{1});
  bool const dense = sparse.size() / sizeof(std::uint32_t) > registers.size() / 8;
  out.text(dense
               ? std::string_view(reinterpret_cast<char const*>(registers.data()), registers.size())
               : std::string_view(sparse));
}

void read_sketch(ByteReader& in, std::span<std::uint8_t> registers) {
  if (in.get<std::uint64_t>() == 0) {
    return;
  }
  for (int skipped = 0; skipped < 3; ++skipped) {  // sequence, time, weight
    in.get<std::uint64_t>();
  }
  std::string_view const bytes = in.text();
  if (bytes.size() == registers.size()) {
    std::copy(bytes.begin(), bytes.end(), registers.begin());
    return;
  }
  for (std::size_t at = 0; at + sizeof(std::uint32_t) <= bytes.size();
       at += sizeof(std::uint32_t)) {
    std::uint32_t entry = 0;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    DistinctRank const rank = distinct_rank_of(entry);
    if (rank.index < registers.size()) {
      registers[rank.index] = static_cast<std::uint8_t>(rank.rank);
    }
  }
}

}  // namespace

void CellImages::append_page(std::span<std::byte> page, Window window) {
  for (std::size_t at = 0; at < page.size(); at += record_bytes_) {
    std::byte* const record = page.data() + at;
    if ((RecordShape::head(record).flags & flag_exists) != 0) {
      std::copy_n(record, record_bytes_, append(window));
    }
  }
}

void write_cells(StepView const& step, CellImages& cells, SnapshotWriter& out) {
  std::array<std::vector<std::size_t>, shards> of_shard;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    of_shard[shard_of(cells.head(i).key)].push_back(i);
  }
  ByteWriter bytes;
  for (std::uint32_t s = 0; s < shards; ++s) {
    std::vector<std::size_t>& order = of_shard[s];
    auto const place = [&](std::size_t i) {
      return std::tuple(cells.window(i).end, cells.window(i).start, cells.head(i).key);
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
    std::uint64_t windows = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      windows += i == 0 || cells.window(order[i]) != cells.window(order[i - 1]) ? 1 : 0;
    }
    bytes.clear();
    bytes.put(windows);
    for (std::size_t begin = 0; begin < order.size();) {
      Window const window = cells.window(order[begin]);
      std::size_t end = begin;
      while (end < order.size() && cells.window(order[end]) == window) {
        ++end;
      }
      bytes.put(window.start.us);
      bytes.put(window.end.us);
      bytes.put(static_cast<std::uint32_t>(end - begin));
      for (; begin < end; ++begin) {
        std::byte* const record = cells.record(order[begin]);
        bytes.put(RecordShape::head(record).key);
        visit_record(
            step.cells, record, [&](auto const& field) { bytes.put(field); }, [](std::uint32_t) {},
            [&](std::span<std::uint8_t> registers) { write_sketch(registers, bytes); });
        if (step.windows.kind == WindowKind::sessions) {
          std::vector<Window> const& pending = cells.pending(order[begin]);
          bytes.put(static_cast<std::uint32_t>(pending.size()));
          for (Window const owed : pending) {
            bytes.put(owed.start.us);
            bytes.put(owed.end.us);
          }
        }
      }
    }
    out.piece("windows", s, bytes.bytes());
  }
}

void read_cells(SnapshotReader& in, StepView const& step, AggregationClocks& clocks,
                CellImages& cells) {
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  while (in.next(name, shard, bytes)) {
    if (name == "clocks") {
      clocks.read(bytes);
      continue;
    }
    if (name != "windows" || shard >= shards) {
      throw EnvironmentError("snapshot: an aggregation has no such piece: " + std::string(name),
                             74);
    }
    ByteReader reader(bytes);
    for (auto windows = reader.get<std::uint64_t>(); windows > 0; --windows) {
      EventTime const start{reader.get<std::int64_t>()};
      Window const window{start, EventTime{reader.get<std::int64_t>()}};
      for (auto records = reader.get<std::uint32_t>(); records > 0; --records) {
        std::byte* const record = cells.append(window);
        start_cell(step.cells, record);
        RecordShape::head(record).key = reader.get<KeyId>();
        visit_record(
            step.cells, record, [&]<class Field>(Field& field) { field = reader.get<Field>(); },
            [](std::uint32_t) {},
            [&](std::span<std::uint8_t> registers) { read_sketch(reader, registers); });
        RecordShape::head(record).flags |= flag_exists;
        if (step.windows.kind == WindowKind::sessions) {
          std::vector<Window> pending(reader.get<std::uint32_t>());
          for (Window& owed : pending) {
            owed.start.us = reader.get<std::int64_t>();
            owed.end.us = reader.get<std::int64_t>();
          }
          cells.set_pending(std::move(pending));
        }
      }
    }
    if (!reader.empty()) {
      throw EnvironmentError("snapshot: a piece is too long", 74);
    }
  }
}

}  // namespace windrow::gpu
