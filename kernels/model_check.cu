// The rules of host/model as device code: every function of theirs that both sides share, called in
// kernels on values that no compiler knows beforehand.  Nothing runs it; it has to compile clean.
#include <cstdint>

#include "host/model/accumulate.hpp"
#include "host/model/cell_rules.hpp"
#include "host/model/ddsketch.hpp"
#include "host/model/hyperloglog.hpp"
#include "host/model/pane_fire.hpp"
#include "host/model/trigger_merge.hpp"
#include "host/model/window.hpp"

namespace windrow::cuda {

// Times and windows: answers to out[0..11].
__global__ void windows_as_device_code(WindowFn const* fn, std::int64_t const* in,
                                       std::int64_t* out) {
  EventTime const t{in[0]};
  out[0] = floor_div(in[1], in[2]);
  out[1] = floor_mod(in[1], in[2]);
  out[2] = saturating_add(in[1], in[2]);
  out[3] = clip(in[3]).us;
  out[4] = expiry(t, Duration{in[4]}).us;
  out[5] = is_valid(t) ? 1 : 0;
  std::int64_t const slice = slice_of(*fn, t);
  out[6] = slice;
  IndexRange const windows = windows_of_slice(*fn, slice);
  out[7] = windows.count();
  out[8] = slices_of_window(*fn, windows.first) == windows_of(*fn, t) ? 1 : 0;
  Window const window = window_at(*fn, windows.last);
  out[9] = last_of(window).us;
  out[10] = proto_window(*fn, t).end.us;
  out[11] = window < proto_window(*fn, t) ? 1 : 0;
}

// Panes: one firing of each thread's record.
__global__ void panes_as_device_code(PaneRecord* records, PaneInfo* infos, std::int64_t const* in) {
  Watermark const w{in[0]}, w_out{in[1]};
  EventTime const end{in[2]};
  Firing const firing = fire(records[threadIdx.x], in[3] != 0, in[4] != 0, w, w_out, end,
                             static_cast<OnTime>(in[5] & 1), static_cast<Closing>(in[6] & 1));
  infos[threadIdx.x] = firing.info;
  records[threadIdx.x] = firing.record;
  if (timing_of(firing.record, w, w_out, end) == PaneTiming::late) {
    infos[threadIdx.x].first = false;
  }
}

// The trigger states of a block, one per thread, in columns.
struct TriggerColumns {
  std::uint32_t* finished;
  std::uint32_t* flags;
  std::uint32_t* counter;
  std::int64_t* deadline;
  __device__ TriggerStateRef of(TriggerProgram const& program, std::uint32_t i) const {
    return {finished + i, flags + i, counter + i * program.counters,
            deadline + i * program.deadlines};
  }
};

// A trigger's life: it starts, rows reach it, it is asked, it fires.
__global__ void triggers_as_device_code(TriggerProgram const* program, TriggerColumns columns,
                                        FiringClock const* clock, std::uint32_t const* rows,
                                        std::uint32_t* fired) {
  TriggerStateRef const state = columns.of(*program, threadIdx.x);
  start(*program, state);
  on_elements(*program, state, *clock, rows[threadIdx.x]);
  std::uint32_t const ready = ready_nodes(*program, state, *clock);
  if (root_is_ready(*program, ready) && !has_finished(*program, state)) {
    on_fire(*program, state, *clock, ready);
    fired[threadIdx.x] = ready;
  }
}

// Every state of the block becomes one with its neighbour.
__global__ void merges_as_device_code(TriggerProgram const* program, TriggerColumns columns,
                                      FiringClock const* clock) {
  TriggerStateRef const result = columns.of(*program, 2 * threadIdx.x);
  TriggerSources sources;
  sources.add(*program, result);
  sources.add(*program, columns.of(*program, 2 * threadIdx.x + 1));
  on_merge(*program, result, sources, *clock);
}

// lift, merge and extract of every accumulator of fixed size.
struct Accumulators {
  CountAccumulator count;
  WideSum sum;
  NumberSum numbers;
  Moments moments;
  Extreme extreme;
  Truths truths;
  Pick pick;
};
__global__ void accumulators_as_device_code(Accumulators* to, Accumulators const* from,
                                            std::int64_t const* in, double const* numbers,
                                            std::int64_t* out, double* out_numbers) {
  bool const smallest = in[0] != 0;
  lift(to->count, in[1]);
  lift(to->sum, in[1]);
  withdraw(to->sum, in[2]);
  lift(to->numbers, numbers[0]);
  lift(to->moments, numbers[1]);
  lift(to->extreme, poisoning_rank(numbers[2], smallest), smallest);
  lift(to->truths, in[3] != 0);
  merge(to->count, from->count);
  merge(to->sum, from->sum);
  merge(to->numbers, from->numbers);
  merge(to->moments, from->moments);
  merge(to->extreme, from->extreme);
  out[4] = rank_of(to->extreme, smallest);
  merge(to->truths, from->truths);
  out[0] = is_before(to->pick, from->pick) ? 1 : 0;
  merge(to->pick, from->pick, smallest);
  out[1] = extract(to->sum, out[2]) ? 1 : 0;
  out[3] = variance(to->moments, smallest, out_numbers[0]) ? 1 : 0;
  out_numbers[1] = number_of_rank(rank_of(numbers[3]));
}

// Sketches: a value reaches its register and its bucket, and what is answered from them.
__global__ void sketches_as_device_code(CombineFn const* fn, std::int64_t const* in,
                                        double const* numbers, std::uint32_t* registers,
                                        std::int32_t* buckets, std::int64_t* out,
                                        double* out_numbers) {
  std::uint32_t const n = fn->n;
  std::uint64_t const bits = distinct_bits(in[0]) ^ distinct_bits(numbers[0]) ^
                             distinct_bits(static_cast<std::uint8_t>(in[1]));
  DistinctRank const at = distinct_rank(distinct_hash(bits), n);
  registers[at.index] = distinct_rank_of(distinct_entry(at)).rank;
  out[0] = distinct_estimate(registers, n);
  out[1] = distinct_entries_max(n);
  buckets[threadIdx.x] = quantile_bucket(numbers[1], n);
  out[2] = static_cast<std::int64_t>(quantile_rank(fn->q[0], distinct_bits(in[2])));
  out_numbers[0] = quantile_value(buckets[0], n);
}

// What a column of states is laid out by, and a record.
__global__ void layout_as_device_code(CombineFn const* fn, std::uint32_t* bytes) {
  bytes[threadIdx.x] = accumulator_bytes(accumulator_kind(fn[threadIdx.x]));
}
__global__ void record_as_device_code(RecordShape const* shape, std::uint32_t* bytes) {
  bytes[0] = shape->contents_bytes() + (is_smallest(shape->slots[0].fn) ? 1U : 0U);
}

// What happens to a cell.
__global__ void cell_as_device_code(CellSpec const* spec, std::byte* record, Window window,
                                    BatchTimes times, CellFiring* out, std::int64_t* us) {
  start_cell(*spec, record);
  if (is_open(record) && holds(*spec, window, window.start, times)) {
    combine_hold(*spec, record, window.start.us);
  }
  us[0] = hold_of(*spec, record, window);
  us[1] = deadline_of(*spec, record, times.p_us);
  us[2] = no_hold(spec->stamp);
  out[0] = settle_cell(*spec, record, window, times);
  out[1] = ask_cell(*spec, record, window, times);
  out[2] = expire_cell(*spec, record, window, times);
}

}  // namespace windrow::cuda
