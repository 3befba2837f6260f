// All keys of one of the 16 shards: their windows, what time does to them, and one batch's output.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "host/cpu/cell_rules.hpp"
#include "host/cpu/session_pool.hpp"
#include "host/cpu/slab_table.hpp"

namespace windrow::cpu {

// A *place* is what holds records of one window: a slab, or in a sessions step one session. Records
// are judged by CellRules whatever their place; a shard finds the places that rows and time reach,
// and never looks at the others.  Where windows share slices (model/slices.hpp), a window has
// a place from its end on; until then it *runs*, and its rows lie in the slabs of its slices.
class Shard {
 public:
  // The spec and layout must outlive it.
  Shard(AggregationSpec const& spec, RecordLayout const& layout);
  Shard(Shard const&) = delete;  // its rules refer to its own parts
  Shard& operator=(Shard const&) = delete;

  // Judges and folds rows of this shard.
  //   row          [n] indexes into `in`, ascending
  //   first_row    row 0's number within the batch;  sequence  its number over all batches
  void push(KeyedBatchView const& in, std::span<std::uint32_t const> row, std::uint32_t first_row,
            std::uint64_t sequence, BatchTimes const& times);
  void run_phase_a(BatchTimes const& times);
  // Phase B in parts: first the places that time reaches, in order of their windows' ends if
  // `in_order`, ...
  void begin_phase_b(BatchTimes const& times, bool in_order);
  // ... then those that end by `end`.  T_MAX: all that are left, and the keys without state are
  // named.
  void run_phase_b(BatchTimes const& times, EventTime end);
  // By when the next `cells` of those places end (or one place more); T_MAX if fewer are left.
  [[nodiscard]] EventTime end_of_next(std::size_t cells, Watermark w);

  [[nodiscard]] AggregationOutput& output() { return rules_.output; }
  // After a batch.  `w` and `p_us` are its W and P.
  [[nodiscard]] std::int64_t earliest_hold();
  [[nodiscard]] std::int64_t earliest_event(Watermark w);
  [[nodiscard]] std::int64_t earliest_deadline(std::int64_t p_us);
  // Totals and present state; adds to `out`.
  void add_stats(AggregationStats& out) const;
  [[nodiscard]] std::uint64_t windows_with_state() const { return records_ + running_keys_; }

  void snapshot(ByteWriter& out);
  void restore(ByteReader& in, Watermark w, std::int64_t p_us);
  // The same for slices, before or after.
  void snapshot_slices(ByteWriter& out);
  void restore_slices(ByteReader& in, Watermark w);

 private:
  // Rows from `begin` to before `end` fall into the same windows, which few rows leave.
  //   windows  those with records of their own;  running  the others, which share `slice`
  //   slabs    of these windows, then of the slice; `none` where not looked for yet
  //   ahead    rows between asking the memory for a record and its use
  struct Reach {
    EventTime begin = T_MAX, end = T_MIN;
    std::vector<Window> windows;
    IndexRange running;
    std::int64_t slice = 0;
    std::vector<std::uint32_t> slabs;
    std::size_t ahead = 1;
  };
  struct Touched {
    std::uint32_t place, record;
  };
  // One row of the batch in a sessions step, or one session of its key, while they are merged.
  struct Span {
    Window window;
    std::uint32_t row, session;  // one of them is `none`
  };
  static constexpr std::uint32_t none = UINT32_MAX;

  // Rows and windows (shard.cpp).
  void reach(EventTime time, Watermark w);
  void reach(Window window);
  void judge(KeyedBatchView const& in, std::uint32_t row, std::size_t reached,
             std::uint32_t batch_row, BatchTimes const& times);
  void fold_hits(KeyedBatchView const& in, std::uint64_t sequence);
  void drop(std::uint32_t batch_row, KeyId key, DropReason reason, Window window);
  std::uint32_t slab_of(Window window, Watermark w);

  // Slices (shard_slices.cpp).
  void share(KeyedBatchView const& in, std::uint32_t row);
  std::uint32_t slab_of_slice(std::int64_t slice);
  void count_slice(KeyId key, std::int64_t slice, IndexRange running);
  void end_running(EventTime by);
  std::uint32_t combine_slices(std::int64_t index);
  void drop_slices();

