// Accumulators without a fixed size: lists, best rows, texts, sketches, and logs of weighted rows
// (R78).
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
//             in their order; of a sketch its bytes (sketches.hpp)
struct BoxEntry {
  std::uint64_t sequence = 0;
  std::int64_t time_us = 0;
  std::int64_t weight = 1;
  std::string value;
};

// group, concat and logs: in order of arrival.  top: best first, at most n.  Texts and sketches: at
// most one.
using Box = std::vector<BoxEntry>;

// Boxes of one shard by handle; handle 0 is the identity, which owns nothing.
class BoxPool {
 public:
  [[nodiscard]] Box const& at(std::uint32_t handle) const { return boxes_[handle - 1]; }
  // These make the box if there is none.  `lift` adds one row, whose value is one encoded value;
  // `append` one of a log; `lift_sketch` adds one value to a sketch.
  void lift(CombineFn const& fn, std::uint32_t& handle, BoxEntry&& entry);
  void append(std::uint32_t& handle, BoxEntry&& entry);
  void lift_sketch(CombineFn const& fn, std::uint32_t& handle, std::uint64_t bits);
  void put(std::uint32_t& handle, Box&& box);
  [[nodiscard]] Box take(std::uint32_t handle);                           // leaves an empty one
  void merge(CombineFn const& fn, std::uint32_t to, std::uint32_t from);  // empties `from`
  // The same of a copy; makes `to` if there is none.
  void merge_copy(CombineFn const& fn, std::uint32_t& to, std::uint32_t from);
  void free(std::uint32_t& handle);  // sets it to 0
  [[nodiscard]] std::size_t bytes() const;

 private:
  Box& open(std::uint32_t& handle);
  void merge(CombineFn const& fn, Box& to, Box&& from);
  std::vector<Box> boxes_;
  std::vector<std::uint32_t> free_;
  std::size_t held_ = 0;  // bytes of what the boxes hold, texts included
};

// Appends the result; the identity is an empty list, or null for texts, or what a sketch gives.
void extract_boxed(CombineFn const& fn, Box const& from, Column& out);

// Takes every row of weight -1 off together with the earliest equal row of weight +1.
void cancel(Box& log);

void write_box(Box const& box, ByteWriter& out);
[[nodiscard]] Box read_box(ByteReader& in);

}  // namespace windrow::cpu
