// The lasting state of a shard, per (key, window) in the order of semantics.md 9.1; nothing in it
// depends on tables, handles or threads.
#include "host/cpu/shard.hpp"
#include "host/model/record_fields.hpp"

namespace windrow::cpu {
namespace {

// What becomes of a field, and of a box, on the way out and in.
auto putter(ByteWriter& out) {
  return [&out](auto const& field) { out.put(field); };
}
auto getter(ByteReader& in) {
  return [&in]<class Field>(Field& field) { field = in.get<Field>(); };
}
auto box_writer(ByteWriter& out, BoxPool const& boxes) {
  return [&](std::uint32_t handle) { write_box(handle == 0 ? Box{} : boxes.at(handle), out); };
}
auto box_reader(ByteReader& in, BoxPool& boxes) {
  return [&](std::uint32_t& handle) {
    if (Box box = read_box(in); !box.empty()) {
      boxes.put(handle, std::move(box));
    }
  };
}

}  // namespace

void Shard::write_record(std::byte* record, Pending const* pending, ByteWriter& out) {
  out.put(RecordLayout::head(record).key);
  visit_record(rules_.cells(), record, putter(out), box_writer(out, rules_.boxes), [](auto) {});
  if (pending == nullptr) {
    return;
  }
  out.put(static_cast<std::uint32_t>(pending->size()));
  for (Window const window : *pending) {
    out.put(window.start.us);
    out.put(window.end.us);
  }
}

// The key is read already.
void Shard::read_record(std::byte* record, Pending* pending, ByteReader& in) {
  visit_record(rules_.cells(), record, getter(in), box_reader(in, rules_.boxes), [](auto) {});
  if (pending == nullptr) {
    return;
  }
  for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
    EventTime const start{in.get<std::int64_t>()};
    pending->push_back({start, EventTime{in.get<std::int64_t>()}});
  }
}

void Shard::snapshot(ByteWriter& out) {
  std::vector<std::uint32_t> const places =
      sessions_step_ ? sessions_.in_order() : slabs_.in_order();
  out.put(static_cast<std::uint64_t>(places.size()));
  for (std::uint32_t const place : places) {
    Window const window = window_of(place);
    out.put(window.start.us);
    out.put(window.end.us);
    out.put(records_of(place));
    for (std::uint32_t i = 0; i < records_of(place); ++i) {
      write_record(record_of(place, i), pending_of(place), out);
    }
  }
}

void Shard::restore(ByteReader& in, Watermark w, std::int64_t p_us) {
  for (auto places = in.get<std::uint64_t>(); places > 0; --places) {
    EventTime const start{in.get<std::int64_t>()};
    Window const window{start, EventTime{in.get<std::int64_t>()}};
    for (auto records = in.get<std::uint32_t>(); records > 0; --records) {
      auto const key = in.get<KeyId>();
      std::uint32_t place = 0, record = 0;
      bool created = false;
      if (sessions_step_) {
        place = sessions_.create(layout_, key, window);
      } else {
        place = slabs_.find_or_create(window, created);
        record = slabs_.at(place).find_or_create(layout_, key, created);
      }
      count_window(key);
      read_record(record_of(place, record), pending_of(place), in);
      queue_event(place, w);
      note(place, record, p_us);
    }
  }
}

// Of a record of a slice: the key and its accumulators.
void Shard::snapshot_slices(ByteWriter& out) {
  out.put(static_cast<std::uint64_t>(slices_.size()));
  for (auto const& [slice, slab] : slices_) {
    Window const times = slabs_.at(slab).window();
    out.put(times.start.us);
    out.put(times.end.us);
    out.put(slabs_.at(slab).size());
    for (std::uint32_t i = 0; i < slabs_.at(slab).size(); ++i) {
      std::byte* const record = slabs_.at(slab).record(layout_, i);
      out.put(RecordLayout::head(record).key);
      visit_contents(layout_, record, putter(out), box_writer(out, rules_.boxes), [](auto) {});
    }
  }
}

void Shard::restore_slices(ByteReader& in, Watermark w) {
  for (auto slices = in.get<std::uint64_t>(); slices > 0; --slices) {
    std::int64_t const slice = slice_of(spec_.windows, EventTime{in.get<std::int64_t>()});
    in.get<std::int64_t>();
    IndexRange const running = running_windows(spec_.windows, slice, w);
    std::uint32_t const slab = slab_of_slice(slice);
    for (auto records = in.get<std::uint32_t>(); records > 0; --records) {
      bool created = false;
      auto const key = in.get<KeyId>();
      std::uint32_t const i = slabs_.at(slab).find_or_create(layout_, key, created);
      count_slice(key, slice, running);
      visit_contents(layout_, slabs_.at(slab).record(layout_, i), getter(in),
                     box_reader(in, rules_.boxes), [](auto) {});
    }
  }
}

}  // namespace windrow::cpu
