// The earliest of many times that change often, found without touching those that are not earliest.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "host/cpu/record.hpp"

namespace windrow::cpu {

// Every place (slab or session) has one time, or `never`, and keeps in `queued` a lower bound of it
// that stands in the heap.  A time that falls is queued at once; one that rises is found out when
// its bound comes to the top.
class LazyHeap {
 public:
  struct Entry {
    std::int64_t at;
    std::uint32_t place;
  };

  void lower(std::uint32_t place, std::int64_t& queued, std::int64_t at) {
    if (at >= queued) {
      return;
    }
    queued = at;
    entries_.push_back({at, place});
    std::push_heap(entries_.begin(), entries_.end(), later);
  }
  // The lowest bound, `never` if there is none; entries of an older bound are dropped on the way.
  //   queued(place) -> std::int64_t&
  template <class Queued>
  std::int64_t top(Queued&& queued) {
    while (!entries_.empty() && queued(entries_.front().place) != entries_.front().at) {
      drop();
    }
    return entries_.empty() ? never : entries_.front().at;
  }
  // Takes the place with the lowest bound out; after `top` said that there is one.
  template <class Queued>
  std::uint32_t take(Queued&& queued) {
    std::uint32_t const place = entries_.front().place;
    drop();
    queued(place) = never;
    return place;
  }
  // The earliest time.  exact(place) -> its time now.
  template <class Queued, class Exact>
  std::int64_t earliest(Queued&& queued, Exact&& exact) {
    for (std::int64_t bound = top(queued); bound != never; bound = top(queued)) {
      std::uint32_t const place = entries_.front().place;
      std::int64_t const time = exact(place);
      if (time == bound) {
        return bound;
      }
      take(queued);
      lower(place, queued(place), time);
    }
    return never;
  }
  [[nodiscard]] std::size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  static bool later(Entry const& a, Entry const& b) { return a.at > b.at; }
  void drop() {
    std::pop_heap(entries_.begin(), entries_.end(), later);
    entries_.pop_back();
  }
  std::vector<Entry> entries_;
};

// The bounds of one place: when its window ends or expires, its next deadline, its earliest hold.
struct QueuedTimes {
  std::int64_t event = never, deadline = never, hold = never;
};

}  // namespace windrow::cpu
