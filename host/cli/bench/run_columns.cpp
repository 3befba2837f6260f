// Columns of the host through one aggregation.
#include "host/cli/bench/runs.hpp"
#include "host/cli/bench/stopwatch.hpp"

namespace windrow::cli::bench {

Reading run_columns(Workload const& workload, Backend const& backend) {
  bool const sessions = workload.cell.windows == Windows::session;
  std::unique_ptr<Aggregation> const aggregation = backend.make(spec_of(workload.cell));
  ColumnView const values = workload.rows.value.view();
  KeyedBatchView const all = workload.rows.view(values);
  Reading reading;
  reading.rows = workload.rows.size();
  Stopwatch watch;
  AggregationOutput out;
  for (std::size_t batch = 0; batch < workload.watermark.size(); ++batch) {
    std::size_t const from = batch * batch_rows;
    std::size_t const rows = std::min(batch_rows, workload.rows.size() - from);
    ColumnView part = values;
    part.data = values.data.subspan(from * sizeof(std::int64_t), rows * sizeof(std::int64_t));
    watch.start();
    aggregation->push(
        {all.event_time.subspan(from, rows), all.key.subspan(from, rows), {&part, 1}, {}, {}});
    aggregation->advance(workload.watermark[batch], ProcessingTime{0});
    watch.stop();
    for (bool more = true; more;) {
      watch.start();
      more = aggregation->take_output(out);
      watch.stop();
      add_panes(out.panes, sessions, reading.tally);
    }
    AggregationStats const stats = aggregation->stats();
    reading.state_bytes = std::max(reading.state_bytes, stats.host_bytes + stats.device_bytes);
    reading.bytes_to_device = stats.bytes_to_device;
    reading.bytes_from_device = stats.bytes_from_device;
  }
  reading.wall_s = watch.wall_s();
  reading.cpu_s = watch.cpu_s();
  return reading;
}

}  // namespace windrow::cli::bench
