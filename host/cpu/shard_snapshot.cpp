// The lasting state of a shard, per (key, window) in the order of semantics.md 9.1; nothing in it
// depends on tables, handles or threads.
#include "host/cpu/shard.hpp"

namespace windrow::cpu {

void Shard::write_record(std::byte* record, Pending const* pending, ByteWriter& out) {
  RecordHead const& head = RecordLayout::head(record);
  TriggerStateRef const state = layout_.trigger(record);
  out.put(head.key);
  out.put(needs_bits(spec_.trigger) ? *state.finished : 0U);
  out.put(head.flags);
  for (std::uint32_t i = 0; i < spec_.trigger.counters; ++i) {
    out.put(state.counter[i]);
  }
  for (std::uint32_t i = 0; i < spec_.trigger.deadlines; ++i) {
    out.put(state.deadline[i]);
  }
  write_contents(layout_, rules_.boxes, record, out);
  if (layout_.stores_hold()) {
    out.put((head.flags & flag_held) != 0 ? layout_.hold(record) : never);
  }
  out.put(head.pane.next_index);
  out.put(head.pane.next_nonspeculative);
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
  RecordHead& head = RecordLayout::head(record);
  TriggerStateRef const state = layout_.trigger(record);
  auto const finished = in.get<std::uint32_t>();
  if (needs_bits(spec_.trigger)) {
    *state.finished = finished;
  }
  head.flags = in.get<std::uint8_t>();
  for (std::uint32_t i = 0; i < spec_.trigger.counters; ++i) {
    state.counter[i] = in.get<std::uint32_t>();
  }
  for (std::uint32_t i = 0; i < spec_.trigger.deadlines; ++i) {
    state.deadline[i] = in.get<std::int64_t>();
  }
  read_contents(layout_, rules_.boxes, record, in);
  if (layout_.stores_hold()) {
    layout_.hold(record) = in.get<std::int64_t>();
  }
  head.pane.next_index = in.get<std::uint32_t>();
  head.pane.next_nonspeculative = in.get<std::uint32_t>();
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
