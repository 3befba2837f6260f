// The state of the whole graph at a batch border, written and read as named components in one
// order.
#include <algorithm>
#include <string>

#include "host/engine/pipeline_impl.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

// The one piece of a small component.
std::string only_piece(StateReader& in, std::string const& name) {
  std::string_view piece, bytes;
  std::uint32_t shard = 0;
  SnapshotReader& reader = in.component(name);
  if (!reader.next(piece, shard, bytes)) {
    throw EnvironmentError("snapshot: a component must have a piece: component=" + name, 74);
  }
  std::string out(bytes);
  if (reader.next(piece, shard, bytes)) {
    throw EnvironmentError("snapshot: a component must have one piece: component=" + name, 74);
  }
  return out;
}

}  // namespace

void Step::snapshot(StateWriter& out) const {
  std::string const& name = totals_.name;
  ByteWriter bytes;
  bytes.put(totals_.refused);
  bytes.put(totals_.tombstones_ignored);
  for (std::uint64_t const total : totals_.set_aside) {
    bytes.put(total);
  }
  bytes.put(static_cast<std::uint64_t>(totals_.drops.size()));
  for (PartitionDrops const& drops : totals_.drops) {
    bytes.put(static_cast<std::uint64_t>(drops.source));
    bytes.text(drops.partition);
    bytes.put(drops.late);
    bytes.put(drops.closed);
  }
  out.component("step totals: " + name).piece("totals", 0, bytes.bytes());
  keys_.snapshot(out.component("keys: " + name));
  aggregation_->snapshot(out.component("step: " + name));
  if (latest_) {
    latest_->snapshot(out.component("latest panes: " + name));
  }
}

void Step::restore(StateReader& in) {
  std::string const& name = totals_.name;
  std::string const totals = only_piece(in, "step totals: " + name);
  ByteReader bytes(totals);
  totals_.refused = bytes.get<std::uint64_t>();
  totals_.tombstones_ignored = bytes.get<std::uint64_t>();
  for (std::uint64_t& total : totals_.set_aside) {
    total = bytes.get<std::uint64_t>();
  }
  for (auto left = bytes.get<std::uint64_t>(); left > 0; --left) {
    PartitionDrops& drops = totals_.drops.emplace_back();
    drops.source = bytes.get<std::uint64_t>();
    drops.partition = bytes.text();
    drops.late = bytes.get<std::uint64_t>();
    drops.closed = bytes.get<std::uint64_t>();
  }
  keys_.restore(in.component("keys: " + name));
  aggregation_->restore(in.component("step: " + name));
  if (latest_) {
    latest_->restore(in.component("latest panes: " + name));
  }
}

void Pipeline::snapshot(StateWriter& out) const {
  Impl const& p = *impl_;
  ByteWriter bytes;
  bytes.put(p.batch_no);
  bytes.put(p.pane_version);
  // What the clock said last counts too: P goes on from there.
  bytes.put(std::max(p.processing_time, p.clock_read.value_or(p.processing_time)).us);
  bytes.put(static_cast<std::uint8_t>(p.drained));
  out.component("pipeline").piece("border", 0, bytes.bytes());
  for (auto const& source : p.sources) {
    source->snapshot(out, source->progress().name);
  }
  for (auto const& step : p.steps) {
    step->snapshot(out);
  }
  for (Impl::SinkEnd const& sink : p.sinks) {
    SinkProgress const totals = sink.writer->progress();
    ByteWriter sink_bytes;
    WINDROW_ASSERT(totals.queued == 0 && sink.held.empty(), "settle comes before snapshot");
    for (std::uint64_t const total : {totals.taken, totals.rows, totals.superseded,
                                      totals.tombstones, totals.retries, totals.dead_letters}) {
      sink_bytes.put(total);
    }
    for (std::uint64_t const total : sink.set_aside) {
      sink_bytes.put(total);
    }
    out.component("sink totals: " + totals.name).piece("totals", 0, sink_bytes.bytes());
  }
  for (auto const& [transform, check] : p.checks) {
    check.snapshot(out.component("check: " + p.parts.graph.transforms[transform].name));
  }
}

void Pipeline::restore(StateReader& in) {
  Impl& p = *impl_;
  std::string const border = only_piece(in, "pipeline");
  ByteReader bytes(border);
  p.batch_no = bytes.get<std::int64_t>();
  p.pane_version = bytes.get<std::int64_t>();
  p.processing_time.us = bytes.get<std::int64_t>();
  if (p.batch_no > 0) {
    p.clock_read = p.processing_time;
  }
  if (bytes.get<std::uint8_t>() != 0) {  // R71: all its rows would be droppable
    throw EnvironmentError(
        "state: a drained pipeline does not go on: batch=" + std::to_string(p.batch_no), 78);
  }
  for (auto const& source : p.sources) {
    source->restore(in, source->progress().name);
  }
  for (auto const& step : p.steps) {
    step->restore(in);
  }
  for (Impl::SinkEnd& sink : p.sinks) {
    SinkProgress totals = sink.writer->progress();
    std::string const piece = only_piece(in, "sink totals: " + totals.name);
    ByteReader sink_bytes(piece);
    for (std::uint64_t* const total : {&totals.taken, &totals.rows, &totals.superseded,
                                       &totals.tombstones, &totals.retries, &totals.dead_letters}) {
      *total = sink_bytes.get<std::uint64_t>();
    }
    for (std::uint64_t& total : sink.set_aside) {
      total = sink_bytes.get<std::uint64_t>();
    }
    totals.acked_batch = p.batch_no;
    sink.writer->restore(totals);
  }
  for (auto& [transform, check] : p.checks) {
    check.restore(in.component("check: " + p.parts.graph.transforms[transform].name));
  }
}

}  // namespace windrow
