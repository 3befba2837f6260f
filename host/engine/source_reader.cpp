#include "host/engine/source_reader.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>

#include "host/model/portable.hpp"

namespace windrow {
namespace {

// A function of the records alone, so that results do not depend on the threads.
constexpr std::size_t chunk_bytes_max = 512 * 1024, chunk_records_max = 8192;

}  // namespace

SourceReader::SourceReader(SourcePart part, Graph const& graph, Workers& workers)
    : transform_(part.transform),
      source_(std::move(part.source)),
      make_decoder_(std::move(part.make_decoder)),
      workers_(workers),
      stage_(graph, part.transform, StageRows::plain) {
  for (auto const& settings : stage_.shape().trackers) {
    trackers_.emplace_back(settings);
  }
  for (unsigned i = 0; i < workers_.threads(); ++i) {
    decoders_.push_back(make_decoder_());
  }
  records_ = {source_.get(), &raw_};
  totals_.transform = transform_;
  totals_.name = graph.transforms[transform_].name;
}

void SourceReader::poll(std::size_t rows_max, std::int64_t wait_us) {
  if (ended_) {
    stop_reading();
    return;
  }
  ended_ = !source_->poll(raw_, rows_max, wait_us);
  if (ended_) {  // R89, also of a source that never had a partition
    if (raw_.ranges.empty()) {
      raw_.ranges.push_back({});
      named_ = 1;  // it has none
    }
    for (Range& range : raw_.ranges) {
      range.ended = true;
    }
  }
}

void SourceReader::stop_reading() {
  raw_.records.clear();
  raw_.payloads.reset();
  for (Range& range : raw_.ranges) {
    range.from = range.to;
    range.own_watermark.reset();  // was said to the batch before
  }
}

void SourceReader::begin_replay(std::span<BatchPlan const> plans, std::size_t index) {
  std::vector<Range> whole;
  for (BatchPlan const& plan : plans) {
    for (Range const& range : plan.ranges.at(index)) {
      if (range.partition == whole.size()) {
        whole.push_back(range);
      }
      WINDROW_ASSERT(range.partition < whole.size(), "plans name partitions by dense numbers");
      whole[range.partition].to = range.to;
    }
  }
  source_->begin_replay(whole);
}

void SourceReader::read_again(std::vector<Range> const& ranges) {
  if (!ended_) {
    source_->read(ranges, raw_);
  } else {
    stop_reading();
  }
  raw_.ranges = ranges;
  named_ = ranges.size();
  ended_ = !ranges.empty() &&
           std::all_of(ranges.begin(), ranges.end(), [](Range const& r) { return r.ended; });
}

void SourceReader::name_partitions(std::vector<Range>& ranges) {
  for (; named_ < ranges.size(); ++named_) {
    ranges[named_].name = source_->partition_name(ranges[named_].partition);
  }
}

bool SourceReader::would_move(ProcessingTime now) const {
  return std::any_of(trackers_.begin(), trackers_.end(), [&](WatermarkTracker const& tracker) {
    return tracker.would_move(raw_.ranges, now);
  });
}

void SourceReader::cut_chunks() {
  chunks_.clear();
  for (std::size_t first = 0; first < raw_.records.size();) {
    std::size_t end = first, bytes = 0;
    while (end < raw_.records.size() && end - first < chunk_records_max &&
           (end == first || bytes + raw_.records[end].bytes <= chunk_bytes_max)) {
      bytes += raw_.records[end++].bytes;
    }
    totals_.bytes += bytes;
    if (chunks_.size() == pool_.size()) {
      pool_.push_back(std::make_unique<Chunk>());
    }
    Chunk& chunk = *pool_[chunks_.size()];
    chunk.first = first;
    chunk.count = end - first;
    chunks_.push_back(&chunk.stage);
    first = end;
  }
}

void SourceReader::read(BatchPlan const& plan, StageContext context) {
  cut_chunks();
  context.records = &records_;
  context.trackers = trackers_;
  context.stamp.processing_time = plan.processing_time;
  std::atomic<std::size_t> next{0};
  workers_.for_each(decoders_.size(), [&](std::size_t worker) {
    for (std::size_t i = next++; i < chunks_.size(); i = next++) {
      Chunk& chunk = *pool_[i];
      decoders_[worker]->decode(raw_, chunk.first, chunk.count, chunk.decoded);
      stage_.run(context, chunk.decoded.rows.view(), {}, chunk.decoded.rejected, chunk.stage);
    }
  });
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    DecodedChunk const& decoded = pool_[i]->decoded;
    totals_.read += decoded.read;
    totals_.decoded += decoded.rows.rows();
    totals_.rejected += decoded.rejected.size();
  }
}

