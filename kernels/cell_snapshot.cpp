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

// A piece: the cells at `order` by window, those of one window together.
template <class WriteRecord>
void write_piece(std::string_view name, std::uint32_t shard, CellImages& cells,
                 std::vector<std::size_t>& order, SnapshotWriter& out, WriteRecord&& write_record) {
  auto const place = [&](std::size_t i) {
    return std::tuple(cells.window(i).end, cells.window(i).start, cells.head(i).key);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
  std::uint64_t windows = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    windows += i == 0 || cells.window(order[i]) != cells.window(order[i - 1]) ? 1 : 0;
  }
  ByteWriter bytes;
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
      bytes.put(cells.head(order[begin]).key);
      write_record(order[begin], bytes);
    }
  }
  out.piece(name, shard, bytes.bytes());
}

// What becomes of a field on the way out and in; there are no boxes.
auto putter(ByteWriter& out) {
  return [&out](auto const& field) { out.put(field); };
}
auto getter(ByteReader& in) {
  return [&in]<class Field>(Field& field) { field = in.get<Field>(); };
}
constexpr auto no_box = [](std::uint32_t) {};

}  // namespace

void CellImages::append_page(std::span<std::byte> page, Window window, bool is_slice) {
  for (std::size_t at = 0; at < page.size(); at += record_bytes_) {
    std::byte* const record = page.data() + at;
    if ((RecordShape::head(record).flags & flag_exists) != 0) {
      std::copy_n(record, record_bytes_, append(window, is_slice));
    }
  }
}

void write_cells(StepView const& step, CellImages& cells, SnapshotWriter& out) {
  std::array<std::vector<std::size_t>, shards> of_shard, slices_of_shard;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    (cells.is_slice(i) ? slices_of_shard : of_shard)[shard_of(cells.head(i).key)].push_back(i);
  }
  for (std::uint32_t s = 0; s < shards; ++s) {
    write_piece("windows", s, cells, of_shard[s], out, [&](std::size_t i, ByteWriter& bytes) {
      visit_record(step.cells, cells.record(i), putter(bytes), no_box,
                   [&](std::span<std::uint8_t> all) { write_sketch(all, bytes); });
      if (step.windows.kind != WindowKind::sessions) {
        return;
      }
      std::vector<Window> const& pending = cells.pending(i);
      bytes.put(static_cast<std::uint32_t>(pending.size()));
      for (Window const owed : pending) {
        bytes.put(owed.start.us);
        bytes.put(owed.end.us);
      }
    });
    if (step.shares_slices) {
      write_piece("slices", s, cells, slices_of_shard[s], out,
                  [&](std::size_t i, ByteWriter& bytes) {
                    visit_contents(step.cells.shape, cells.record(i), putter(bytes), no_box,
                                   [&](std::span<std::uint8_t> all) { write_sketch(all, bytes); });
                  });
    }
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
    bool const slices = name == "slices" && step.shares_slices;
    if ((name != "windows" && !slices) || shard >= shards) {
      throw EnvironmentError("snapshot: an aggregation has no such piece: " + std::string(name),
                             74);
    }
    ByteReader reader(bytes);
    auto const read_registers = [&](std::span<std::uint8_t> all) { read_sketch(reader, all); };
    for (auto windows = reader.get<std::uint64_t>(); windows > 0; --windows) {
      EventTime const start{reader.get<std::int64_t>()};
      Window const window{start, EventTime{reader.get<std::int64_t>()}};
      for (auto records = reader.get<std::uint32_t>(); records > 0; --records) {
        std::byte* const record = cells.append(window, slices);
        RecordHead& head = RecordShape::head(record);
        head.key = reader.get<KeyId>();
        if (slices) {
          visit_contents(step.cells.shape, record, getter(reader), no_box, read_registers);
          head.flags = flag_exists;
          continue;
        }
        start_cell(step.cells, record);
        visit_record(step.cells, record, getter(reader), no_box, read_registers);
        head.flags |= flag_exists;
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
