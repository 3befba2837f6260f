// Rows anywhere in the graph, as columns: what sources fill, row transforms rewrite, steps read and
// sinks write.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/value.hpp"
#include "host/model/pane.hpp"
#include "host/model/time.hpp"
#include "host/model/value.hpp"
#include "host/model/window.hpp"
#include "host/plan/schema.hpp"

namespace windrow {

// Key bytes <-> id of one step (key_dictionary.hpp): ((block * 16 + shard) * 64) + i, so dense per
// shard and the shard in its bits.
using KeyId = std::uint32_t;
inline constexpr std::uint32_t shards = 16;  // fixed: results and snapshots do not know the threads
[[nodiscard]] constexpr std::uint32_t shard_of(KeyId id) noexcept { return (id >> 6U) % shards; }

// Layout by type: boolean u8[rows], integer i64[rows], number f64[rows]; string, bytes, list and
// structure: u32 offsets[rows + 1] into `data`.  `valid`: bit i set = row i is not null; empty = no
// nulls.  A null cell of a fixed-size type holds 0, of a text type it is empty.
struct ColumnView {
  ValueType type = ValueType::integer;
  std::span<std::byte const> data;
  std::span<std::uint32_t const> offsets;
  std::span<std::uint64_t const> valid;

  [[nodiscard]] bool is_valid(std::size_t row) const {
    return valid.empty() || ((valid[row / 64] >> (row % 64)) & 1U) != 0;
  }
  [[nodiscard]] std::int64_t const* integers() const {
    return reinterpret_cast<std::int64_t const*>(data.data());
  }
  [[nodiscard]] double const* numbers() const {
    return reinterpret_cast<double const*>(data.data());
  }
  [[nodiscard]] std::uint8_t const* booleans() const {
    return reinterpret_cast<std::uint8_t const*>(data.data());
  }
  [[nodiscard]] std::string_view text(std::size_t row) const {
    return {reinterpret_cast<char const*>(data.data()) + offsets[row],
            offsets[row + 1] - offsets[row]};
  }
  [[nodiscard]] Scalar at(std::size_t row) const;  // borrows from the column
};

[[nodiscard]] constexpr bool is_text(ValueType type) noexcept { return type >= ValueType::string; }

// Owner of one column; grows by appending, keeps its memory over clear().
class Column {
 public:
  explicit Column(ValueType type = ValueType::integer) : type_(type) { reset(type); }
  void reset(ValueType type);  // empty, of that type
  void clear() { reset(type_); }
  void append_null();
  void append(bool v);
  void append(std::int64_t v);
  void append(double v);
  void append_text(std::string_view v);  // string, bytes, or one encoded list or structure
  void append(Scalar const& v);  // of the column's type (an integer widens to number), or null
  void append(ColumnView const& from, std::size_t row);  // same type
  void append_all(Column const& from);                   // all its rows, same type
  // Runs of rows, none of them null: booleans (not 0 is true), integers or the bits of numbers; and
  // texts.
  void append_words(std::span<std::int64_t const> words);
  void append_texts(std::span<std::string_view const> texts);
  // Appends to the text of the row being built; `end_text` ends it.
  std::string& open_text() { return text_; }
  void end_text();
  [[nodiscard]] std::size_t size() const { return rows_; }
  [[nodiscard]] ValueType type() const { return type_; }
  [[nodiscard]] ColumnView view() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  void mark(bool valid);
  void mark_run(std::size_t rows);
  ValueType type_;
  std::size_t rows_ = 0;
  bool nulls_ = false;
  std::string text_;                    // of text types
  std::vector<std::uint32_t> offsets_;  // of text types
  std::vector<std::int64_t> words_;     // integer, number (bit pattern)
  std::vector<std::uint8_t> booleans_;
  std::vector<std::uint64_t> valid_;
};

// Where a row comes from, for watermarks and dead letters: an index into the records of the batch.
inline constexpr std::uint32_t no_origin = UINT32_MAX;

// Equal-length columns; spans that do not apply are empty.
//   origin   row -> record of the batch (source.hpp), below a source
//   window, info, deleted   below a step: the pane each row is, or comes from
//   overflowed  below a step: an aggregate of the pane overflowed (its cell is null)
//   weight   below a step read with `input_panes: replace`: +1, or -1 takes a row back (R78)
//   pane     with weights: names the pane each row comes from, so that a withdrawal takes its rows
//   place    in a stage that joins ways: the row of the stage's input that each row comes from
struct EventBatchView {
  std::size_t rows = 0;
  std::span<EventTime const> event_time;
  std::span<ColumnView const> columns;
  std::span<std::uint32_t const> origin;
  std::span<Window const> window;
  std::span<PaneInfo const> info;
  std::span<std::uint8_t const> deleted;
  std::span<std::uint8_t const> overflowed;
  std::span<std::int8_t const> weight;
  std::span<std::uint64_t const> pane;
  std::span<std::uint32_t const> place;
};

// Owner.  `view` borrows until the next change; it refreshes `views` (not thread-safe on one
// batch).
struct EventBatch {
  std::vector<EventTime> event_time;
  std::vector<Column> columns;
  std::vector<std::uint32_t> origin;
  std::vector<Window> window;
  std::vector<PaneInfo> info;
  std::vector<std::uint8_t> deleted, overflowed;
  std::vector<std::int8_t> weight;
  std::vector<std::uint64_t> pane;
  std::vector<std::uint32_t> place;

  void reset(Schema const& schema);  // no rows, columns of these types
  [[nodiscard]] std::size_t rows() const { return event_time.size(); }
  [[nodiscard]] EventBatchView view();

 private:
  std::vector<ColumnView> views_;
};

// What a step reads.  No partials until the C ABI needs them.
//   event_time, key  [n]
//   values           one column per CombineFn::column
//   window           [n] given windows (R77), else empty
//   weight           [n] +1 or -1 (R78), empty = all +1
//   pane             [n] with weights: names the pane each row comes from, so that of equal rows
//                    the right one is withdrawn; empty = equal rows are one
struct KeyedBatchView {
  std::span<EventTime const> event_time;
  std::span<KeyId const> key;
  std::span<ColumnView const> values;
  std::span<Window const> window;
  std::span<std::int8_t const> weight;
  std::span<std::uint64_t const> pane = {};
};

}  // namespace windrow
