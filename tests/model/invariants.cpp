// What must hold in every state.
#include <algorithm>

#include "tests/model/steps.hpp"

namespace windrow::model {
namespace {

// What the rows are once all batches up to `last` are in the sink.
Row wanted(State const& s, std::size_t last, std::size_t key) {
  Row row;
  for (std::size_t b = 1; b <= last; ++b) {
    if (touches(s.fact[b - 1].cut, s.fact[b].cut, key)) {
      row.count = static_cast<std::uint8_t>(s.fact[b].cut.read(key)) & 15U;
      row.version = s.fact[b].cut.version;
    }
  }
  return row;
}

std::size_t planned(State const& s) {
  std::size_t last = 0;
  for (std::size_t b = 1; b <= batches; ++b) {
    last = s.fact[b].planned != 0 ? b : last;
  }
  return last;
}

}  // namespace

std::optional<std::size_t> newest_snapshot(State const& s, Rules const& rules) {
  for (std::size_t n = batches + 1; n-- > 0;) {
    if (s.snapshot[n].there != 0 && (s.snapshot[n].damaged == 0 || !rules.verified)) {
      return n;
    }
  }
  return std::nullopt;
}

Broken look(State const& s, Rules const& rules, bool promise_only) {
  // What a start would find now.
  std::optional<std::size_t> const found = newest_snapshot(s, rules);
  std::size_t const loaded = found.value_or(0);
  Cut const loads = found ? content(s.snapshot[loaded]) : Cut{};
  if (!promise_only && (loaded > planned(s) || loads != s.fact[loaded].cut)) {
    return Broken::wrong_snapshot;
  }
  bool needed = false;
  for (std::size_t b = batches; b > loaded; --b) {
    needed = needed || s.plan[b].there != 0 || s.fact[b].effect != 0;
    if (!promise_only && needed && s.plan[b].there == 0) {
      return Broken::plan_missing;
    }
  }
  for (std::size_t p = 0; p < slots; ++p) {
    Process const& process = s.process[p];
    if (process.at < At::loop || s.lock_writer != p + 1 || process.acked < process.done ||
        process.done != planned(s)) {
      continue;
    }
    for (std::size_t key = 0; key < keys; ++key) {
      if (s.row[key] != wanted(s, process.done, key)) {
        return Broken::wrong_rows;
      }
    }
  }
  return Broken::none;
}

bool is_complete(State const& s, Bounds const& bounds) {
  return std::any_of(s.process.begin(), s.process.end(), [&](Process const& process) {
    Cut const cut = process.cut[process.done];
    return process.at == At::loop && process.acked == process.done &&
           s.lock_writer == 1 + (&process - s.process.data()) && cut.read0 == bounds.records[0] &&
           cut.read1 == bounds.records[1];
  });
}

State first_state(Bounds const& bounds) {
  State s;
  s.crashes = bounds.crashes;
  s.take_overs = bounds.take_overs;
  s.damages = bounds.damages;
  s.late_requests = bounds.late_requests;
  s.torn_rows = bounds.torn_rows;
  return s;
}

}  // namespace windrow::model
