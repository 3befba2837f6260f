#include "host/cli/transcript/scripted_source.hpp"

#include <algorithm>
#include <stdexcept>

namespace windrow::transcript {

namespace {

struct Rows : Lease {
  std::vector<Row> rows;
};

Scalar scalar_of(Node const& node, ValueType type) {
  if (node.kind == Node::Kind::null) {
    return Scalar::null();
  }
  switch (type) {
    case ValueType::boolean:
      return Scalar::of(node.is_true());
    case ValueType::integer:
      return Scalar::of(std::int64_t{std::stoll(node.text)});
    case ValueType::number:
      return Scalar::of(std::stod(node.text));
    case ValueType::string:
      return Scalar::of_string(node.text);
    default:
      throw std::runtime_error("transcript: a field is boolean, integer, number or string");
  }
}

}  // namespace

std::uint32_t ScriptedSource::partition(std::string const& name) {
  for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
    if (partitions_[i].name == name) {
      return i;
    }
  }
  partitions_.push_back({name});
  return static_cast<std::uint32_t>(partitions_.size() - 1);
}

void ScriptedSource::set(Batch batch) {
  batch_ = std::move(batch);
  pending_ = true;
}

bool ScriptedSource::poll(RawBatch& out, std::size_t /*rows_max*/, std::int64_t /*wait_us*/) {
  out.records.clear();
  out.ranges.clear();
  out.payloads.reset();
  if (!partitioned_) {
    partition("p0");
  }
  std::vector<std::int64_t> from;
  if (pending_) {
    for (auto const& name : batch_.assign) {
      partition(name);
    }
    for (auto const& name : batch_.deliver) {
      partitions_[partition(name)].caught_up = false;
    }
    for (auto const& name : batch_.caught_up) {
      partitions_[partition(name)].caught_up = true;
    }
    for (auto const& name : batch_.end) {
      partitions_[partition(name)].ended = true;
    }
    for (Row const& row : batch_.rows) {
      partition(row.partition);
    }
    for (Partition& p : partitions_) {
      p.ended = p.ended || batch_.end_all;
    }
  }
  for (Partition const& p : partitions_) {
    from.push_back(p.position);
  }
  if (pending_) {
    auto rows = std::make_unique<Rows>();
    rows->rows = batch_.rows;
    for (Row const& row : rows->rows) {
      std::uint32_t const at = partition(row.partition);
      bool const is_record = row.record.has_value();
      out.records.push_back(
          {.data = is_record ? row.record->data() : reinterpret_cast<char const*>(&row),
           .bytes = static_cast<std::uint32_t>(is_record ? row.record->size() : sizeof(Row)),
           .partition = at,
           .offset = partitions_[at].position++,
           .time = EventTime{row.ts_us}});
    }
    out.payloads = std::move(rows);
  }
  for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
    Partition const& p = partitions_[i];
    Range range;
    range.partition = i;
    range.from = from[i];
    range.to = p.position;
    range.caught_up = p.caught_up;
    range.ended = p.ended;
    if (pending_ && batch_.watermark_us) {
      range.own_watermark = EventTime{*batch_.watermark_us};
    }
    out.ranges.push_back(range);
  }
  all_ended_ = all_ended_ || (pending_ && batch_.end_all);
  bool const ended =
      !partitions_.empty() && std::all_of(partitions_.begin(), partitions_.end(),
                                          [](Partition const& p) { return p.ended; });
  pending_ = false;
  return !ended && !all_ended_;
}

void ScriptedSource::read(std::span<Range const> /*ranges*/, RawBatch& /*out*/) {
  throw EnvironmentError("script: a transcript is not read twice", 70);
}

std::string ScriptedSource::partition_name(std::uint32_t partition) const {
  return partitions_.at(partition).name;
}

void ScriptedSource::snapshot(SnapshotWriter& out) const {
  ByteWriter bytes;
  for (Partition const& p : partitions_) {
    bytes.text(p.name);
    bytes.put(p.position);
    bytes.put(static_cast<std::uint8_t>(p.caught_up));
    bytes.put(static_cast<std::uint8_t>(p.ended));
  }
  out.piece("partitions", 0, bytes.bytes());
}

void ScriptedSource::restore(SnapshotReader& in) {
  std::string_view name, piece;
  std::uint32_t shard = 0;
  while (in.next(name, shard, piece)) {
    for (ByteReader bytes(piece); !bytes.empty();) {
      Partition p{.name = std::string(bytes.text())};
      p.position = bytes.get<std::int64_t>();
      p.caught_up = bytes.get<std::uint8_t>() != 0;
      p.ended = bytes.get<std::uint8_t>() != 0;
      partitions_.push_back(std::move(p));
    }
  }
}

void ScriptedDecoder::decode(RawBatch const& batch, std::size_t first, std::size_t count,
                             DecodedChunk& out) {
  out.rows.reset(schema_);
  out.rejected.clear();
  out.read = count;
  for (std::size_t i = first; i < first + count; ++i) {
    RawRecord const& record = batch.records[i];
    Row const& row = *reinterpret_cast<Row const*>(record.data);
    if (!is_valid(record.time)) {
      out.rejected.push_back({.record = static_cast<std::uint32_t>(i),
                              .fault = Fault::bad_timestamp,
                              .message = "a stamp outside the valid times",
                              .bytes = row.key});
      continue;
    }
    out.rows.event_time.push_back(record.time);
    out.rows.origin.push_back(static_cast<std::uint32_t>(i));
    for (std::size_t c = 0; c < schema_.fields.size(); ++c) {
      std::string const& name = schema_.fields[c].name;
      Column& column = out.rows.columns[c];
      if (name == "key") {
        column.append_text(row.key);
      } else if (name == "value") {
        if (row.value_null) {
          column.append_null();
        } else {
          column.append(row.value);
        }
      } else {
        Node const* field = row.fields == nullptr ? nullptr : row.fields->find(name);
        column.append(field == nullptr ? Scalar::null()
                                       : scalar_of(*field, schema_.fields[c].type.kind));
      }
    }
  }
}

}  // namespace windrow::transcript
