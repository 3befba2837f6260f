// The lasting state of a shard, per (key, window) in the order of semantics.md 9.1; nothing in it
// depends on tables, handles or threads.
#include "host/cpu/shard.hpp"
#include "host/model/record_fields.hpp"

namespace windrow::cpu {

void Shard::write_record(std::byte* record, Pending const* pending, ByteWriter& out) {
  out.put(RecordLayout::head(record).key);
  visit_record(
      rules_.cells(), record, [&](auto const& field) { out.put(field); },
      [&](std::uint32_t handle) { write_box(handle == 0 ? Box{} : rules_.boxes.at(handle), out); },
      [](std::span<std::uint8_t>) {});
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
  visit_record(
      rules_.cells(), record, [&]<class Field>(Field& field) { field = in.get<Field>(); },
      [&](std::uint32_t& handle) {
        if (Box box = read_box(in); !box.empty()) {
          rules_.boxes.put(handle, std::move(box));
        }
      },
      [](std::span<std::uint8_t>) {});
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

}  // namespace windrow::cpu
