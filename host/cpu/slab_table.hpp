// The windows of one shard: window -> slab.
#pragma once
#include <cstdint>
#include <vector>

#include "host/cpu/slab.hpp"

namespace windrow::cpu {

// Open addressing over slab numbers; a slab keeps its number until it is dropped.
class SlabTable {
 public:
  // The slab of `window`; `created` says that it is new.
  std::uint32_t find_or_create(Window window, bool& created);
  void drop(std::uint32_t slab);
  // A slab that no window finds, as slices have them.
  std::uint32_t open(Window times);
  void close(std::uint32_t slab);
  [[nodiscard]] Slab& at(std::uint32_t slab) { return slabs_[slab]; }
  [[nodiscard]] Slab const& at(std::uint32_t slab) const { return slabs_[slab]; }
  [[nodiscard]] std::size_t size() const { return live_; }
  // Numbers of the slabs there are, by (end, start) of their windows.
  [[nodiscard]] std::vector<std::uint32_t> in_order() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  [[nodiscard]] std::size_t slot_of(Window window) const;
  void grow();

  std::vector<Slab> slabs_;
  std::vector<std::uint32_t> slots_;  // slab + 1, 0 = empty; a power of two
  std::vector<std::uint32_t> free_;
  std::size_t live_ = 0;
};

}  // namespace windrow::cpu
