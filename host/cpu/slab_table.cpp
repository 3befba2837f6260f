// Finds, makes and recycles slabs.
#include "host/cpu/slab_table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow::cpu {
namespace {

// Dropped slabs that keep their memory for the next window.
constexpr std::size_t kept_slabs_max = 4;

}  // namespace

std::size_t SlabTable::slot_of(Window window) const {
  auto const hash = (static_cast<std::uint64_t>(window.start.us) * 0x9e3779b97f4a7c15U) ^
                    (static_cast<std::uint64_t>(window.end.us) * 0xc2b2ae3d27d4eb4fU);
  return static_cast<std::size_t>((hash ^ (hash >> 32U)) * 0x9e3779b97f4a7c15U >> 32U) &
         (slots_.size() - 1);
}

std::uint32_t SlabTable::find_or_create(Window window, bool& created) {
  if ((live_ + 1) * 2 > slots_.size()) {
    grow();
  }
  std::size_t slot = slot_of(window);
  while (slots_[slot] != 0) {
    std::uint32_t const slab = slots_[slot] - 1;
    if (slabs_[slab].window() == window) {
      created = false;
      return slab;
    }
    slot = (slot + 1) & (slots_.size() - 1);
  }
  created = true;
  std::uint32_t const slab = open(window);
  slots_[slot] = slab + 1;
  ++live_;
  return slab;
}

std::uint32_t SlabTable::open(Window times) {
  std::uint32_t slab = 0;
  if (free_.empty()) {
    slab = static_cast<std::uint32_t>(slabs_.size());
    slabs_.emplace_back();
  } else {
    slab = free_.back();
    free_.pop_back();
  }
  slabs_[slab].open(times);
  return slab;
}

void SlabTable::close(std::uint32_t slab) {
  slabs_[slab].reset(free_.size() < kept_slabs_max);
  free_.push_back(slab);
}

void SlabTable::drop(std::uint32_t slab) {
  std::size_t const mask = slots_.size() - 1;
  std::size_t hole = slot_of(slabs_[slab].window());
  while (slots_[hole] != slab + 1) {
    WINDROW_ASSERT(slots_[hole] != 0, "a dropped slab is in the table");
    hole = (hole + 1) & mask;
  }
  // Moves later entries of the run into the hole where their own place allows it.
  for (std::size_t next = (hole + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    std::size_t const home = slot_of(slabs_[slots_[next] - 1].window());
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = 0;
  close(slab);
  --live_;
}

void SlabTable::grow() {
  std::vector<std::uint32_t> const before = std::exchange(slots_, {});
  slots_.assign(std::max<std::size_t>(16, before.size() * 2), 0);
  for (std::uint32_t const entry : before) {
    if (entry == 0) {
      continue;
    }
    std::size_t slot = slot_of(slabs_[entry - 1].window());
    while (slots_[slot] != 0) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = entry;
  }
}

std::vector<std::uint32_t> SlabTable::in_order() const {
  std::vector<std::uint32_t> order;
  for (std::uint32_t const entry : slots_) {
    if (entry != 0) {
      order.push_back(entry - 1);
    }
  }
  auto const by_end = [this](std::uint32_t slab) {
    Window const window = slabs_[slab].window();
    return std::tuple(window.end, window.start);
  };
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return by_end(a) < by_end(b); });
  return order;
}

std::size_t SlabTable::bytes() const {
  std::size_t total = slabs_.capacity() * sizeof(Slab) +
                      (slots_.capacity() + free_.capacity()) * sizeof(std::uint32_t);
  for (Slab const& slab : slabs_) {
    total += slab.bytes();
  }
  return total;
}

}  // namespace windrow::cpu