  // Time (shard_time.cpp).
  void expire(std::uint32_t place, BatchTimes const& times);
  void ask_at_end(std::uint32_t place, BatchTimes const& times);
  void ask_at_deadline(std::uint32_t place, BatchTimes const& times);
  void note(std::uint32_t place, std::uint32_t record, std::int64_t from_us);
  void queue_event(std::uint32_t place, Watermark w);
  [[nodiscard]] std::int64_t next_event(Window window, Watermark w) const;
  [[nodiscard]] std::int64_t exact_deadline(std::uint32_t place, std::int64_t from_us);
  [[nodiscard]] std::int64_t exact_hold(std::uint32_t place);
  void end_record(std::byte* record, Window window);
  void forget_window(KeyId key);
  void forget_record(KeyId key);
  void report_freed();

  // Places.
  [[nodiscard]] Window window_of(std::uint32_t place) {
    return sessions_step_ ? sessions_.at(place).window : slabs_.at(place).window();
  }
  [[nodiscard]] QueuedTimes& queued(std::uint32_t place) {
    return sessions_step_ ? sessions_.at(place).queued : slabs_.at(place).queued;
  }
  [[nodiscard]] std::uint32_t records_of(std::uint32_t place) {
    return sessions_step_ ? 1 : slabs_.at(place).size();
  }
  [[nodiscard]] std::byte* record_of(std::uint32_t place, std::uint32_t record) {
    return sessions_step_ ? sessions_.record(layout_, place)
                          : slabs_.at(place).record(layout_, record);
  }
  [[nodiscard]] Pending* pending_of(std::uint32_t place) {
    return sessions_step_ ? &sessions_.at(place).pending : nullptr;
  }

  // Sessions (shard_sessions.cpp).
  void keep_row(KeyedBatchView const& in, std::uint32_t row, std::uint32_t batch_row,
                std::uint64_t sequence, BatchTimes const& times);
  void merge_sessions(BatchTimes const& times);
  void merge_key(KeyId key, BatchTimes const& times);
  void merge_group(KeyId key, std::span<Span const> group, BatchTimes const& times);
  std::uint32_t merge_into_new(KeyId key, Window result, BatchTimes const& times);
  void merge_into_existing(std::uint32_t session, BatchTimes const& times);
  void bury(KeyId key, Window result, BatchTimes const& times);
  void take_away(Window result, Pending& pending);
  void erase_session(std::uint32_t session);
  void pack_sessions();
  void fold_kept_rows(BatchTimes const& times);

  // Snapshots (shard_snapshot.cpp).
  void write_record(std::byte* record, Pending const* pending, ByteWriter& out);
  void read_record(std::byte* record, Pending* pending, ByteReader& in);
  void count_window(KeyId key);
  void count_record(KeyId key);

  AggregationSpec const& spec_;
  RecordLayout const& layout_;
  bool const sessions_step_, tracks_holds_, shares_slices_;
  CellRules rules_;

  SlabTable slabs_;
  SessionPool sessions_;
  LazyHeap events_, deadlines_, holds_;
  std::vector<std::uint32_t> records_of_key_;  // by dense_index: of windows and slices
  std::uint64_t records_ = 0, keys_ = 0;       // of windows; with a record

  // Shared slices, each with a row in one of its running windows; running windows with a row.
  std::map<std::int64_t, std::uint32_t> slices_;   // slice -> slab
  std::map<std::int64_t, std::uint32_t> running_;  // window -> keys with rows in it
  std::vector<std::int64_t> newest_slice_;         // by dense_index: in which the key has had a row
  std::uint64_t slice_records_ = 0, running_keys_ = 0;

  // Of the batch that runs.
  std::vector<Touched> touched_;
  std::vector<KeyId> maybe_freed_;
  std::vector<std::uint64_t> freed_bits_;  // by dense_index; 0 between batches
  std::vector<std::uint32_t> due_;         // places, those before next_due_ are done
  std::size_t next_due_ = 0;
  std::vector<std::uint32_t> hit_row_;
  std::vector<Touched> hit_;
  std::vector<std::byte*> hit_record_;
  std::vector<std::uint32_t> combined_;  // and the next two: scratch of combine_slices
  std::vector<std::byte*> combined_to_, combined_from_;
  Reach reach_;
  std::int64_t last_dropped_end_us_ = 0;

  // Sessions: the rows kept until phase A, and scratch for the key that is merged.
  std::vector<EventTime> kept_time_;
  std::vector<KeyId> kept_key_;
  std::vector<std::uint32_t> kept_batch_row_, kept_next_, kept_session_;
  std::uint64_t kept_sequence_ = 0;  // of the first kept row
  std::vector<Column> kept_values_;
  std::vector<std::uint32_t> first_kept_, last_kept_;  // by dense_index: row + 1
  std::vector<Span> spans_;
  std::vector<std::uint32_t> sources_, closed_;
};

}  // namespace windrow::cpu