void SourceReader::observe(BatchPlan const& plan, std::span<Range const> ranges) {
  for (WatermarkTracker& tracker : trackers_) {
    tracker.begin(ranges, plan.processing_time);
  }
  for (std::size_t end = 0; end < stage_.shape().keyed.size(); ++end) {
    for (StageChunk const* chunk : chunks_) {
      for (auto const& [partition, stamp] : chunk->keyed[end].latest) {
        for (std::size_t const tracker : stage_.shape().keyed[end].trackers) {
          trackers_[tracker].observe(partition, stamp, plan.processing_time);
        }
      }
    }
  }
  for (WatermarkTracker& tracker : trackers_) {
    tracker.finish(plan.processing_time);
  }
}

void SourceReader::count_faults(FaultCounts const& counts) {
  for (std::size_t i = 0; i < faults; ++i) {
    totals_.set_aside[i] += counts[i];
  }
}

std::uint64_t SourceReader::bad_records() const {
  return std::accumulate(totals_.set_aside.begin(), totals_.set_aside.end(), std::uint64_t{0});
}

SourceProgress SourceReader::progress() const {
  SourceProgress out = totals_;
  out.ended = ended_;
  out.replayable = source_->replayable();
  out.waiting = ended_ ? std::string() : source_->status();
  // The trackers that count are those of an end; without one, the source's own.
  std::set<std::size_t> counting;
  for (KeyedEnd const& end : stage_.shape().keyed) {
    counting.insert(end.trackers.begin(), end.trackers.end());
  }
  if (counting.empty()) {
    counting.insert(0);
  }
  out.watermark = T_MAX;
  for (std::size_t const t : counting) {
    WatermarkTracker const& tracker = trackers_[t];
    out.regressions += tracker.regressions();
    if (tracker.current() <= out.watermark) {
      out.watermark = tracker.current();
      auto const holder = tracker.holder();
      out.holder = holder ? source_->partition_name(*holder) : std::string{};
    }
  }
  return out;
}

void SourceReader::snapshot(StateWriter& out, std::string const& name) const {
  ByteWriter bytes;
  for (std::uint64_t const total :
       {totals_.read, totals_.decoded, totals_.rejected, totals_.bytes}) {
    bytes.put(total);
  }
  for (std::uint64_t const total : totals_.set_aside) {
    bytes.put(total);
  }
  bytes.put(static_cast<std::uint8_t>(ended_));
  bytes.put(static_cast<std::uint64_t>(named_));
  out.component("source totals: " + name).piece("totals", 0, bytes.bytes());
  source_->snapshot(out.component("source: " + name));
  for (std::size_t i = 0; i < trackers_.size(); ++i) {
    trackers_[i].snapshot(out.component("watermark: " + name + ": " + std::to_string(i)));
  }
}

void SourceReader::restore(StateReader& in, std::string const& name) {
  std::string_view piece, bytes;
  std::uint32_t shard = 0;
  if (!in.component("source totals: " + name).next(piece, shard, bytes)) {
    throw EnvironmentError("snapshot: a component has no piece: source totals: " + name, 74);
  }
  ByteReader reader(bytes);
  for (std::uint64_t* const total :
       {&totals_.read, &totals_.decoded, &totals_.rejected, &totals_.bytes}) {
    *total = reader.get<std::uint64_t>();
  }
  for (std::uint64_t& total : totals_.set_aside) {
    total = reader.get<std::uint64_t>();
  }
  bool const was_ended = reader.get<std::uint8_t>() != 0;
  named_ = reader.get<std::uint64_t>();
  source_->restore(in.component("source: " + name));
  for (std::size_t i = 0; i < trackers_.size(); ++i) {
    trackers_[i].restore(in.component("watermark: " + name + ": " + std::to_string(i)));
  }
  if (was_ended) {  // its partitions are known to the trackers; it has nothing more to say
    ended_ = true;
  }
}

}  // namespace windrow
