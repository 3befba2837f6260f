// Accumulators without a fixed size: lists, best rows, texts, and logs of weighted rows (R78).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/batch.hpp"
#include "host/engine/snapshot.hpp"
#include "host/model/accumulator.hpp"

namespace windrow::cpu {

// One row of a box.
//   sequence  arrival of the row, over all batches of the step
//   time_us   event time
//   weight    +1; of a log also -1
//   value     one encoded value; of a log its pane and the values of all logged combines,
//             in their order
struct BoxEntry {
  std::uint64_t sequence = 0;
  std::int64_t time_us = 0;
  std::int64_t weight = 1;
  std::string value;
};

// group, concat and logs: in order of arrival.  top: best first, at most n.  Texts: at most one.
using Box = std::vector<BoxEntry>;

// Boxes of one shard by handle; handle 0 is the identity, which owns nothing.
class BoxPool {
 public:
  Box& open(std::uint32_t& handle);  // makes the box if there is none
  [[nodiscard]] Box& at(std::uint32_t handle) { return boxes_[handle - 1]; }
  [[nodiscard]] Box const& at(std::uint32_t handle) const { return boxes_[handle - 1]; }
  void free(std::uint32_t& handle);  // sets it to 0
  [[nodiscard]] std::size_t bytes() const;

 private:
  std::vector<Box> boxes_;
  std::vector<std::uint32_t> free_;
};

// Adds one row.  `entry.value` is one encoded value.
void lift_boxed(CombineFn const& fn, Box& to, BoxEntry&& entry);
void merge_boxed(CombineFn const& fn, Box& to, Box&& from);
// Appends the result; the identity is an empty list, or null for texts.
void extract_boxed(CombineFn const& fn, Box const& from, Column& out);

// Merges logs and lists of two sets of rows in order of arrival.
void merge_by_arrival(Box& to, Box&& from);
// Takes every row of weight -1 off together with the earliest equal row of weight +1.
void cancel(Box& log);

void write_box(Box const& box, ByteWriter& out);
[[nodiscard]] Box read_box(ByteReader& in);

}  // namespace windrow::cpu
