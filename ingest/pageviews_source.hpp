// Source of `Generate`: the page views as they would arrive from a topic, without one.
#pragma once
#include <functional>
#include <memory>

#include "host/engine/source.hpp"
#include "ingest/pageviews/generator.hpp"

namespace windrow {

struct PageviewsSettings {
  std::uint64_t seed = 42;
  std::optional<std::uint64_t> events;  // none: without end
  std::optional<double> rate;           // events per second of processing time
};

// Partition = the generator's, offset = the line's number in it.  A line comes once processing time
// has reached its arrival.  With a rate the stream begins at the processing time of the first
// start, on a border of five minutes, and has as many users as make that rate; without one it
// begins in 2026, so all that has arrived since comes as fast as it is read.
class PageviewsSource final : public Source {
 public:
  // EnvironmentError 78 for a rate that needs over a million users.
  PageviewsSource(PageviewsSettings settings, std::function<ProcessingTime()> now);
  void open() override;
  bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) override;
  void read(std::span<Range const> ranges, RawBatch& out) override;
  [[nodiscard]] bool bounded() const override { return settings_.events.has_value(); }
  [[nodiscard]] std::string_view name() const override { return "pageviews"; }
  [[nodiscard]] std::string partition_name(std::uint32_t partition) const override;
  [[nodiscard]] std::string_view path_of(std::uint32_t partition,
                                         std::int64_t offset) const override;
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;

 private:
  class Lines;  // payloads of a batch
  [[nodiscard]] bool due() const;
  void deliver(Lines& lines, RawBatch& out);  // the next line

  pageviews::Settings settings_;
  bool paced_;
  std::function<ProcessingTime()> now_;
  std::optional<pageviews::Generator> generator_;
  pageviews::Line line_;  // the next one, if more_
  bool more_ = false, restored_ = false;
  std::uint64_t delivered_ = 0;
  std::vector<std::int64_t> position_;  // by partition
};

}  // namespace windrow
