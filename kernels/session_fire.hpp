// Sessions that time reaches, and what is left of those that are over.
#pragma once
#include "kernels/fire.hpp"

namespace windrow::gpu {

// i = record of any page
struct FindDueSessions {
  StateView state;
  StepView const* step;
  BatchTimes times;
  std::uint32_t* out;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    auto const cell = static_cast<std::uint32_t>(i);
    std::uint32_t const page = cell / page_records;
    if (state.dirty[page] == 0 && state.event[page] > times.w.us &&
        state.deadline[page] >= times.p_us) {
      return;
    }
    std::byte* const record = state.record(cell);
    std::uint32_t const flags = RecordShape::head(record).flags;
    if ((flags & flag_exists) == 0) {
      return;
    }
    EventTime const end = state.link(cell).window.end;
    std::uint32_t const armed = flag_open | flag_armed;
    bool const ended = times.w_before < end && end <= times.w && (flags & armed) == armed;
    bool const is_due = times.w >= expiry(end, step->cells.lateness) || ended ||
                        deadline_of(step->cells, record, times.p_before_us) < times.p_us;
    if (is_due) {
      out[atomic_count(state.counters->due)] = cell;
    }
  }
};

// By when their windows end, to sort them by; from `earliest` on.
struct TakeEnds {
  StateView state;
  std::uint32_t const* cell;
  std::uint64_t* end;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    end[i] =
        static_cast<std::uint64_t>(state.link(cell[i]).window.end.us) ^ (std::uint64_t{1} << 63U);
  }
};

// Unlinks the expired sessions of the keys in one word of `freed_bits`.  A row id ends with the
// last session of its start: an unsafe trigger may leave two (R62).
struct SweepSessions {
  StateView state;
  StepView const* step;
  Ended* ended;
  WINDROW_HOST_DEVICE void operator()(std::size_t word) const {
    std::uint32_t bits = state.freed_bits[word];
    for (std::uint32_t bit = 0; bits != 0; ++bit, bits >>= 1U) {
      if ((bits & 1U) != 0) {
        sweep(static_cast<std::uint32_t>(word) * 32U + bit);
      }
    }
  }

 private:
  WINDROW_HOST_DEVICE void sweep(std::uint32_t key) const {
    for (std::uint32_t* at = &state.first_of[key]; *at != 0;) {
      std::uint32_t const cell = *at - 1U;
      SessionLink const link = state.link(cell);
      std::uint32_t const flags = RecordShape::head(state.record(cell)).flags;
      if ((flags & flag_expired) == 0) {
        at = &state.link(cell).next;
        continue;
      }
      *at = link.next;
      if (step->report_ended && (flags & flag_emitted) != 0 && !has_start(key, link.window.start)) {
        ended[atomic_count(state.counters->ended)] = {key, link.window};
      }
      state.forget_window(key);
      state.erased[atomic_count(state.counters->erased)] = cell;
    }
  }
  [[nodiscard]] WINDROW_HOST_DEVICE bool has_start(std::uint32_t key, EventTime start) const {
    for (std::uint32_t at = state.first_of[key]; at != 0; at = state.link(at - 1U).next) {
      if (state.link(at - 1U).window.start == start) {
        return true;
      }
    }
    return false;
  }
};

// Erased cells are free again.
struct ReturnErased {
  StateView state;
  StepView const* step;
  WINDROW_HOST_DEVICE void operator()(std::size_t i) const {
    std::uint32_t const cell = state.erased[i];
    reset_record(state, step, cell);
    state.dirty[cell / page_records] = 1;
    state.free_cell[atomic_count(state.counters->free_cells)] = cell;
  }
};

}  // namespace windrow::gpu
