#include "tests/model/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace windrow::model {
namespace {

std::uint64_t hash_of(State const& state) {
  std::uint64_t words[(sizeof(State) + 7) / 8] = {};
  std::memcpy(words, &state, sizeof(State));
  std::uint64_t h = 0;
  for (std::uint64_t const word : words) {
    h = (h ^ word) * 0x9E3779B97F4A7C15U;
    h ^= h >> 29U;
  }
  return h;
}

// The slots have no order: of two states that differ in it alone one stands for both.  True: the
// slots were swapped.
bool less(State const& a, State const& b) { return std::memcmp(&a, &b, sizeof(State)) < 0; }
bool canonical(State& state) {
  State other = state;
  std::swap(other.process[0], other.process[1]);
  other.lock_writer =
      state.lock_writer == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(3 - state.lock_writer);
  bool const swap = less(other, state);
  state = swap ? other : state;
  return swap;
}

// States in the order in which they were found, each once.
class Visited {
 public:
  Visited() : table_(std::size_t{1} << 20U, none) {}
  bool add(State const& state, std::uint32_t parent) {
    if (states_.size() * 2 >= table_.size()) {
      grow();
    }
    std::uint64_t& at = slot(state);
    if (at != none) {
      return false;
    }
    at = entry(hash_of(state), states_.size());
    states_.push_back(state);
    parents_.push_back(parent);
    return true;
  }
  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] State const& operator[](std::size_t i) const { return states_[i]; }
  [[nodiscard]] std::uint32_t parent(std::size_t i) const { return parents_[i]; }

 private:
  // An entry is half a hash, so that most other states need no look at the state, and its place.
  static constexpr std::uint64_t none = ~std::uint64_t{0};
  static std::uint64_t entry(std::uint64_t hash, std::size_t place) {
    return (hash & ~std::uint64_t{0xFFFFFFFF}) | place;
  }
  std::uint64_t& slot(State const& state) {
    std::uint64_t const hash = hash_of(state);
    std::size_t at = hash & (table_.size() - 1);
    while (table_[at] != none &&
           (entry(table_[at], 0) != entry(hash, 0) ||
            std::memcmp(&states_[table_[at] & 0xFFFFFFFF], &state, sizeof(State)) != 0)) {
      at = (at + 1) & (table_.size() - 1);
    }
    return table_[at];
  }
  void grow() {
    table_.assign(table_.size() * 2, none);
    for (std::size_t i = 0; i < states_.size(); ++i) {
      slot(states_[i]) = entry(hash_of(states_[i]), i);
    }
  }
  std::vector<State> states_;
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint64_t> table_;
};

}  // namespace

Result search(Rules const& rules, Bounds const& bounds, bool promise_only, std::size_t states_max) {
  auto const begin = std::chrono::steady_clock::now();
  Result result;
  Visited visited;
  std::vector<Next> next;
  std::vector<std::pair<char const*, std::size_t>> taken;
  auto const count = [&taken](char const* what) {
    auto at = std::find_if(taken.begin(), taken.end(), [&](auto& t) { return t.first == what; });
    if (at == taken.end()) {
      at = taken.emplace(at, what, 0);
    }
    ++at->second;
  };
  std::vector<std::uint32_t> path;
  Broken broken = Broken::none;
  Step last;
  visited.add(first_state(bounds), 0);
  std::uint32_t at = 0;
  for (; at < visited.size(); ++at) {
    if (visited.size() > states_max) {
      result.whole = false;
      break;
    }
    State const state = visited[at];
    result.complete += is_complete(state, bounds) ? 1 : 0;
    successors(state, rules, bounds, next);
    result.transitions += next.size();
    for (Next& n : next) {
      count(n.step.what);
      Broken is = n.broken != Broken::none && (!promise_only || is_promise(n.broken))
                      ? n.broken
                      : Broken::none;
      if (is == Broken::none) {
        State const reached = n.state;
        canonical(n.state);
        if (visited.add(n.state, at)) {
          is = look(reached, rules, promise_only);
        }
      }
      if (is != Broken::none) {
        broken = is;
        last = n.step;
        break;
      }
    }
    if (broken != Broken::none) {
      break;
    }
  }
  if (broken != Broken::none) {
    for (std::uint32_t i = at; i != 0; i = visited.parent(i)) {
      path.push_back(i);
    }
    path.push_back(0);
    std::reverse(path.begin(), path.end());
    bool swapped = false;  // slots of the state against those that the trace names
    auto const named = [&](Step step) {
      if (swapped && step.process < 2) {
        step.process = static_cast<std::int8_t>(1 - step.process);
      }
      return step;
    };
    for (std::size_t i = 1; i < path.size(); ++i) {
      successors(visited[path[i - 1]], rules, bounds, next);
      for (Next& n : next) {
        bool const swap = canonical(n.state);
        if (std::memcmp(&n.state, &visited[path[i]], sizeof(State)) == 0) {
          result.trace.push_back(named(n.step));
          swapped = swapped != swap;
          break;
        }
      }
    }
    result.trace.push_back(named(last));
  }
  result.broken = broken;
  result.states = visited.size();
  for (auto const& [what, times] : taken) {
    result.taken[what] += times;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

std::string text_of(Step const& step) {
  std::string text = step.process < 2
                         ? fmt::format("{}: {}", step.process == 0 ? 'A' : 'B', step.what)
                         : step.what;
  if (step.batch > 0) {
    text += fmt::format(" {}", step.batch);
  }
  if (step.key >= 0) {
    text += fmt::format(" key={}", step.key);
  }
  if (step.version > 0) {
    text += fmt::format(" version={}", step.version);
  }
  return text;
}

}  // namespace windrow::model
